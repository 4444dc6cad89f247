"""Realistic traffic for tests: predictions and delayed labels: out of order, late, twice, corrected, early, never."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import orjson

from app.sources.partitioning import partitions_of

START = 1_795_176_000_000
CHANNELS = ("app", "branch", "web")
REGIONS = ("east", "north", "south", "west")


@dataclass(frozen=True)
class Sent:
    """A record as it lies in its partition. `order`: when it is sent, relative to all others."""

    order: float
    topic: str
    partition: int
    key: bytes
    value: bytes


@dataclass
class Traffic:
    """`predictions`: id -> fields, of the first with that id; `labels`: id -> (label, time), of the first."""

    records: list[Sent] = field(default_factory=list)
    duplicates: int = 0

    def of(self, topic: str) -> list[Sent]:
        return [record for record in self.records if record.topic == topic]


def binary_traffic(
    count: int,
    *,
    partitions: int = 4,
    seed: int = 1,
    rate: float = 200.0,
    features: int = 3,
    start: int = START,
    late_share: float = 0.005,
    label_delay_s: float = 20.0,
    corrected_share: float = 0.0,
) -> Traffic:
    """`count` predictions of a binary model at `rate` a second of event time, with the labels of nine in ten.

    `corrected_share`: of the labels, at most 0.8; some of them twice, or by a label that is older and so is none.
    """
    random = np.random.default_rng(seed)
    traffic = Traffic()
    times = start + (np.arange(count) * 1000 / rate + random.uniform(-800, 800, count)).astype(np.int64)
    late = random.random(count) < late_share
    times[late] -= 90_000
    ids = [f"p{seed}-{i:07d}" for i in range(count)]
    keys = [identity.encode() for identity in ids]
    places = partitions_of(keys, partitions).tolist()
    score = random.beta(2, 2, count).round(6)
    truth = random.random(count) < score
    latency = random.lognormal(2, 0.7, count).round(3)
    values = random.normal(size=(count, features)).round(4)
    missing = random.random((count, features)) < 0.02
    delay = random.exponential(label_delay_s * 1000, count).astype(np.int64)
    fate = random.random(count)
    for i in range(count):
        event = {
            "prediction_id": ids[i],
            "model": "credit",
            "version": "2" if i % 10 == 0 else "1",
            "timestamp": int(times[i]),
            "features": {f"f{k}": None if missing[i, k] else values[i, k] for k in range(features)},
            "prediction": "approve" if score[i] >= 0.5 else "reject",
            "probabilities": {"approve": score[i], "reject": 1 - score[i]},
            "latency_ms": latency[i],
            "segments": {"channel": CHANNELS[i % 3], "region": REGIONS[i % 7 % 4]},
        }
        if fate[i] > 0.995:
            event |= {"prediction": None, "probabilities": None, "error": "timeout"}
        sent = Sent(float(i), "predictions", places[i], keys[i], orjson.dumps(event, option=orjson.OPT_SERIALIZE_NUMPY))
        traffic.records.append(sent)
        if 0.02 < fate[i] < 0.03:
            again = orjson.dumps(event | {"latency_ms": 9999.0}, option=orjson.OPT_SERIALIZE_NUMPY)
            traffic.records.append(Sent(i + 50.5, "predictions", places[i], keys[i], again))
            traffic.duplicates += 1
        labels = list(_labels(i, fate[i], int(times[i] + delay[i]), bool(truth[i]), delay[i] * rate / 1000, sent))
        if 0.105 < fate[i] < 0.105 + corrected_share:
            labels += _corrections(i, labels[0])
        traffic.records += labels
    traffic.records.sort(key=lambda record: record.order)
    return traffic


def _labels(i: int, fate: float, known: int, truth: bool, after: float, of: Sent) -> Iterator[Sent]:
    """The label of prediction `i`: never, early (sent before it), twice, or once."""
    if fate < 0.1:
        return
    label = {"prediction_id": of.key.decode(), "label": "approve" if truth else "reject", "timestamp": known}
    if fate < 0.11:
        label["timestamp"] = known = orjson.loads(of.value)["timestamp"] - 500
        after = -20.5
    yield Sent(i + after + 0.25, "labels", of.partition, of.key, orjson.dumps(label))
    if 0.11 < fate < 0.13:
        yield Sent(i + after + 30.75, "labels", of.partition, of.key, orjson.dumps(label))


def _corrections(i: int, first: Sent) -> Iterator[Sent]:
    """Labels after the first one of prediction `i`: another one, the first one again (if older, it changes nothing)."""
    label = orjson.loads(first.value)
    other = "reject" if label["label"] == "approve" else "approve"
    made = [(1_700, other), (1_200 if i % 2 else 9_000, label["label"]), (30_000, other if i % 3 else label["label"])]
    for place, (later, said) in enumerate(made):
        value = orjson.dumps(label | {"label": said, "timestamp": label["timestamp"] + later})
        yield Sent(first.order + 0.3 + place * 60, "labels", first.partition, first.key, value)
