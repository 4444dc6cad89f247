"""`inferwatch replay`, as a user runs it."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from app.messages import Message
from app.replay.history import History
from streams.cli import run
from tests.app.replay.made import classified, write

CONFIG = "windows: {pane_s: 30, tumbling_s: [60], hopping_s: []}\n"
ROWS = 4000


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "inferwatch.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def file(config: Path) -> Path:
    return write(config.with_name("rows.parquet"), classified(ROWS))


def going_wrong(path: Path) -> Path:
    """From the middle on labels are drawn by lot."""
    columns = classified(3 * ROWS)
    random = np.random.default_rng(2)
    lot = np.where(random.random(3 * ROWS) < 0.5, "yes", "no")
    columns["label"] = np.where(np.arange(3 * ROWS) > 1.5 * ROWS, lot, np.array(columns["label"]))
    return write(path, columns)


def records(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_a_quiet_history_has_no_incidents(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(file), "--model", "credit", "--segments", "channel"]) == 0
    out, err = capsys.readouterr()
    assert f"Replayed {ROWS:,} predictions and 3," in out
    assert "No incidents: nothing in this file would have raised an alert." in out
    assert err == ""


def test_incidents_are_shown_and_written(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, windows, alerts = (config.with_name(name) for name in ("rows.parquet", "windows.jsonl", "alerts.jsonl"))
    going_wrong(file)
    # A bound of one's own: what detectors learn in so few windows is not what is asked here.
    config.write_text(CONFIG + "models: {credit: {rules: [{metric: accuracy, below: 0.65, name: too_low}]}}\n")
    outputs = ["--windows", str(windows), "--alerts", str(alerts)]
    assert run(["replay", str(file), "--model", "credit", "--tune", *outputs]) == 0
    out = capsys.readouterr().out
    assert "too_low" in out
    assert "open at the end" in out
    assert "0.1 in 30 days" in out
    assert "1 in 30 days is what is configured" in out
    written = records(alerts)
    assert {"firing"} <= {alert["state"] for alert in written}
    assert {alert["model"] for alert in written} == {"credit"}
    tumbling = [window for window in records(windows) if window["kind"] == "tumbling"]
    assert sum(window["predictions"] for window in tumbling) == 3 * ROWS


def test_however_rows_are_kept_they_say_the_same(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pq.read_table(file)
    mixed, text = file.with_name("mixed.parquet"), file.with_name("rows.csv")
    pq.write_table(table.take(np.random.default_rng(1).permutation(ROWS)), mixed)
    pyarrow.csv.write_csv(table, text)
    said = []
    for path in (file, mixed, text):
        windows = path.with_suffix(".jsonl")
        assert run(["replay", str(path), "--model", "credit", "--windows", str(windows)]) == 0
        said.append({one["window_id"]: (one["predictions"], one["labels"]) for one in records(windows)})
    assert said[0] == said[1] == said[2]
    assert "mixed.parquet: the rows are not in the order of their time" in capsys.readouterr().err


def test_of_one_id_the_first_prediction_counts(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = classified(ROWS)
    columns["prediction_id"] = [f"id-{row // 2}" for row in range(ROWS)]
    file = write(config.with_name("rows.parquet"), columns)
    assert run(["replay", str(file), "--model", "credit"]) == 0
    out, err = capsys.readouterr()
    assert f"{ROWS // 2:,} predictions repeat an id: the first of each counts." in out
    assert "a prediction_id is in several rows" in err


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv"])
def test_a_mistake_is_told_and_the_rest_counts(name: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = classified(ROWS)
    columns["latency_ms"][7] = -1
    file = write(config.with_name("rows.parquet"), columns)
    if name == "rows.csv":
        pyarrow.csv.write_csv(pq.read_table(file), file := config.with_name(name))
    assert run(["replay", str(file), "--model", "credit"]) == 1
    out, err = capsys.readouterr()
    assert f"{file}:{8 if name == 'rows.parquet' else 9}: latency_ms: -1" in err
    assert f"1 of {ROWS:,} rows were left out" in err
    assert f"Replayed {ROWS - 1:,} predictions" in out


def test_labels_alone_are_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = config.with_name("labels.csv")
    file.write_text("prediction_id,label\n1,yes\n")
    assert run(["replay", str(file), "--model", "credit"]) == 1
    assert "labels alone can't be replayed" in capsys.readouterr().err


@pytest.mark.parametrize(("windows", "alerts"), [("rows.parquet", "a.jsonl"), ("a.jsonl", "a.jsonl")])
def test_nothing_is_written_over(windows: str, alerts: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = file.read_bytes()
    assert run(["replay", str(file), "--model", "credit", "--windows", windows, "--alerts", alerts]) == 2
    assert "is read or written already" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_baseline_is_fitted_from_rows_or_read(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from app.drift.fitting import fit
    from app.files import open_table
    from app.files.reference_rows import read_reference

    def baselines_of(option: Path) -> set[str | None]:
        windows = file.with_name("windows.jsonl")
        arguments = ["--baseline", str(option), "--windows", str(windows), "--segments", "channel"]
        assert run(["replay", str(file), "--model", "credit", *arguments]) == 0
        return {window.get("baseline_id") for window in records(windows) if window["predictions"]}

    reference = write(file.with_name("reference.parquet"), classified(ROWS, seed=8))
    (of_rows,) = baselines_of(reference)
    rows = read_reference(open_table(reference), None, ["channel"], lambda rows: None)
    fitted = fit("credit", "1", rows.data, created_at=0, origin="file")
    assert of_rows == fitted.baseline_id
    record = file.with_name("baseline.json")
    record.write_bytes(orjson.dumps(fitted.to_record(), option=orjson.OPT_SERIALIZE_NUMPY))
    assert baselines_of(record) == {of_rows}
    record.write_bytes(orjson.dumps(fitted.to_record() | {"size": 3}, option=orjson.OPT_SERIALIZE_NUMPY))
    assert run(["replay", str(file), "--model", "credit", "--baseline", str(record)]) == 1
    assert "baseline.json: no baseline" in capsys.readouterr().err


def test_what_is_interrupted_leaves_whole_lines(config: Path) -> None:
    file, windows = write(config.with_name("rows.parquet"), classified(60_000)), config.with_name("windows.jsonl")
    command = [str(Path(sys.executable).with_name("inferwatch")), "replay", str(file), "--model", "credit"]
    process = subprocess.Popen(
        [*command, "--windows", str(windows)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not (windows.exists() and windows.stat().st_size):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert "predictions and " in out
    assert windows.read_bytes().endswith(b"}\n")
    assert f"{len(records(windows)):,} windows" in out


def test_what_is_told_of_when_interrupted_is_written(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    windows, take = file.with_name("windows.jsonl"), History.take

    def interrupted(history: History, messages: Sequence[Message]) -> None:
        take(history, messages)
        if history.windows == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(History, "take", interrupted)
    assert run(["replay", str(file), "--model", "credit", "--windows", str(windows)]) == 130
    assert len(records(windows)) == 3
    assert "3 windows" in capsys.readouterr().out
