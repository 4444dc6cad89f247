import re
from pathlib import Path

import pytest

from app.events import ModelVersion
from app.training import code
from app.training.answer import Answer, version_record
from app.training.code import code_version

NOW = "2026-11-20T12:00:00.000Z"


@pytest.mark.parametrize(
    ("accepted", "approval", "status", "traffic"),
    [
        (True, "automatic", "champion", 1.0),
        (True, "manual", "candidate", 0.0),
        (False, "automatic", "rejected", 0.0),
        (False, "manual", "rejected", 0.0),
    ],
)
def test_the_status_follows_from_verdict_and_approval(
    accepted: bool, approval: str, status: str, traffic: float
) -> None:
    found = Answer(decision="accuracy 0.9 against 0.8", accepted=accepted)
    record = version_record(found, "credit", "2", "r1", NOW, approval, "inferwatch 0.1.0")
    assert (record["status"], record["traffic"]) == (status, traffic)
    assert record["decision"].endswith("waits for approval") is (status == "candidate")
    assert ModelVersion.model_validate(record).request_id == "r1"


def test_what_a_failed_training_does_not_have_is_empty() -> None:
    record = version_record(Answer(decision="no model: sh ended with 1"), "credit", "2", "r1", NOW, "automatic", "x")
    assert (record["artifact_uri"], record["data_sha256"], record["metrics"]) == (None, None, {})


def test_the_code_is_a_revision_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|inferwatch \S+", code_version(users_own=False))
    monkeypatch.chdir(tmp_path)
    assert re.fullmatch(r"inferwatch \d+\.\d+\.\d+", code_version(users_own=True))
    monkeypatch.setattr(code, "SOURCE", tmp_path)
    assert re.fullmatch(r"inferwatch \d+\.\d+\.\d+", code_version(users_own=False))
