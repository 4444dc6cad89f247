"""`inferwatch topics` and `inferwatch publish` against a real Kafka, as a user runs them."""

import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from streams.cli import run
from tests.streams.test_publish import history, sent

pytestmark = pytest.mark.kafka


@pytest.fixture
def prefix(kafka: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INFERWATCH_BROKER", kafka)
    monkeypatch.setenv("INFERWATCH_TOPIC_PREFIX", f"{tmp_path.name}.")
    return f"{tmp_path.name}."


def test_without_topics_it_says_how_to_make_them(
    prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["publish", str(history(tmp_path / "history.csv", 10)), "--model", "credit"]) == 1
    err = capsys.readouterr().err
    assert f"no topic {prefix}predictions" in err
    assert "inferwatch topics create" in err


def test_a_file_is_read_back_as_it_was_published(
    kafka: str, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["topics", "create"]) == 0
    assert f"{prefix}labels: made: 4 partitions, replication 1, cleanup.policy delete, retention.ms 8 days" in (
        capsys.readouterr().out
    )
    assert run(["topics", "check"]) == 0
    file = history(tmp_path / "history.csv", 30_000)
    assert run(["publish", str(file), "--model", "credit", "--task", "classification"]) == 0
    predictions = {value["prediction_id"]: value for _, _, value in sent(kafka, f"{prefix}predictions")}
    labels = {value["prediction_id"]: value for _, _, value in sent(kafka, f"{prefix}labels")}
    assert set(predictions) == {f"id-{row}" for row in range(30_000)}
    assert set(labels) == {f"id-{row}" for row in range(0, 30_000, 3)}
    assert all(predictions[f"id-{row}"]["features"] == {"income": row * 1.5} for row in range(30_000))
    assert all(label["label"] == str(int(key[3:]) % 2) for key, label in labels.items())


def test_what_someone_else_made_otherwise_is_named(kafka: str, prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    other = NewTopic(f"{prefix}labels", 2, 1, config={"cleanup.policy": "compact"})
    admin.create_topics([other])[f"{prefix}labels"].result()
    assert run(["topics", "create"]) == 1
    capsys.readouterr()
    assert run(["topics", "check"]) == 1
    out, err = capsys.readouterr()
    assert f"{prefix}labels: 2 partitions, planned 4" in out
    assert f"{prefix}labels: cleanup.policy is compact, planned delete" in out
    assert "unequal partition counts" in err


def test_an_interrupted_publication_says_how_far_it_came(prefix: str, tmp_path: Path) -> None:
    assert run(["topics", "create"]) == 0
    file = history(tmp_path / "history.csv", 3000)
    command = [
        str(Path(sys.executable).with_name("inferwatch")),
        "publish",
        str(file),
        "--model",
        "m",
        "--rate",
        "20",
        "--task",
        "classification",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "sending" in process.stderr.readline()
    process.send_signal(2)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "predictions and " in out
    assert "Traceback" not in err
