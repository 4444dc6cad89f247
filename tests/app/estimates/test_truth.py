"""Estimates held against labels: when they are trusted, when not, and how truth corrects them."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

from app.decoding.columns import Floats
from app.estimates.cells import ScoreCells, right
from app.estimates.expected import expected
from app.estimates.layout import layout_of
from app.estimates.outcomes import Outcomes
from app.estimates.truth import FEWEST_LEARNED, GENERATION_ROWS, Truth
from tests.app.estimates import made

BINARY = layout_of(("0", "1"))


def windows(count: int, seed: int, *, rows: int = 500, flipped: float = 0.0) -> Iterator[ScoreCells]:
    """Pairs of a model that is calibrated, but for a share of labels that turn out the other way."""
    rng = np.random.default_rng(seed)
    for own in range(count):
        p, predicted, truth = made.binary(rows, 1000 * seed + own)
        truth = np.where(rng.random(rows) < flipped, 1 - truth, truth)
        yield made.cells(p, predicted, truth)[0]


def labelled(rows: int = 4000) -> Outcomes:
    outcomes = Outcomes(BINARY)
    p, predicted, truth = made.binary(rows, 77)
    for fold, cells in enumerate(made.cells(p, predicted, truth, index=np.arange(rows) % 2, groups=2)):
        outcomes.add(cells, fold)
    return outcomes


def estimate(truth: Truth, cells: ScoreCells) -> float:
    return expected(cells, truth.calibrations(BINARY), None)["accuracy"].value


def test_nothing_is_trusted_before_a_label_or_a_labelled_baseline() -> None:
    truth = Truth()
    assert not truth.trusted
    assert truth.error is None
    truth.begin("b", labelled())
    assert truth.trusted


def test_a_model_that_is_calibrated_stays_trusted() -> None:
    truth = Truth()
    for cells in windows(40, 1):
        truth.learn(cells)
        assert truth.trusted
        assert truth.error is not None
        assert abs(truth.error) < 0.08
    assert truth.calibrations(BINARY)[0].method == "none"


def test_small_windows_are_put_together() -> None:
    truth = Truth()
    for cells in windows(9, 1, rows=50):
        truth.learn(cells)
        assert truth.error is None
    truth.learn(next(windows(1, 2, rows=50)))
    assert truth.error is not None


def test_an_estimate_that_was_wrong_is_not_trusted_until_it_is_corrected() -> None:
    """A third of the labels turns out the other way: the probabilities do not know."""
    truth = Truth()
    truth.begin("b", labelled())
    before, *after = windows(12, 3, flipped=1 / 3)
    told = estimate(truth, before)
    truth.learn(before)
    assert truth.error == pytest.approx(right(before) / 500 - told)
    assert truth.wrong
    assert not truth.trusted
    for cells in after:
        truth.learn(cells)
    assert truth.trusted
    assert np.mean([estimate(truth, one) - right(one) / 500 for one in after]) == pytest.approx(0, abs=0.03)


def test_without_a_labelled_baseline_nothing_is_learned_from_few_labels() -> None:
    truth = Truth()
    *few, last = windows(FEWEST_LEARNED // 500, 5, flipped=1 / 3)
    for cells in few:
        truth.learn(cells)
        assert truth.calibrations(BINARY)[0].method == "none"
        assert not truth.trusted
    truth.learn(last)
    assert truth.calibrations(BINARY)[0].method != "none"
    for cells in windows(3, 6, flipped=1 / 3):
        truth.learn(cells)
        assert truth.trusted


def test_outcomes_are_forgotten_by_generations() -> None:
    truth = Truth()
    for cells in windows(GENERATION_ROWS // 5000 * 3 + 1, 6, rows=5000):
        truth.learn(cells)
    assert truth.older is not None
    assert truth.newer is not None
    assert truth.older.rows + truth.newer.rows == GENERATION_ROWS + 5000


def test_another_baseline_begins_anew() -> None:
    truth = Truth()
    truth.begin("a", labelled())
    for cells in windows(3, 7, flipped=0.5):
        truth.learn(cells)
    assert truth.error is not None
    truth.begin("a", labelled())
    assert truth.error is not None
    truth.begin("b", labelled())
    assert (truth.error, truth.wrong, truth.newer) == (None, False, None)


def test_a_stored_state_goes_on_as_it_was() -> None:
    whole, cut = Truth(), Truth()
    whole.begin("b", labelled())
    cut.begin("b", labelled())
    for place, cells in enumerate(windows(20, 8, rows=170, flipped=0.3)):
        whole.learn(cells)
        cut.learn(cells)
        if place % 3 == 0:
            cut = Truth(json.loads(json.dumps(cut.state())))
        assert estimate(cut, cells) == estimate(whole, cells)
    assert cut.state() == whole.state()


def test_outcomes_round_trip_and_refuse_what_is_none() -> None:
    record = json.loads(json.dumps(labelled().record()))
    assert Outcomes.from_record(record).record() == record
    bad: list[Floats] = [[[-1, 0], [0, 0]], [[1, 2], [0, 0]]]  # type: ignore[list-item]
    for counts in bad:
        with pytest.raises(ValueError, match="than was said"):
            Outcomes.from_record({"classes": ["0", "1"], "tables": [{"bins": [3], "counts": counts}]})
    with pytest.raises(ValueError, match="bins must be"):
        Outcomes.from_record({"classes": ["0", "1"], "tables": [{"bins": [999], "counts": [[0, 0], [0, 0]]}]})
