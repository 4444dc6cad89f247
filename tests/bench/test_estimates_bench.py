"""The benchmark of estimates: its own arithmetic on made-up rows, and what it says without a registry."""

from pathlib import Path

import numpy as np
import pytest

from bench.statistics.estimates import chunk, estimated, lines, outcomes, realised, reference, verdicts
from bench.statistics.nannyml_data import DataSet, NoDataError, fetch

MADE = DataSet("made up", ("", "", ""), "said", "true", {"1": "p"}, {"accuracy": 0.02, "f1": 0.0})


def columns(rows: int, seed: int) -> dict[str, list[object]]:
    """A model that is calibrated; numbers as files have them."""
    rng = np.random.default_rng(seed)
    p = rng.random(rows)
    return {
        "id": list(range(rows)),
        "age": rng.integers(18, 80, rows).tolist(),
        "p": p.tolist(),
        "said": (p >= 0.5).astype(int).tolist(),
        "true": (rng.random(rows) < p).astype(int).tolist(),
    }


def test_a_calibrated_model_is_estimated_as_it_turns_out() -> None:
    known, asked = columns(3000, 1), columns(3000, 2)
    baseline = reference(MADE, known)
    assert list(baseline.features) == ["age"]
    own = chunk(MADE, asked)
    told, real = estimated(own, baseline), realised(own, outcomes(MADE, asked["true"]))
    assert set(real) == {"accuracy", "f1", "roc_auc"}
    for name, value in real.items():
        assert told[f"estimated_{name}"] == pytest.approx(value, abs=0.03)


def test_what_is_shown_and_held_against_bounds() -> None:
    found = {"accuracy": (0.01, 0.02, 0.9), "f1": (0.01, 0.02, float("nan"))}
    assert [line[:4] for line in verdicts(MADE, found)] == ["PASS", "MISS"]
    assert "0.01000" in lines(MADE, found)[1]
    assert "within" not in lines(MADE, found)[2]


def test_without_a_registry_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(NoDataError, match="from the package registry, so nothing to measure"):
        fetch(tmp_path)
