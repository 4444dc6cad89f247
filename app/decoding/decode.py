"""A chunk of prediction records -> runs of columns, one model version and task each, and the rejected records."""

from collections.abc import Iterator, Sequence
from functools import partial
from types import NoneType
from typing import TypeVar

import numpy as np

from app.decoding.adjoining import together, unbroken
from app.decoding.batches import rows_as_records, rows_in, tabulate_batch
from app.decoding.chunks import RawChunk, decode_all
from app.decoding.columns import Ints
from app.decoding.gathered import NotPlain
from app.decoding.members import members_of
from app.decoding.records import PredictionRecord, decode_prediction
from app.decoding.runs import Decoded, Run, values_at
from app.decoding.screening import Screened, screen
from app.decoding.shaped import Misfit, decode_shaped
from app.decoding.shapes import Shapes
from app.decoding.tabulate import tabulate
from app.settings import ModelSettings, Settings

One = TypeVar("One")
# Records of a chunk that the shapes are learned from.
SAMPLED = 32
# As a power of two: chunks until shapes are tried again.
LONGEST_PAUSE = 8


def decode_predictions(chunk: RawChunk, settings: Settings) -> Decoded:
    """Everything that the chunk holds, in columns. One bad record costs only itself."""
    return _decode(chunk, settings)[0]


def _decode(chunk: RawChunk, settings: Settings) -> tuple[Decoded, list[PredictionRecord]]:
    places, records, rejects = decode_all(chunk.values, decode_prediction)
    screened, faulty = screen(records, places, chunk, settings)
    runs = list(_runs(screened, chunk, settings))
    return Decoded(runs, rejects + faulty, screened.times, screened.offsets), screened.records


class PredictionDecoder:
    """Decodes one chunk after another, sooner once it knows what the models' records look like."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._shapes = Shapes(settings)
        self._misses = 0
        self._pause = 0

    def decode(self, chunk: RawChunk) -> Decoded:
        """The same as `decode_predictions`."""
        misfits: list[PredictionRecord] = []
        if self._shapes.decode is None:
            # From some of the chunk, so that not all of it has to go the long way.
            self._shapes.learn(decode_all(_sample(chunk.values), decode_prediction)[1])
        if self._pause:
            self._pause -= 1
        elif self._shapes.decode is not None:
            try:
                decoded = decode_shaped(chunk, self._shapes, self.settings)
            except NotPlain as why:
                self._missed()
                misfits = [why.record] if isinstance(why, Misfit) else []
            else:
                self._misses = 0
                return decoded
        decoded, records = _decode(chunk, self.settings)
        if not self._pause:
            self._shapes.learn([*misfits, *_sample(records)])
        return decoded

    def _missed(self) -> None:
        """Traffic that fits no shape must not be decoded twice all the time."""
        self._pause = 2**self._misses - 1
        self._misses = min(self._misses + 1, LONGEST_PAUSE)


def _sample(whole: Sequence[One]) -> Sequence[One]:
    """At most `SAMPLED`, from all over it."""
    return whole[:: len(whole) // SAMPLED + 1]


def _runs(screened: Screened, chunk: RawChunk, settings: Settings) -> Iterator[Run]:
    starts = np.cumsum(screened.counts) - screened.counts
    for task, members in groups_of(screened.records, settings):
        model = settings.model(screened.records[members[0]].model)
        for members_of_run in unbroken(members, screened.records):
            yield from _run(screened, chunk, starts, members_of_run, task, model)


def _run(
    screened: Screened, chunk: RawChunk, starts: Ints, members: list[int], task: str, model: ModelSettings
) -> Iterator[Run]:
    first = screened.records[members[0]]
    if first.prediction_ids is None:
        rows = starts[members]
        records = [screened.records[i] for i in members]
        columns = tabulate(records, task, screened.offsets[rows], screened.times[rows], model.max_features, model.text)
        yield Run(columns, rows, partial(values_at, chunk, screened.places[members]))
        return
    batch = together([screened.records[i] for i in members])
    if rows_in(batch):
        rows = np.concatenate([starts[i] + np.arange(screened.counts[i]) for i in members])
        columns = tabulate_batch(
            batch, task, screened.offsets[rows], screened.times[rows], model.max_features, model.text
        )
        yield Run(columns, rows, partial(rows_as_records, batch, columns))


def groups_of(records: Sequence[PredictionRecord], settings: Settings) -> list[tuple[str, list[int]]]:
    """(task, members) of each model version; members in offset order. A version has two only where records disagree."""
    versions = members_of([(record.model, record.version) for record in records])
    return [group for members in versions.values() for group in _by_task(members, records, settings)]


def _by_task(
    members: Sequence[int], records: Sequence[PredictionRecord], settings: Settings
) -> list[tuple[str, list[int]]]:
    configured = settings.model(records[members[0]].model).task
    if configured:
        return [(configured, list(members))]
    kinds = {type(records[i].prediction) for i in members}
    if float not in kinds and {type(records[i].prediction_ids) for i in members} == {NoneType}:
        return [("classification", list(members))]
    numeric = [_is_regression(records[i]) for i in members]
    if all(numeric):
        return [("regression", list(members))]
    groups = [
        ("classification", [i for i, number in zip(members, numeric, strict=True) if not number]),
        ("regression", [i for i, number in zip(members, numeric, strict=True) if number]),
    ]
    return [group for group in groups if group[1]]


def _is_regression(record: PredictionRecord) -> bool:
    """A number without probabilities beside it. A failed record, which has neither, changes no model's figures."""
    if record.prediction_ids is not None:
        return not record.probabilities and all(
            isinstance(value, float) for value in record.predictions or () if value is not None
        )
    return type(record.prediction) is float and not record.probabilities
