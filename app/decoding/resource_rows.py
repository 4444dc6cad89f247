"""A chunk of resource readings -> columns by model version, and the records that can't be used."""

from dataclasses import dataclass

import numpy as np

from app.decoding.chunks import RawChunk, Reject, decode_all
from app.decoding.columns import Floats, Ints, ResourceColumns
from app.decoding.members import members_of
from app.decoding.records import ResourceRecord, decode_resource
from app.sources.watermarks import event_times, implausible


@dataclass(slots=True)
class ResourceRows:
    """`runs`: columns of one model version each, with their places among `times`, (n,)."""

    runs: list[tuple[ResourceColumns, Ints]]
    times: Ints
    rejects: list[Reject]


def decode_resources(chunk: RawChunk, max_ahead_ms: int) -> ResourceRows:
    places, records, rejects = decode_all(chunk.values, decode_resource)
    times = event_times([record.timestamp for record in records])
    ahead, before_1970 = implausible(times, chunk.timestamps[np.array(places, np.int64)], max_ahead_ms)
    wrong = ahead | before_1970
    why = f"more than {max_ahead_ms / 1000:g} s ahead of the Kafka record, or before 1970"
    rejects += [Reject(places[i], "timestamp_out_of_range", why) for i in np.flatnonzero(wrong).tolist()]
    kept = np.flatnonzero(~wrong)
    good, times = [records[i] for i in kept.tolist()], times[kept]
    versions = members_of([(record.model, record.version) for record in good])
    return ResourceRows([_run(good, times, np.array(m, np.int64)) for m in versions.values()], times, rejects)


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
