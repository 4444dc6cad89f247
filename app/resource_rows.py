"""A chunk of resource readings -> columns by model version, and the records that can't be used."""

from dataclasses import dataclass

import numpy as np

from app.chunks import RawChunk, Reject, decode_all
from app.columns import Floats, Ints, ResourceColumns
from app.records import ResourceRecord, decode_resource
from app.watermarks import event_times


@dataclass(slots=True)
class ResourceRows:
    """`runs`: columns of one model version each, with their places among `times`, (n,)."""

    runs: list[tuple[ResourceColumns, Ints]]
    times: Ints
    rejects: list[Reject]


def decode_resources(chunk: RawChunk, max_ahead_ms: int) -> ResourceRows:
    places, records, rejects = decode_all(chunk.values, decode_resource)
    times = event_times([record.timestamp for record in records])
    stamps = chunk.timestamps[np.array(places, np.int64)]
    wrong = ((stamps >= 0) & (times > stamps + max_ahead_ms)) | (times < 0)
    why = f"more than {max_ahead_ms / 1000:g} s ahead of the Kafka record, or before 1970"
    rejects += [Reject(places[i], "timestamp_out_of_range", why) for i in np.flatnonzero(wrong).tolist()]
    kept = np.flatnonzero(~wrong)
    good, times = [records[i] for i in kept.tolist()], times[kept]
    members: dict[tuple[str, str], list[int]] = {}
    for index, record in enumerate(good):
        members.setdefault((record.model, record.version), []).append(index)
    return ResourceRows([_run(good, times, np.array(m, np.int64)) for m in members.values()], times, rejects)


def _run(records: list[ResourceRecord], times: Ints, members: Ints) -> tuple[ResourceColumns, Ints]:
    mine = [records[i] for i in members.tolist()]
    columns = ResourceColumns(
        model=mine[0].model,
        version=mine[0].version,
        timestamps=times[members],
        instances=[record.instance for record in mine],
        cpu_percent=_figures([record.cpu_percent for record in mine]),
        memory_bytes=_figures([record.memory_bytes for record in mine]),
        gpu_percent=_figures([record.gpu_percent for record in mine]),
        gpu_memory_bytes=_figures([record.gpu_memory_bytes for record in mine]),
    )
    return columns, members


def _figures(values: list[float | None]) -> Floats:
    return np.array(values, np.float64)
