"""Rows of a file -> prediction and label events, by the names of their columns."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import orjson

from app.files import Chunk, Mistake, Table
from app.identity import identifier
from app.layout import Layout
from app.tabulate import class_name
from app.timestamps import milliseconds, rfc3339

LONGEST_ID = 512
LONGEST_NAME = 200
LARGEST_WEIGHT = 1e12
# Above it neighbouring whole numbers are one to every reader of JSON that has floats only.
EXACT_INTEGERS = 2**53


class Event(NamedTuple):
    """One record to send. Events of one time are sorted by `order`: a row after the other, its label last."""

    time_ms: int
    order: int
    topic: str
    key: bytes
    value: bytes


class RowMistake(ValueError):
    """Why a row is no event."""


@dataclass(slots=True)
class Read:
    """What a chunk of `rows` rows holds, the mistaken ones included."""

    rows: int
    events: list[Event] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


def read_events(table: Table, layout: Layout) -> Iterator[Read]:
    """The events of all rows, in the file's order, a bounded number at a time. One bad row costs only itself."""
    reader = _RowReader(table.path.name, layout)
    for chunk in table.chunks():
        yield _read(chunk, reader)


def _read(chunk: Chunk, reader: "_RowReader") -> Read:
    read = Read(len(chunk.rows) + len(chunk.mistakes), mistakes=list(chunk.mistakes))
    for number, row in zip(chunk.numbers, chunk.rows, strict=True):
        try:
            read.events += reader.events(number, row)
        except RowMistake as mistake:
            read.mistakes.append(Mistake(number, str(mistake)))
        except orjson.JSONEncodeError as error:
            read.mistakes.append(Mistake(number, str(error)))
    read.mistakes.sort(key=lambda mistake: mistake.row)
    return read


class _RowReader:
    def __init__(self, file_name: str, layout: Layout) -> None:
        self.file_name = file_name
        self.layout = layout

    def events(self, number: int, row: Mapping[str, Any]) -> list[Event]:
        """One or two: the prediction where the file has any, the label where the row has one."""
        layout = self.layout
        if layout.ignored:
            row = {name: value for name, value in row.items() if name not in layout.ignored}
        identity = self._identity(number, row)
        key = identity.encode()
        column = layout.time_column
        at = layout.time_of(number) if column is None else _time(column, row.get(column))
        events = []
        if layout.has_predictions:
            value = orjson.dumps(self._prediction(identity, at, row))
            events.append(Event(at, 2 * number, "predictions", key, value))
        label = self._outcome("label", row.get("label"))
        if label is not None:
            known_at = self._label_time(at, row)
            value = orjson.dumps({"prediction_id": identity, "label": label, "timestamp": rfc3339(known_at)})
            events.append(Event(known_at, 2 * number + 1, "labels", key, value))
        elif not layout.has_predictions:
            raise RowMistake("label: missing")
        return events

    def _prediction(self, identity: str, at: int, row: Mapping[str, Any]) -> dict[str, Any]:
        layout = self.layout
        event: dict[str, Any] = {
            "prediction_id": identity,
            "model": layout.model,
            "version": _name("version", row.get("version")) or layout.version,
            "timestamp": rfc3339(at),
            "features": features_of(row, layout.not_features),
        }
        if (prediction := self._outcome("prediction", row.get("prediction"))) is not None:
            event["prediction"] = prediction
        if layout.probability_columns and (probabilities := self._probabilities(row)):
            event["probabilities"] = probabilities
        if (latency_ms := row.get("latency_ms")) is not None:
            event["latency_ms"] = _number("latency_ms", latency_ms, least=0)
        segments = {name: text for name in layout.segments if (text := _name(name, row.get(name))) is not None}
        if segments:
            event["segments"] = segments
        if (error := row.get("error")) is not None and error is not False and error != "":
            event["error"] = error if error is True else str(error)
        elif prediction is None:
            raise RowMistake("neither prediction nor error")
        if (weight := row.get("weight")) is not None:
            event["weight"] = _weight(weight)
        return event

    def _identity(self, number: int, row: Mapping[str, Any]) -> str:
        value = row.get("prediction_id")
        if value is not None and value != "":
            return _text("prediction_id", value, LONGEST_ID)
        if not self.layout.has_predictions:
            raise RowMistake("prediction_id: missing, and a label alone can't be without")
        return identifier(self.file_name, number)

    def _label_time(self, at: int, row: Mapping[str, Any]) -> int:
        given = row.get("label_timestamp")
        return at + self.layout.label_delay_ms if _is_missing(given) else _time("label_timestamp", given)

    def _outcome(self, column: str, value: Any) -> str | int | float | bool | None:
        """A prediction or a label: a class by its name, or a number."""
        if _is_missing(value):
            return None
        if isinstance(value, str | bool):
            if self.layout.task == "regression":
                raise RowMistake(f"{column}: {_shown(value)} is no number, and the model is a regression")
            return class_name(value) if self.layout.task == "classification" else value
        number = _number(column, value)
        return class_name(number) if self.layout.task == "classification" else number

    def _probabilities(self, row: Mapping[str, Any]) -> dict[str, float]:
        layout = self.layout
        shares: dict[str, float] = {}
        for column, name in layout.probability_columns.items():
            if (share := _number(column, row.get(column), least=0, most=1)) is not None:
                if layout.negative is not None:
                    shares[layout.negative] = 1 - share
                shares[name] = share
        return shares


def features_of(row: Mapping[str, Any], others: Collection[str]) -> dict[str, Any]:
    return {
        # What is common is let through here: a call for each cell would cost more than all the rest.
        name: value
        if value is None or (kind := type(value)) is str or (kind is float and value - value == 0)
        else _feature(name, value)
        for name, value in row.items()
        if name not in others
    }


def _is_missing(value: Any) -> bool:
    return value is None or value == "" or value != value  # NaN alone differs from itself


def _time(column: str, value: Any) -> int:
    try:
        at = milliseconds(value) if type(value) in (str, float, int) else _datetime(value)
    except (ValueError, TypeError, OverflowError):
        if _is_missing(value):
            raise RowMistake(f"{column}: missing") from None
        form = "RFC 3339 with an offset, epoch seconds or milliseconds"
        raise RowMistake(f"{column}: {_shown(value)} is no time ({form})") from None
    if at < 0:
        raise RowMistake(f"{column}: {_shown(value)} is before 1970")
    return at


def _datetime(value: Any) -> int:
    if not isinstance(value, datetime):
        raise TypeError
    return milliseconds((value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat())


def _number(column: str, value: Any, least: float = -math.inf, most: float = math.inf) -> float | int | None:
    """A finite number within its bounds; None where it is missing."""
    kind = type(value)
    if kind is int:
        value = _readable(value)
    elif kind is not float:
        if _is_missing(value):
            return None
        raise RowMistake(f"{column}: {_shown(value)} is no number")
    number: float | int = value
    if number != number:
        return None
    if not least <= number <= most:
        bounds = f"from {least:g} to {most:g}" if math.isfinite(most) else f"{least:g} or more"
        raise RowMistake(f"{column}: {_shown(value)} should be {bounds}")
    if math.isinf(number):
        raise RowMistake(f"{column}: {_shown(value)} is no number that JSON has")
    return number


def _readable(number: int) -> float | int:
    """The number that readers of JSON will have: a float where it is no exact integer for them."""
    if -EXACT_INTEGERS <= number <= EXACT_INTEGERS:
        return number
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _weight(value: Any) -> float | int | None:
    weight = _number("weight", value, most=LARGEST_WEIGHT)
    if weight is not None and weight <= 0:
        raise RowMistake(f"weight: {value} should be above 0")
    return weight


def _feature(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(name, value)
    if isinstance(value, list):
        return [_element(name, element) for element in value]
    if isinstance(value, date):
        return value.isoformat()
    raise RowMistake(f"{name}: {_shown(value)} is no feature (a number, text, true or false, a list of numbers)")


def _element(name: str, value: Any) -> float | int:
    number = _number(name, value)
    if number is None:
        raise RowMistake(f"{name}: a list of numbers has a gap")
    return number


def _name(column: str, value: Any) -> str | None:
    return None if _is_missing(value) else _text(column, value, LONGEST_NAME)


def _text(column: str, value: Any, longest: int) -> str:
    """What names something, as text: a number in its shortest form."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, int | float):
        text = str(value) if type(value) is int else str(class_name(value))
    else:
        raise RowMistake(f"{column}: {_shown(value)} is no name")
    if len(text) > longest:
        raise RowMistake(f"{column}: {len(text)} characters, and at most {longest} are read")
    return text


def _shown(value: Any, longest: int = 40) -> str:
    text = repr(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"
