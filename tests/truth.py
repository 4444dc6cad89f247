"""What a batch job over all records would say: the windows, computed with numpy from the records themselves."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson

from app.settings import WindowSettings
from app.timestamps import milliseconds
from tests.traffic import Sent

Key = tuple[str, str, int]  # version, segment as sorted JSON, start of the window


class PartitionOrder:
    """The records of one partition in their order, each with whether it came too late for its pane."""

    def __init__(self, windows: WindowSettings) -> None:
        self.windows = windows
        self.watermark: int | None = None

    def watermark_before(self, time: int) -> int | None:
        before = self.watermark
        self.watermark = time if before is None else max(before, time)
        return before


def over(windows: WindowSettings, time: int, watermark: int | None) -> bool:
    """Whether the pane of `time` was over at `watermark`."""
    return watermark is not None and time - time % windows.pane_ms + windows.pane_ms + windows.lateness_ms <= watermark


def first_of_each(records: Sequence[Sent], windows: WindowSettings) -> dict[str, dict[str, Any]]:
    """id -> the first record by offset, with the watermark of its partition before it."""
    partitions: dict[int, PartitionOrder] = defaultdict(lambda: PartitionOrder(windows))
    found: dict[str, dict[str, Any]] = {}
    for record in records:
        value = orjson.loads(record.value)
        before = partitions[record.partition].watermark_before(value["timestamp"])
        found.setdefault(value["prediction_id"], value | {"before": before})
    return found


def labels_of_each(records: Sequence[Sent], windows: WindowSettings) -> dict[str, list[dict[str, Any]]]:
    """id -> the first label by offset, then each that corrects the one before: later, and another value."""
    partitions: dict[int, PartitionOrder] = defaultdict(lambda: PartitionOrder(windows))
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        value = orjson.loads(record.value)
        before = partitions[record.partition].watermark_before(value["timestamp"])
        known = found[value["prediction_id"]]
        if not known or (value["timestamp"] > known[-1]["timestamp"] and value["label"] != known[-1]["label"]):
            known.append(value | {"before": before})
    return found


def expected_windows(
    predictions: Sequence[Sent], labels: Sequence[Sent], windows: WindowSettings, size: int
) -> dict[Key, dict[str, Any]]:
    """Tumbling windows of `size` ms by version and segment. Counts and metrics, as the contract names them."""
    made, known = first_of_each(predictions, windows), labels_of_each(labels, windows)
    corrected: dict[Key, int] = defaultdict(int)
    rows: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    pairs: dict[Key, list[tuple[dict[str, Any], dict[str, Any]]]] = defaultdict(list)
    for identity, event in made.items():
        if not over(windows, event["timestamp"], event["before"]):
            for key in _keys(event, event["timestamp"], size):
                rows[key].append(event)
        for place, label in enumerate(known.get(identity, ()) if event["prediction"] is not None else ()):
            time = max(event["timestamp"], label["timestamp"])
            if not over(windows, time, event["before"]) and not over(windows, time, label["before"]):
                for key in _keys(event, time, size):
                    if place:
                        corrected[key] += 1
                    else:
                        pairs[key].append((event, label))
    return {
        key: _window(rows.get(key, []), pairs.get(key, []), corrected.get(key, 0), size)
        for key in rows.keys() | pairs.keys() | corrected.keys()
    }


def expected_cohorts(
    predictions: Sequence[Sent], labels: Sequence[Sent], windows: WindowSettings
) -> dict[Key, dict[str, Any]]:
    """Cohorts as their last revision must be: all predictions of their time with their last labels, late ones too."""
    made, known = first_of_each(predictions, windows), labels_of_each(labels, windows)
    corrected: dict[Key, int] = defaultdict(int)
    rows: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    pairs: dict[Key, list[tuple[dict[str, Any], dict[str, Any]]]] = defaultdict(list)
    for identity, event in made.items():
        own = known.get(identity, []) if event["prediction"] is not None else []
        for key in _keys(event, event["timestamp"], windows.cohort_ms):
            rows[key].append(event)
            pairs[key] += [(event, label) for label in own[-1:]]
            corrected[key] += len(own[1:])
    return {key: _window(rows[key], pairs[key], corrected[key], windows.cohort_ms) for key in rows}


def _keys(event: dict[str, Any], time: int, size: int) -> Iterator[Key]:
    start = time - time % size
    yield event["version"], "{}", start
    for name, value in (event.get("segments") or {}).items():
        yield event["version"], segment_key({name: value}), start


def segment_key(segment: dict[str, str]) -> str:
    return orjson.dumps(segment, option=orjson.OPT_SORT_KEYS).decode()


def _window(
    rows: list[dict[str, Any]], pairs: list[tuple[dict[str, Any], dict[str, Any]]], corrected: int, size: int
) -> dict[str, Any]:
    window: dict[str, Any] = {
        "predictions": len(rows),
        "errors": sum(bool(row.get("error")) for row in rows),
        "labels": len(pairs),
        "metrics": _metrics(rows, size) | _performance(pairs),
        "latency": [row["latency_ms"] for row in rows],
        "missing": {
            name: sum(row["features"][name] is None for row in rows) for name in (rows[0]["features"] if rows else ())
        },
    }
    if pairs or corrected:
        window["metrics"]["labels_corrected"] = corrected
    if rows:
        window["metrics"]["label_coverage"] = len(pairs) / len(rows)
    return window


def _metrics(rows: list[dict[str, Any]], size: int) -> dict[str, float]:
    if not rows:
        return {}
    good = [row for row in rows if row["probabilities"]]
    return {
        "throughput_per_s": len(rows) / (size / 1000),
        "error_rate": sum(bool(row.get("error")) for row in rows) / len(rows),
        "latency_mean_ms": float(np.mean([row["latency_ms"] for row in rows])),
        "estimated_accuracy": float(np.mean([row["probabilities"][row["prediction"]] for row in good])),
    }


def _performance(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, float]:
    """Positive is the last class in sorted order, "reject"."""
    if not pairs:
        return {}
    truth = np.array([label["label"] == "reject" for _, label in pairs])
    said = np.array([event["prediction"] == "reject" for event, _ in pairs])
    score = np.array([event["probabilities"]["reject"] for event, _ in pairs])
    given = np.array([event["probabilities"][label["label"]] for event, label in pairs])
    hit, false, miss = (truth & said).sum(), (~truth & said).sum(), (truth & ~said).sum()
    found = {
        "accuracy": float((truth == said).mean()),
        "log_loss": float(-np.log(np.clip(given, 1e-15, 1)).mean()),
        "brier": float(((score - truth) ** 2).mean()),
        "estimated_accuracy_of_labelled": float(np.mean([e["probabilities"][e["prediction"]] for e, _ in pairs])),
        "label_lag_mean_s": float(np.mean([max(b["timestamp"] - a["timestamp"], 0) for a, b in pairs]) / 1000),
    }
    if hit + false:
        found["precision"] = float(hit / (hit + false))
    if hit + miss:
        found["recall"] = float(hit / (hit + miss))
    if hit + false and hit + miss:
        found["f1"] = float(2 * hit / (2 * hit + false + miss))
    return found


def differences(published: Sequence[dict[str, Any]], expected: dict[Key, dict[str, Any]]) -> list[str]:
    """Every way in which the published tumbling windows are not the expected ones."""
    found: list[str] = []
    by_key: dict[Key, dict[str, Any]] = {}
    for window in published:
        key = window["version"], segment_key(window["segment"]), milliseconds(window["start"])
        if key in by_key and by_key[key] != window:
            found.append(f"{key}: published twice and not the same")
        by_key[key] = window
    found += [f"{key}: not published" for key in expected.keys() - by_key.keys()]
    found += [f"{key}: published, but there is no such window" for key in by_key.keys() - expected.keys()]
    for key in expected.keys() & by_key.keys():
        found += [f"{key}: {text}" for text in _compare(by_key[key], expected[key])]
    return found


def _compare(window: dict[str, Any], expected: dict[str, Any]) -> Iterator[str]:
    for count in ("predictions", "labels", "errors"):
        if window[count] != expected[count]:
            yield f"{count} {window[count]}, expected {expected[count]}"
    for name, value in expected["metrics"].items():
        given = window["metrics"].get(name)
        if given is None or not np.isclose(given, value, rtol=1e-9, atol=1e-9):
            yield f"{name} {given}, expected {value}"
    if expected["latency"]:
        for name, share in (("latency_p50_ms", 0.5), ("latency_p95_ms", 0.95), ("latency_p99_ms", 0.99)):
            value = float(np.quantile(expected["latency"], share))
            given = window["metrics"].get(name)
            if given is None or abs(given - value) > 0.0101 * value:
                yield f"{name} {given}, expected {value} within 1 %"
    for name, rows in expected["missing"].items():
        share = rows / expected["predictions"]
        if share == 1 and name not in window["data_quality"]:
            continue  # without a baseline nobody knows of a feature that has no value in the whole window
        given = window["data_quality"].get(name, {}).get("missing", 0)
        if not np.isclose(given, share, atol=1e-9):
            yield f"missing {name} {given}, expected {share}"
