"""Counts -> the product's own accumulators, without any row."""

from typing import Any

import numpy as np

from app.decoding.columns import Ints, Kind
from app.estimates.cells import PREDICTED, UNKNOWN_KINDS
from app.estimates.layout import BINARY_STEPS, coarse_bins
from app.statistics.histogram import GAMMA, LOW
from app.statistics.totals import Totals
from bench.statistics.counts import CONFIDENCE, FIRST, MIDDLES, Counts
from bench.statistics.features import BinnedFeatures, is_category

CLASSES = ("no", "yes")
LAG_BUCKET = 2
LAG_S = 0.001
_used, _PLACES = np.unique(coarse_bins(MIDDLES, BINARY_STEPS), return_inverse=True)
_USED: list[int] = _used.tolist()


def totals(counts: Counts, place: int, features: BinnedFeatures, baseline_id: str) -> Totals:
    """Of one segment, as if its rows had been counted."""
    rows, errors = int(counts.rows[place]), int(counts.errors[place])
    state: dict[str, Any] = {"traffic": [rows, errors, float(rows), float(errors)]}
    state["latency"] = _latency(counts, place)
    state["features"] = _features(counts, place, features, baseline_id)
    state["outputs"] = _outputs(counts, place)
    if counts.labels[place]:
        state["classification"] = _classification(counts, place)
        labels = int(counts.labels[place])
        state["labels"] = {"buckets": [LAG_BUCKET], "counts": [labels], "total": labels * LAG_S}
    return Totals.from_state(state)


def _latency(counts: Counts, place: int) -> dict[str, Any]:
    own = counts.latency[place]
    used = np.flatnonzero(own)
    middles = LOW * np.power(GAMMA, used + FIRST - 2 + 0.5)
    return {"buckets": (used + FIRST).tolist(), "counts": own[used], "total": float(own[used] @ middles)}


def _features(counts: Counts, place: int, features: BinnedFeatures, baseline_id: str) -> dict[str, Any]:
    rows = int(counts.rows[place])
    columns = [Kind.TEXT if is_category(row) else Kind.NUMBER for row in range(len(features.names))]
    kinds = np.zeros((len(columns), len(Kind)), np.int64)
    kinds[:, Kind.MISSING] = rows - counts.present[place]
    kinds[np.arange(len(columns)), columns] = counts.present[place]
    binned = counts.bins[place].ravel()[features.flat]
    return {
        "rows": rows,
        "names": features.names,
        "kinds": kinds,
        "limit": 1000,
        "binned": [baseline_id, rows, binned],
    }


def _outputs(counts: Counts, place: int) -> dict[str, Any]:
    scores = counts.scores[place]
    classes = {name: n for name, n in zip(CLASSES, counts.predicted[place].tolist(), strict=True) if n}
    sums = [float(scores.sum()), float(scores @ CONFIDENCE)]
    return {"classes": classes, "scores": scores, "sums": sums, "cells": _cells(scores)}


def _cells(scores: Ints) -> dict[str, Any]:
    """By prediction and bin of the log-odds: each score stands for the middle of its bin."""
    weights = np.zeros((UNKNOWN_KINDS, len(_USED)))
    half = len(scores) // 2
    np.add.at(weights[0], _PLACES[:half], scores[:half])
    np.add.at(weights[PREDICTED], _PLACES[half:], scores[half:])
    return {"classes": CLASSES, "bins": _USED, "weights": weights, "squares": float(scores.sum())}


def _classification(counts: Counts, place: int) -> dict[str, Any]:
    cells = counts.confusion[place].tolist()
    confusion = {
        label: {prediction: float(n) for prediction, n in zip(CLASSES, row, strict=True) if n}
        for label, row in zip(CLASSES, cells, strict=True)
        if any(row)
    }
    labels = float(counts.labels[place])
    right = labels - float(counts.wrong[place])
    return {"confusion": confusion, "sums": [labels, right, *[0.0] * 7], "named": 0}
