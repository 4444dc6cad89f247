"""Which decoded predictions can be used: what the contract requires is there, and the time can be true."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from app.decoding.batches import UnevenBatch, batch_times, check_batch, rows_in
from app.decoding.chunks import RawChunk, Reject
from app.decoding.columns import Ints
from app.decoding.records import PredictionRecord
from app.settings import Settings
from app.sources.watermarks import event_times, implausible


@dataclass(slots=True)
class Screened:
    """Usable records in offset order. `places`: (r,) theirs in the chunk; `counts`: (r,) rows of each record;
    `times`, `offsets`: (rows,) of all their rows."""

    records: list[PredictionRecord]
    places: Ints
    counts: Ints
    times: Ints
    offsets: Ints


def screen(
    records: list[PredictionRecord], places: Sequence[int], chunk: RawChunk, settings: Settings
) -> tuple[Screened, list[Reject]]:
    """The records that can be used, and why the others can't."""
    at = np.array(places, np.int64)
    batches: dict[int, Ints] = {}
    faults = _faults(records, settings, batches)
    own_times = [batches.get(i) for i in range(len(records)) if i not in faults] if batches else None
    records, at = _without(records, at, faults)
    times = _times(records, own_times)
    counts = np.array([1 if r.prediction_ids is None else rows_in(r) for r in records], np.int64)
    screened = Screened(records, at, counts, times, np.repeat(chunk.offsets[at], counts))
    untimely = _untimely(screened, chunk, settings.windows.max_ahead_ms)
    rejects = [Reject(places[i], *why) for i, why in faults.items()]
    if not untimely:
        return screened, rejects
    rejects += [Reject(int(at[i]), *why) for i, why in untimely.items()]
    rows = ~np.isin(np.repeat(np.arange(len(records)), counts), list(untimely))
    kept, at = _without(records, at, untimely)
    counts = np.delete(counts, list(untimely))
    return Screened(kept, at, counts, screened.times[rows], screened.offsets[rows]), rejects


def _without(
    records: list[PredictionRecord], places: Ints, faults: dict[int, tuple[str, str]]
) -> tuple[list[PredictionRecord], Ints]:
    if not faults:
        return records, places
    return [record for i, record in enumerate(records) if i not in faults], np.delete(places, list(faults))


def _faults(
    records: Sequence[PredictionRecord], settings: Settings, batches: dict[int, Ints]
) -> dict[int, tuple[str, str]]:
    """What is wrong, by record. Fills `batches` with the times of those in columns."""
    suspects = [
        i
        for i, r in enumerate(records)
        if r.prediction_id is None
        or r.timestamp is None
        or r.prediction_ids is not None
        or r.prediction is None
        or _column(r) is not None
    ]
    numeric = {name for name, model in settings.models.items() if model.task == "regression"}
    if numeric:
        suspects = sorted({*suspects, *(i for i, r in enumerate(records) if r.model in numeric)})
    found = {i: _fault(i, records[i], records[i].model in numeric, batches) for i in suspects}
    return {i: fault for i, fault in found.items() if fault}


def _fault(place: int, record: PredictionRecord, numeric: bool, batches: dict[int, Ints]) -> tuple[str, str] | None:
    if record.prediction_ids is not None:
        try:
            check_batch(record)
            batches[place] = batch_times(record)
        except UnevenBatch as error:
            return "uneven_batch", str(error)
        except msgspec.ValidationError as error:
            return "schema", f"timestamps: {error}"
    elif record.prediction_id is None:
        return "missing_id", "no `prediction_id`"
    elif record.timestamp is None:
        return "missing_timestamp", "no `timestamp`"
    elif record.prediction is None and record.error is None:
        return "missing_prediction", "neither `prediction` nor `error`"
    elif (column := _column(record)) is not None:
        return "schema", f"a list in `{column}`, but no `prediction_ids`"
    values = [record.prediction] if record.prediction_ids is None else record.predictions or ()
    if numeric and any(isinstance(value, str | bool) for value in values):
        return "not_a_number", f"model {record.model} is a regression, but the prediction is no number"
    return None


def _column(record: PredictionRecord) -> str | None:
    """The field in which there is a list, as only batches have them."""
    if type(record.latency_ms) is list:
        return "latency_ms"
    if record.probabilities and list in map(type, record.probabilities.values()):
        return "probabilities"
    return "segments" if record.segments and list in map(type, record.segments.values()) else None


def _times(records: Sequence[PredictionRecord], batches: Sequence[Ints | None] | None) -> Ints:
    """(rows,) of all records. `batches`: the times of each that is in columns, None for all single."""
    if batches is None:
        return event_times([record.timestamp for record in records])  # type: ignore[misc]
    single = event_times([r.timestamp for r, own in zip(records, batches, strict=True) if own is None])  # type: ignore[misc]
    each = iter(single[:, None])
    return np.concatenate([next(each) if own is None else own for own in batches] or [single])


def _untimely(screened: Screened, chunk: RawChunk, max_ahead_ms: int) -> dict[int, tuple[str, str]]:
    """By record: one such time would carry the watermark away, or is none that a model was in production at."""
    kafka_times = np.repeat(chunk.timestamps[screened.places], screened.counts)
    ahead, before_1970 = implausible(screened.times, kafka_times, max_ahead_ms)
    if not (ahead | before_1970).any():
        return {}
    owner = np.repeat(np.arange(len(screened.records)), screened.counts)
    why = f"more than {max_ahead_ms / 1000:g} s ahead of the time of the Kafka record"
    faults = dict.fromkeys(owner[ahead].tolist(), ("timestamp_ahead", why))
    return faults | dict.fromkeys(owner[before_1970].tolist(), ("timestamp_out_of_range", "before 1970"))
