"""Batches that follow each other and have the same columns -> one batch, which costs little more to count than each.

Working out a run of columns takes a millisecond or two before its first row. Rows stay in their order, so all sums are
added as they would be batch by batch.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import Any

from app.decoding.batches import errors_of, predictions_of, rows_in, spread, weights_of
from app.decoding.records import PredictionRecord

# Rows of one batch made of several. One that is larger by itself stays as it is.
MOST_ROWS = 8192


def unbroken(members: Sequence[int], records: Sequence[PredictionRecord]) -> Iterator[list[int]]:
    """`members` of `records`, which are of one model version, cut where single records and batches change, or the
    columns of batches do."""
    if all(records[i].prediction_ids is None for i in members):
        yield list(members)
        return
    for layout, group in groupby(members, lambda i: _layout(records[i])):
        alike = list(group)
        yield from [alike] if layout is None else _as_large_as_may_be(alike, records)


def _as_large_as_may_be(batches: Sequence[int], records: Sequence[PredictionRecord]) -> Iterator[list[int]]:
    own: list[int] = []
    rows = 0
    for i in batches:
        if own and rows + rows_in(records[i]) > MOST_ROWS:
            yield own
            own, rows = [], 0
        own.append(i)
        rows += rows_in(records[i])
    yield own


def _layout(record: PredictionRecord) -> tuple[tuple[str, ...] | None, ...] | None:
    """The names in a batch, in their order. None of a single record."""
    if record.prediction_ids is None:
        return None
    return tuple(None if named is None else tuple(named) for named in _named(record))


def _named(record: PredictionRecord) -> tuple[dict[str, Any] | None, ...]:
    return record.features, record.probabilities, record.segments


def together(records: Sequence[PredictionRecord]) -> PredictionRecord:
    """One batch with the rows of all, which have one layout. `timestamps` are left out: they were read already."""
    first = records[0]
    if len(records) == 1:
        return first
    counts = [rows_in(record) for record in records]
    features, probabilities, segments = (
        _chained(columns, counts) for columns in zip(*map(_named, records), strict=True)
    )
    return PredictionRecord(
        model=first.model,
        version=first.version,
        prediction_ids=list(chain.from_iterable(record.prediction_ids or () for record in records)),
        features=features or {},
        predictions=list(chain.from_iterable(map(predictions_of, records))),
        probabilities=probabilities,
        latency_ms=list(chain.from_iterable(map(spread, (record.latency_ms for record in records), counts))),
        segments=segments,
        errors=list(chain.from_iterable(map(errors_of, records))),
        weights=list(chain.from_iterable(map(weights_of, records))),
    )


def _chained(columns: Sequence[dict[str, Any] | None], counts: Sequence[int]) -> dict[str, Any] | None:
    """By name the values of all, one after the other. `counts`: the rows of each."""
    given = [own for own in columns if own is not None]
    if not given:
        return None
    return {name: list(chain.from_iterable(map(spread, (own[name] for own in given), counts))) for name in given[0]}
