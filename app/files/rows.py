"""Rows of a file -> prediction and label events, by the names of their columns."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from app.decoding.tabulate import class_name
from app.files import Chunk, Mistake, Table
from app.files.checked import RowMistake, feature_in, is_missing, name_in, number_in, shown, text_in, time_in, weight_in
from app.files.layout import Layout
from app.identity import identifier
from app.timestamps import rfc3339

LONGEST_ID = 512


class Event(NamedTuple):
    """One record to send. Events of one time are sorted by `order`: a row after the other, its label last."""

    time_ms: int
    order: int
    topic: str
    key: bytes
    value: bytes


@dataclass(slots=True)
class Read:
    """What a chunk of `rows` rows holds, the mistaken ones included."""

    rows: int
    events: list[Event] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


def read_events(table: Table, layout: Layout) -> Iterator[Read]:
    """The events of all rows, in the file's order, a bounded number at a time. One bad row costs only itself."""
    reader = RowReader(table.path.name, layout)
    for chunk in table.chunks():
        yield _read(chunk, reader)


def _read(chunk: Chunk, reader: "RowReader") -> Read:
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


class RowReader:
    """What single rows mean, by the names of their columns."""

    def __init__(self, file_name: str, layout: Layout) -> None:
        self.file_name = file_name
        self.layout = layout

    def events(self, number: int, row: Mapping[str, Any]) -> list[Event]:
        """One or two: the prediction where the file has any, the label where the row has one."""
        layout = self.layout
        if layout.ignored:
            row = {name: value for name, value in row.items() if name not in layout.ignored}
        identity = self.identity(number, row.get("prediction_id"))
        key = identity.encode()
        column = layout.time_column
        at = layout.time_of(number) if column is None else time_in(column, row.get(column))
        events = []
        if layout.has_predictions:
            value = orjson.dumps(self._prediction(identity, at, row))
            events.append(Event(at, 2 * number, "predictions", key, value))
        label = self.outcome("label", row.get("label"))
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
            "version": name_in("version", row.get("version")) or layout.version,
            "timestamp": rfc3339(at),
            "features": features_of(row, layout.not_features),
        }
        if (prediction := self.outcome("prediction", row.get("prediction"))) is not None:
            event["prediction"] = prediction
        if layout.probability_columns and (probabilities := self._probabilities(row)):
            event["probabilities"] = probabilities
        if (latency_ms := row.get("latency_ms")) is not None:
            event["latency_ms"] = number_in("latency_ms", latency_ms, least=0)
        segments = {name: text for name in layout.segments if (text := name_in(name, row.get(name))) is not None}
        if segments:
            event["segments"] = segments
        if (error := row.get("error")) is not None and error is not False and error != "":
            event["error"] = error if error is True else str(error)
        elif prediction is None:
            raise RowMistake("neither prediction nor error")
        if (weight := row.get("weight")) is not None:
            event["weight"] = weight_in(weight)
        return event

    def identity(self, number: int, value: Any) -> str:
        if value is not None and value != "":
            return text_in("prediction_id", value, LONGEST_ID)
        if not self.layout.has_predictions:
            raise RowMistake("prediction_id: missing, and a label alone can't be without")
        return identifier(self.file_name, number)

    def _label_time(self, at: int, row: Mapping[str, Any]) -> int:
        given = row.get("label_timestamp")
        return at + self.layout.label_delay_ms if is_missing(given) else time_in("label_timestamp", given)

    def outcome(self, column: str, value: Any) -> str | int | float | bool | None:
        """A prediction or a label: a class by its name, or a number."""
        if is_missing(value):
            return None
        if isinstance(value, str | bool):
            if self.layout.task == "regression":
                raise RowMistake(f"{column}: {shown(value)} is no number, and the model is a regression")
            return class_name(value) if self.layout.task == "classification" else value
        number = number_in(column, value)
        return class_name(number) if self.layout.task == "classification" else number

    def _probabilities(self, row: Mapping[str, Any]) -> dict[str, float]:
        layout = self.layout
        shares: dict[str, float] = {}
        for column, name in layout.probability_columns.items():
            if (share := number_in(column, row.get(column), least=0, most=1)) is not None:
                if layout.negative is not None:
                    shares[layout.negative] = 1 - share
                shares[name] = share
        return shares


def features_of(row: Mapping[str, Any], others: Collection[str]) -> dict[str, Any]:
    """All columns but `others`, as they are on the wire. Raises RowMistake."""
    return {
        # What is common is let through here: a call for each cell would cost more than all the rest.
        name: value
        if value is None or (kind := type(value)) is str or (kind is float and value - value == 0)
        else feature_in(name, value)
        for name, value in row.items()
        if name not in others
    }
