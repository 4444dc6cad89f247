"""What `make bench-statistics` simulates is what ingest would have counted, and its arithmetic is right."""

import argparse
import sys
from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np
import orjson
import pytest
from river.drift.binary import HDDMA, HDDMW
from scipy.stats import chi2, kstwobign, norm

from app.decoding.chunks import RawChunk
from app.decoding.decode import decode_predictions
from app.drift.fitting import ReferenceData
from app.settings import Settings
from app.statistics.prepared import PreparedPredictions
from app.statistics.totals import Totals
from bench.statistics import __main__ as command
from bench.statistics.calibration import Curve
from bench.statistics.counts import FIRST, LAST, SCORES, Counts, draw_counts, latency_shares
from bench.statistics.delays import quantile
from bench.statistics.features import BinnedFeatures, is_category
from bench.statistics.fixed import ks_p, psi
from bench.statistics.hddm import HoeffdingA, HoeffdingW
from bench.statistics.poisson import interval, likely
from bench.statistics.product import START_MS, Product
from bench.statistics.reference import reference, reference_rows
from bench.statistics.scenarios import SCENARIOS, divergence
from bench.statistics.setup import Change, Setup
from bench.statistics.shortcut import totals
from bench.statistics.tables import aligned
from bench.statistics.world import World
from tests.app.closing import labelled


def small_world(seed: int = 1, wandering: bool = False) -> World:
    setup = Setup(features=6, segments=3, events=20_000, days=1.0, window_s=3600, wandering=wandering)
    return World(setup, np.random.default_rng(seed))


def by_rows(data: ReferenceData, product: Product) -> Totals:
    """The rows as records, the way that all records go."""
    records = [
        {
            "prediction_id": str(row),
            "model": "bench",
            "version": "1",
            "timestamp": START_MS + row,
            "features": {name: values[row] for name, values in data.features.items()},
            "prediction": data.predictions[row],
            "probabilities": {name: values[row] for name, values in data.probabilities.items()},
        }
        for row in range(data.size)
    ]
    places, times = np.arange(data.size), np.full(data.size, START_MS + data.size)
    chunk = RawChunk(places, times, [None] * data.size, [orjson.dumps(record) for record in records])
    decoded = decode_predictions(chunk, Settings())
    assert not decoded.rejects
    own = Totals()
    for run in decoded.runs:
        prepared = PreparedPredictions(run.columns, product.baseline)
        prepared.update([own], np.zeros(run.columns.size, np.int64))
    return own


def counted(data: ReferenceData, features: BinnedFeatures, product: Product) -> Counts:
    """The same rows, counted here."""
    bins = np.zeros((1, len(features.names), features.width), np.int64)
    present = np.zeros((1, len(features.names)), np.int64)
    for place, name in enumerate(features.names):
        own = [value for value in data.features[name] if value is not None]
        present[0, place] = len(own)
        found = product.baseline.features[name]
        edges = found.bin_of() if is_category(place) else None  # type: ignore[union-attr]
        codes = [edges[value] for value in own] if edges else np.searchsorted(found.cuts, own, side="right")  # type: ignore[union-attr]
        np.add.at(bins[0, place], codes, 1)
    scores = np.minimum(np.array(data.probabilities["yes"]) * len(SCORES), len(SCORES) - 1).astype(int)
    return Counts(
        rows=np.array([data.size]),
        errors=np.zeros(1, np.int64),
        present=present,
        bins=bins,
        latency=np.zeros((1, LAST - FIRST + 1), np.int64),
        scores=np.bincount(scores, minlength=len(SCORES))[None, :],
        confusion=np.zeros((1, 2, 2), np.int64),
    )


def test_the_shortcut_says_what_rows_say() -> None:
    world = small_world()
    product = Product(world.setup, reference(world))
    data = reference_rows(small_world(2), 24)
    rows = by_rows(data, product)
    short = totals(counted(data, product.features, product), 0, product.features, product.baseline.baseline_id)
    assert short.features is not None
    assert rows.features is not None
    assert short.features.state() == rows.features.state()
    assert short.drift(product.baseline) == rows.drift(product.baseline)
    assert short.outputs is not None
    assert rows.outputs is not None
    assert short.outputs.classes == rows.outputs.classes
    assert short.outputs.scores.tolist() == rows.outputs.scores.tolist()
    assert short.outputs.cells.rows == rows.outputs.cells.rows
    # Each score stands for the middle of its bin.
    assert short.outputs.metrics()["estimated_accuracy"] == pytest.approx(
        rows.outputs.metrics()["estimated_accuracy"], abs=0.005
    )


def test_the_shortcut_says_of_labels_what_pairs_say() -> None:
    world = small_world()
    product = Product(world.setup, reference(world))
    counts = draw_counts(world.rng, world.rates(), product.features)
    short = totals(counts, 0, product.features, product.baseline.baseline_id)
    labels, wrong = int(counts.labels[0]), int(counts.wrong[0])
    pairs = labelled(labels - wrong, wrong)
    assert short.label_count == pairs.label_count == labels
    assert short.metrics(60)["accuracy"] == pairs.metrics(60)["accuracy"]
    assert short.predictions == counts.rows[0]
    assert short.errors == counts.errors[0]


def test_counts_follow_the_rates() -> None:
    world = small_world(3)
    product = Product(world.setup, reference(world))
    rates = world.rates(Change(accuracy=0.8, shift=0.5, missing=0.03, segment=1))
    assert rates.accuracy == pytest.approx([0.9, 0.8, 0.9])
    shares = product.features.probabilities(rates.shift)
    assert shares.sum(axis=-1) == pytest.approx(np.ones((3, 6)))
    values = norm.rvs(0.5, size=200_000, random_state=1)
    edges = product.baseline.features["x000"].cuts  # type: ignore[union-attr]
    drawn = np.bincount(np.searchsorted(edges, values, side="right"), minlength=product.features.width) / len(values)
    assert shares[0, 0] == pytest.approx(drawn, abs=0.005)
    counts = [draw_counts(world.rng, rates, product.features) for _ in range(300)]
    missing = sum(one.rows - one.present[:, 0] for one in counts) / sum(one.rows for one in counts)
    assert missing == pytest.approx([0.03] * 3, abs=0.004)
    wrong = sum(one.wrong for one in counts) / sum(one.labels for one in counts)
    assert wrong == pytest.approx([0.1, 0.2, 0.1], abs=0.01)
    whole = counts[0].whole()
    assert whole.rows.tolist() == [counts[0].rows.sum()]
    assert whole.bins.sum() == whole.present.sum() == counts[0].bins.sum()
    assert latency_shares(20.0).sum() == pytest.approx(1)


def test_rates_wander_about_the_usual_ones() -> None:
    still, wandering = small_world(), small_world(wandering=True)
    assert [still.rates().accuracy[0] for _ in range(5)] == pytest.approx([0.9] * 5)
    accuracy = np.array([wandering.rates().accuracy[0] for _ in range(500)])
    assert accuracy.mean() == pytest.approx(0.9, abs=0.01)
    assert 0.002 < accuracy.std() < 0.02
    assert np.corrcoef(accuracy[1:], accuracy[:-1])[0, 1] > 0.5


def test_a_change_comes_at_once_or_step_by_step() -> None:
    assert [Change().progress(window) for window in (0, 1)] == [1, 1]
    assert [Change(over=4).progress(window) for window in (0, 1, 3, 9)] == [0.25, 0.5, 1, 1]


@pytest.mark.parametrize("rate", [0.1, 0.01, None])
@pytest.mark.parametrize("two_sided", [False, True])
def test_hddm_decides_as_rivers(rate: float | None, two_sided: bool) -> None:
    rng = np.random.default_rng(5)
    values = rng.random(3000) if rate is None else (rng.random(3000) < rate).astype(float)
    for strictness in (1.0, 2.0, 4.0):
        confidence = float(np.exp(-strictness))
        own: Sequence[Any] = (HoeffdingA(confidence, two_sided), HoeffdingW(confidence, two_sided))
        rivers = [kind(confidence, 1.0, two_sided_test=two_sided) for kind in (HDDMA, HDDMW)]
        for value in values.tolist():
            for one, other in zip(own, rivers, strict=True):
                one.update(value)
                other.update(value)
                assert one.drift_detected == bool(other.drift_detected)


def test_fixed_thresholds_are_the_textbooks() -> None:
    rng = np.random.default_rng(2)
    usual, counts = rng.multinomial(1000, [0.2] * 5), rng.multinomial(500, [0.3, 0.2, 0.2, 0.2, 0.1])
    p, q = (counts + 0.5) / (counts + 0.5).sum(), (usual + 0.5) / (usual + 0.5).sum()
    assert psi(counts[None, None], usual[None])[0, 0] == pytest.approx(((p - q) * np.log(p / q)).sum())
    distance = np.abs(np.cumsum(counts) / 500 - np.cumsum(usual) / 1000).max()
    assert ks_p(counts[None, None], usual[None])[0, 0] == pytest.approx(kstwobign.sf(distance * np.sqrt(1000 / 3)))
    assert ks_p(0 * counts[None, None], usual[None])[0, 0] == 1


@pytest.mark.parametrize("events", [0, 1, 20])
def test_intervals_of_counts_are_exact(events: int) -> None:
    low, high = interval(events)
    assert low == pytest.approx(chi2.ppf(0.025, 2 * events) / 2 if events else 0)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * events + 2) / 2)
    assert low < likely(events) < high


def test_a_strictness_is_read_off_a_line_also_beyond_what_was_tried() -> None:
    alarms = tuple(round(1e6 * np.exp(-2 * s)) for s in range(1, 5))
    told = Curve("any", "any", (1.0, 2.0, 3.0, 4.0), alarms, (10**6,) * 4)
    assert told.strictness_for(np.exp(-5)) == pytest.approx(2.5, abs=0.02)
    assert told.strictness_for(np.exp(-20)) == pytest.approx(10, abs=0.1)
    assert told.strictness_for(0.9) == 1
    assert Curve("any", "any", (1.0, 2.0), (5, 9), (1000, 1000)).strictness_for(1e-9) == inf


def test_lordens_bound_is_the_evidence_that_is_needed() -> None:
    setup = Setup(window_s=60)
    accuracy = SCENARIOS[0]
    brought = divergence(0.2, 0.1) * accuracy.per_window(setup)
    assert accuracy.lorden(setup, np.exp(10)) == pytest.approx(10 / brought)
    gradual = next(one for one in SCENARIOS if one.name == "gradual")
    assert gradual.lorden(setup, np.exp(10)) > 5 * accuracy.lorden(setup, np.exp(10))


def test_quantiles_of_delays_know_of_those_that_never_came() -> None:
    assert quantile([1, 2, 3, None], 0.5) == 2
    assert quantile([1, 2, 3, None], 0.9) == inf
    assert aligned([("a", "b"), ("long", "c")]) == ["a     b", "long  c"]


def test_parts_are_chosen_by_name() -> None:
    assert command.parts("delays") == tuple(scenario.name for scenario in SCENARIOS)
    with pytest.raises(argparse.ArgumentTypeError, match="no soon: there are"):
        command.parts("stationary,soon")


def test_the_command_tells_what_it_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    words = "--seeds 1 --events 40000 --days 0.5 --features 5 --segments 2 --outcomes 5000 --only stationary,accuracy"
    monkeypatch.setattr(sys, "argv", ["bench", *words.split(), "--json", str(tmp_path / "figures.json")])
    command.main()
    out = capsys.readouterr().out
    for told in ("Inferwatch", "KS p < 0.05", "river ADWIN", "Lorden's bound", "alerts in 30 days", "times river"):
        assert told in out
    found = orjson.loads((tmp_path / "figures.json").read_bytes())
    assert {one["method"] for one in found["delays"]} >= {"Inferwatch", "ADWIN", "DDM"}
    assert len(found["alarms"]) == 2
