"""A baseline has no distribution of the feature that says how old the data is."""

from pathlib import Path

import pytest

from streams.cli import run


def test_the_freshness_feature_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("inferwatch.yaml").write_text("models: {credit: {quality: {freshness: as_of}}}")
    Path("rows.csv").write_text("income,as_of\n1,2026-11-20T12:00:00Z\n2,2026-11-20T12:00:01Z\n")
    assert run(["baseline", "fit", "rows.csv", "--model", "credit", "--version", "1", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "income: 1 to 2" in told
    assert "as_of" not in told
