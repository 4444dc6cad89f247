"""A chunk of label records -> rows in offset order, and the records that can't be used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat

import msgspec
import numpy as np

from app.decoding.batches import batch_times, rows_in
from app.decoding.chunks import UNREADABLE, RawChunk, Reject, decode_all
from app.decoding.columns import Ints
from app.decoding.records import Label, LabelRecord, decode_label, decode_plain_label
from app.sources.watermarks import event_times, implausible
from app.timestamps import milliseconds_of


@dataclass(slots=True)
class LabelRows:
    """n labels. `offsets`: of their records; `numbers`: their place within the record (a batch has several)."""

    ids: list[str]
    labels: Sequence[Label]
    times: Ints
    offsets: Ints
    numbers: Ints
    rejects: list[Reject]


def decode_labels(chunk: RawChunk, max_ahead_ms: int) -> LabelRows:
    """All labels of the chunk; one without a time has its Kafka record's."""
    rows = plain_labels(chunk, max_ahead_ms)
    return rows if rows is not None else decode_any_labels(chunk, max_ahead_ms)


def plain_labels(chunk: RawChunk, max_ahead_ms: int) -> LabelRows | None:
    """The same, sooner, where all are plain; None where one is not."""
    try:
        records = list(map(decode_plain_label, chunk.values))  # type: ignore[arg-type]
    except UNREADABLE:
        return None
    times = milliseconds_of([record.timestamp for record in records]) if records else None
    if times is None or _untimely(times, np.arange(len(records)), chunk, max_ahead_ms):
        return None
    ids, labels = [record.prediction_id for record in records], [record.label for record in records]
    return LabelRows(ids, labels, times, chunk.offsets, np.zeros(len(records), np.int64), [])


def decode_any_labels(chunk: RawChunk, max_ahead_ms: int) -> LabelRows:
    """Labels of every form, one by one."""
    places, records, rejects = decode_all(chunk.values, decode_label)
    ids: list[str] = []
    labels: list[Label] = []
    owners: list[int] = []
    single: list[int] = []
    moments: list[datetime | float] = []
    batches: list[tuple[int, Ints]] = []
    for place, record in zip(places, records, strict=True):
        fault, own = _fault(record), None
        if fault is None and record.prediction_ids is not None:
            try:
                own = _batch_times(record, int(chunk.timestamps[place]))
            except msgspec.ValidationError as error:
                fault = "schema", f"timestamps: {error}"
        if fault is not None:
            rejects.append(Reject(place, *fault))
        elif own is None:
            single.append(len(ids))
            moments.append(record.timestamp if record.timestamp is not None else float(chunk.timestamps[place]))
            ids.append(record.prediction_id or "")
            labels.append(record.label)
            owners.append(place)
        else:
            batches.append((len(ids), own))
            ids += record.prediction_ids or ()
            labels += record.labels or ()
            owners += repeat(place, rows_in(record))
    at, times = np.array(owners, np.int64), np.empty(len(ids), np.int64)
    times[single] = event_times(moments)
    for start, own in batches:
        times[start : start + len(own)] = own
    untimely = _untimely(times, at, chunk, max_ahead_ms)
    if untimely:
        rejects += [Reject(place, *why) for place, why in untimely.items()]
        kept = np.flatnonzero(~np.isin(at, list(untimely)))
        ids, labels = [ids[row] for row in kept.tolist()], [labels[row] for row in kept.tolist()]
        at, times = at[kept], times[kept]
    first = np.searchsorted(at, at, side="left")
    return LabelRows(ids, labels, times, chunk.offsets[at], np.arange(len(at)) - first, rejects)


def _untimely(times: Ints, at: Ints, chunk: RawChunk, max_ahead_ms: int) -> dict[int, tuple[str, str]]:
    """By place: why its times can't be true. A batch with one such time is refused whole."""
    ahead, before_1970 = implausible(times, chunk.timestamps[at], max_ahead_ms)
    why = f"more than {max_ahead_ms / 1000:g} s ahead of the time of the Kafka record"
    faults = dict.fromkeys(at[before_1970].tolist(), ("timestamp_out_of_range", "before 1970"))
    return faults | dict.fromkeys(at[ahead].tolist(), ("timestamp_ahead", why))


def _batch_times(record: LabelRecord, kafka_ms: int) -> Ints:
    if record.timestamps is None and record.timestamp is None:
        return np.full(rows_in(record), kafka_ms)
    return batch_times(record)


def _fault(record: LabelRecord) -> tuple[str, str] | None:
    if record.prediction_ids is None and record.prediction_id is None:
        return "missing_id", "no `prediction_id`"
    if record.prediction_ids is None and record.label is None:
        return "missing_label", "no `label`"
    if record.prediction_ids is not None and (fault := _batch_fault(record)):
        return "uneven_batch", fault
    return None


def _batch_fault(record: LabelRecord) -> str | None:
    rows = rows_in(record)
    if record.labels is None or len(record.labels) != rows:
        return f"{rows} prediction_ids, but {len(record.labels or ())} labels"
    if record.timestamps is not None and len(record.timestamps) != rows:
        return f"{rows} prediction_ids, but {len(record.timestamps)} timestamps"
    if any(label is None for label in record.labels):
        return "a label is null"
    return None
