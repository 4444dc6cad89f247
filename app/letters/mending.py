"""What a dead letter is sent as when it is replayed: mended, keyed as the contract says, and told if still refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from pydantic import ValidationError

from app.decoding.chunks import RawChunk, Reject
from app.decoding.decode import decode_predictions
from app.decoding.label_rows import decode_labels
from app.decoding.resource_rows import decode_resources
from app.events import RetrainingRequest
from app.letters.deadletters import Letter
from app.settings import Settings
from app.sources.partitioning import partitions_of
from app.timestamps import rfc3339

Content = dict[str, Any] | bytes
Transform = Callable[[Content], Content | None]
# Topics whose records become dead letters, and the field that is the key of a record there.
KEYS = {
    "predictions": "prediction_id",
    "labels": "prediction_id",
    "resources": "model",
    "retraining-requests": "model",
}


class TransformError(Exception):
    """What the user's function did that it should not."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A record to send. `key` is None where only the partition counts (batches)."""

    letter: Letter
    key: bytes | None
    partition: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Left:
    """A letter that is not sent, and why."""

    letter: Letter
    why: str


def mend(
    letters: Sequence[Letter], transform: Transform | None, settings: Settings, partitions: int, now_ms: int
) -> tuple[list[Mended], list[Left]]:
    """What to send of letters about one topic of so many partitions, and what is left. Raises TransformError."""
    values, left = _values(letters, transform)
    if not values:
        return [], left
    refused = refusals(letters[0].event.topic, [value for _, value in values], now_ms, settings)
    mended = []
    for place, (letter, value) in enumerate(values):
        if place in refused:
            left.append(Left(letter, f"still refused: {refused[place].reason}"))
        else:
            mended.append(_addressed(letter, value, partitions))
    return mended, left


def _values(letters: Sequence[Letter], transform: Transform | None) -> tuple[list[tuple[Letter, bytes]], list[Left]]:
    values: list[tuple[Letter, bytes]] = []
    left: list[Left] = []
    for letter in letters:
        if letter.event.topic not in KEYS:
            left.append(Left(letter, f"no source topic {letter.event.topic}"))
        elif letter.is_cut:
            left.append(Left(letter, "cut: the letter has only the beginning of the record"))
        elif (value := _transformed(letter, transform)) is None:
            left.append(Left(letter, "left by the transform"))
        else:
            values.append((letter, _dated(letter, value)))
    return values, left


def _transformed(letter: Letter, transform: Transform | None) -> bytes | None:
    if transform is None:
        return letter.value
    content = transform(decoded(letter.value))
    if content is None or isinstance(content, bytes):
        return content
    if not isinstance(content, dict):
        raise TransformError(f"it gave {type(content).__name__} for letter {letter.name}, not a dict, bytes or None")
    try:
        return orjson.dumps(content)
    except TypeError as error:
        raise TransformError(f"what it gave for letter {letter.name} is no JSON: {error}") from error


def decoded(value: bytes) -> Content:
    """A JSON object as a dict, everything else as it is."""
    try:
        content = orjson.loads(value)
    except ValueError:
        return value
    return content if isinstance(content, dict) else value


def _dated(letter: Letter, value: bytes) -> bytes:
    """A label without a time has its Kafka record's: it is given that of the first, which the replay has not."""
    content = decoded(value)
    if letter.event.topic != "labels" or letter.event.timestamp is None or not isinstance(content, dict):
        return value
    if content.get("timestamp") is not None or content.get("timestamps") is not None:
        return value
    return orjson.dumps(content | {"timestamp": rfc3339(letter.at_ms)})


def _addressed(letter: Letter, value: bytes, partitions: int) -> Mended:
    """A batch goes to the partition that it was in: its key is its sender's own, and its labels follow that."""
    content = decoded(value)
    fields = content if isinstance(content, dict) and content.get("prediction_ids") is None else {}
    key = fields.get(KEYS[letter.event.topic])
    if not isinstance(key, str):
        return Mended(letter, None, letter.event.partition % partitions, value)
    encoded = key.encode()
    return Mended(letter, encoded, int(partitions_of([encoded], partitions)[0]), value)


def refusals(topic: str, values: Sequence[bytes], now_ms: int, settings: Settings) -> dict[int, Reject]:
    """By place: why a reader of `topic` would refuse the value if it were sent now."""
    if topic == "retraining-requests":
        return {reject.place: reject for place, value in enumerate(values) if (reject := _refused(place, value))}
    size = len(values)
    chunk = RawChunk(np.arange(size), np.full(size, now_ms), [None] * size, values)
    if topic == "predictions":
        rejects = decode_predictions(chunk, settings).rejects
    elif topic == "labels":
        rejects = decode_labels(chunk, settings.windows.max_ahead_ms).rejects
    else:
        rejects = decode_resources(chunk, settings.windows.max_ahead_ms).rejects
    return {reject.place: reject for reject in rejects}


def _refused(place: int, value: bytes) -> Reject | None:
    try:
        RetrainingRequest.model_validate_json(value)
    except ValidationError as error:
        return Reject(place, "invalid", str(error))
    return None
