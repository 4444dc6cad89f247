"""Options of the commands that read a file of predictions."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from app.files import Table

ROWS_PER_S = 100.0

Task = Annotated[
    Literal["classification", "regression"] | None,
    typer.Option(metavar="TASK", help="classification or regression, where the file's numbers leave it open."),
]
Version = Annotated[str, typer.Option(help="Its version, for rows that name none.")]
Segments = Annotated[str, typer.Option(metavar="A,B", help="Columns that are segments.")]
Ignore = Annotated[str, typer.Option(metavar="A,B", help="Columns to leave out.")]
Start = Annotated[
    str | None, typer.Option(metavar="TIME", help="When the first row was, where rows have no timestamp.")
]
Delay = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, help="How long after its prediction a label without a time is.")
]


def names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def clock(table: "Table", rate: float | None, start: str | None, delay_ms: int) -> tuple[int, float]:
    """(first row's time, milliseconds to the next) where rows have none: at `rate` from now on, or else up to now."""
    import time

    from app.timestamps import milliseconds

    events_per_row = 2 if {"label", "prediction"} <= set(table.columns) else 1
    step_ms = 1000 / (ROWS_PER_S if rate is None else rate / events_per_row)
    if start is not None:
        try:
            return milliseconds(float(start) if start.replace(".", "", 1).isdecimal() else start), step_ms
        except ValueError as error:
            raise typer.BadParameter(f"--start: {error}") from error
    now_ms = time.time_ns() // 1_000_000
    return (now_ms if rate is not None else now_ms - delay_ms - round(table.size * step_ms)), step_ms
