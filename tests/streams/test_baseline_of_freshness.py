"""The feature that says how old the data is: neither baselines nor windows have its distribution."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streams.cli import run

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("inferwatch.yaml").write_text("models: {credit: {quality: {freshness: as_of, rules: [income < 300]}}}")
    times = [NOON + timedelta(seconds=number) for number in range(400)]
    rows = [
        f"{number},{at.isoformat()},{(at - timedelta(seconds=90)).isoformat()},1" for number, at in enumerate(times)
    ]
    Path("rows.csv").write_text("\n".join(["income,timestamp,as_of,prediction", *rows]))


def test_a_baseline_leaves_it_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["baseline", "fit", "rows.csv", "--model", "credit", "--version", "1", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "income: 0 to 399" in told
    assert "as_of" not in told


def test_a_replay_tells_the_age_and_nothing_else_of_it() -> None:
    command = ["replay", "rows.csv", "--model", "credit", "--baseline", "rows.csv", "--windows", "windows.jsonl"]
    assert run(command) == 0
    windows = [json.loads(line) for line in Path("windows.jsonl").read_text().splitlines()]
    of_a_minute = [window for window in windows if window["kind"] == "tumbling" and window["predictions"] == 60]
    assert [window["metrics"]["rule_violations"] for window in of_a_minute] == [0, 0, 0, 0, 0, 1]
    for window in of_a_minute:
        assert window["metrics"]["data_age_mean_s"] == 90
        assert window["schema_changes"] == {}
        assert window["data_quality"].keys() == window["drift"].keys() == {"income"}
