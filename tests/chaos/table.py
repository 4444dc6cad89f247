"""What the trials came to, as the table that ends a run."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True)
class Row:
    """`events`: predictions and labels in the topics; `windows`, `cohorts`: compared with the truth."""

    trial: str
    faults: int
    seed: int
    events: int
    windows: int
    cohorts: int
    differences: int


ROWS: list[Row] = []


def lines(rows: Iterable[Row]) -> list[str]:
    cells = [
        [field.name for field in fields(Row)],
        *([f"{value:,}" if isinstance(value, int) else value for value in astuple(row)] for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            f"{cell:<{w}}" if not n else f"{cell:>{w}}" for n, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]
