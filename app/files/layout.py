"""What the columns of a file mean, and what follows for all of its rows."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from app.decoding.tabulate import class_name
from app.files import Kind, Table, UnreadableFile
from app.settings import Task

ROLES = (
    "prediction_id",
    "timestamp",
    "version",
    "prediction",
    "probability",
    "label",
    "label_timestamp",
    "latency_ms",
    "error",
    "weight",
)
PROBABILITY_OF = "probability_"
# In a file without types 1.10 is a version and 007 an id; a time may be text, and then stays so.
TEXT = ("prediction_id", "version", "error")
NUMBERS = ("timestamp", "label_timestamp", "latency_ms", "weight", "probability")
# So few different whole numbers look like classes.
FEW = 20


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says of a file. `task`, `positive`: None where they are to be found out. `label_delay_ms`: how long
    after its prediction a label is known, where the file doesn't tell."""

    model: str
    version: str = "1"
    task: Task | None = None
    positive: str | None = None
    segments: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    label_delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """`has_predictions`: else the file has labels alone. `time_column`: of a row's time, None where times are made.
    `probability_columns`: column -> its class; `negative`: the class that has the rest, where one column is given.
    `notes`: what was concluded, for people."""

    model: str
    version: str
    task: Task | None
    segments: tuple[str, ...]
    ignored: frozenset[str]
    not_features: frozenset[str]
    has_predictions: bool
    time_column: str | None
    label_delay_ms: int
    first: int
    start_ms: int
    step_ms: float
    probability_columns: dict[str, str] = field(default_factory=dict)
    negative: str | None = None
    notes: tuple[str, ...] = ()

    def time_of(self, number: int) -> int:
        """When row `number` happened, by its place in the file."""
        return self.start_ms + round((number - self.first) * self.step_ms)


def kinds(task: Task | None, segments: Collection[str]) -> Callable[[str], Kind | None]:
    """What the cells of a column are by its name, for `open_table`; None where that is left open."""

    def kind_of(name: str) -> Kind | None:
        if name in TEXT or name in segments:
            return "text"
        outcome = task == "regression" and name in ("prediction", "label")
        return "number" if outcome or name in NUMBERS or name.startswith(PROBABILITY_OF) else None

    return kind_of


def lay_out(table: Table, wishes: Wishes, start_ms: int, step_ms: float) -> Layout:
    """The meaning of the table's columns. Raises UnreadableFile when they make no events.

    `start_ms`, `step_ms`: the first row's time and how far away the next is, where the file has no timestamps.
    """
    columns = table.columns
    for option, names in (("--segments", wishes.segments), ("--ignore", wishes.ignore)):
        for name in names:
            if name not in columns:
                raise UnreadableFile(f"{table.path}: no column {name!r} ({option}){_meant(name, columns)}")
    used = [name for name in columns if name not in wishes.ignore]
    has_predictions = "prediction" in used or "error" in used
    if not has_predictions and "label" not in used:
        raise UnreadableFile(f"{table.path}: no column 'prediction'{_meant('prediction', used)}, nor 'label'")
    if not has_predictions and "prediction_id" not in used:
        raise UnreadableFile(f"{table.path}: labels alone need the column 'prediction_id'")
    shares, negative = probability_columns(table, used, wishes.positive)
    task = wishes.task or ("classification" if shares else None)
    if shares and task == "regression":
        raise UnreadableFile(f"{table.path}: a regression has no column {next(iter(shares))!r}")
    times = ("timestamp",) if has_predictions else ("label_timestamp", "timestamp")
    return Layout(
        model=wishes.model,
        version=wishes.version,
        task=task,
        segments=wishes.segments,
        ignored=frozenset(wishes.ignore),
        not_features=frozenset([*ROLES, *shares, *wishes.segments]),
        has_predictions=has_predictions,
        time_column=next((name for name in times if name in used), None),
        label_delay_ms=wishes.label_delay_ms,
        first=table.first,
        start_ms=start_ms,
        step_ms=step_ms,
        probability_columns=shares,
        negative=negative,
        notes=tuple(_notes(table, used, task)),
    )


def probability_columns(
    table: Table, columns: Collection[str], positive: str | None
) -> tuple[dict[str, str], str | None]:
    """(column -> class, the class that a single column leaves the rest to)."""
    named = [name for name in columns if name.startswith(PROBABILITY_OF)]
    if "probability" not in columns:
        classes = _classes(table, columns) if named else set()
        return {name: _as_known(name.removeprefix(PROBABILITY_OF), classes) for name in named}, None
    if named:
        raise UnreadableFile(f"{table.path}: both 'probability' and {named[0]!r}: one of the two is enough")
    classes = _two(table, _classes(table, columns))
    chosen = positive if positive is not None else max(classes)
    if chosen not in classes and len(classes) == 2:
        found = ", ".join(sorted(classes))
        raise UnreadableFile(f"{table.path}: the positive class is {chosen!r}, but the classes are {found}")
    return {"probability": chosen}, next(iter(classes - {chosen}), None)


def _classes(table: Table, columns: Collection[str]) -> set[str]:
    outcomes = [name for name in ("prediction", "label") if name in columns]
    return {str(class_name(value)) for value in table.distinct(outcomes, 1000) if value == value and value != ""}


def _two(table: Table, classes: set[str]) -> set[str]:
    """The classes of a binary model; where the file shows one of a usual pair, the other is known."""
    for pair in ({"0", "1"}, {"false", "true"}):
        if classes <= pair:
            return pair
    if len(classes) > 2:
        found = ", ".join(sorted(classes)[:5])
        raise UnreadableFile(
            f"{table.path}: 'probability' is of the positive of two classes, and there are {len(classes)} ({found}"
            f"{', ...' if len(classes) > 5 else ''}): name the columns probability_<class>"
        )
    return classes


def _as_known(written: str, classes: set[str]) -> str:
    """The class that a column's name means: true for True, 1 for 1.0, when those are what the file predicts."""
    for name in (written, written.lower(), _shortest(written)):
        if name in classes:
            return name
    return written


def _shortest(written: str) -> str:
    try:
        return str(class_name(float(written)))
    except ValueError:
        return written


def _notes(table: Table, columns: Collection[str], task: Task | None) -> Iterable[str]:
    if task is None and "prediction" in columns:
        values = table.distinct(["prediction"], FEW)
        if 0 < len(values) <= FEW and all(_is_whole(value) for value in values):
            names = sorted(str(class_name(value)) for value in values)
            found = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
            what = f"prediction holds {len(values)} different numbers ({found}): taken as a regression's"
            yield f"{what}; if they are classes, say --task classification"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()


def _meant(word: str, known: Collection[str]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else f" (columns: {', '.join(list(known)[:12])})"
