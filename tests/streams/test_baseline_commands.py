"""`inferwatch baseline` as a user sees it, on the embedded broker."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.drift.baseline import Baseline
from app.settings import Settings
from streams.baselines import Baselines
from streams.cli import run
from streams.reading import read

BEGIN = 1_790_000_000  # 2026-09-21T14:13:20Z


@pytest.fixture
def credit(mock_broker: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file of 300 rows, one a second, which are on the topics as well."""
    monkeypatch.setenv("INFERWATCH_BROKER", mock_broker)
    monkeypatch.chdir(tmp_path)
    lines = ["prediction_id,timestamp,income,region,prediction,probability,label"]
    for i in range(300):
        side = i % 2
        lines.append(f"p{i},{BEGIN + i},{i / 3:.2f},{'ns'[side]},{('no', 'yes')[side]},{0.1 + 0.8 * side},yes")
    file = tmp_path / "credit.csv"
    file.write_text("\n".join(lines))
    assert run(["publish", str(file), "--model", "credit"]) == 0
    return file


def published(broker: str) -> list[Baseline]:
    async def records() -> list[Any]:
        return [orjson.loads(record.value) async for record in read(broker, "baselines")]

    return sorted((Baseline.from_record(one) for one in asyncio.run(records())), key=lambda one: one.created_at)


def test_of_a_file(credit: Path, mock_broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["baseline", "fit", str(credit), "--model", "credit", "--version", "1"]) == 0
    out = capsys.readouterr().out
    assert "300 rows (file), of 2026-09-21T14:13:20.000Z to 2026-09-21T14:18:19.000Z, 2 features:" in out
    assert "which counts from the beginning" in out
    [baseline] = published(mock_broker)
    assert baseline.labels is not None
    assert baseline.scores is not None
    assert baseline.features.keys() == {"income", "region"}


def test_of_a_period(credit: Path, mock_broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    period = ["--from", str(BEGIN + 100), "--to", str(BEGIN + 200)]
    assert run(["baseline", "fit", "--model", "credit", "--version", "1", *period]) == 0
    assert "100 rows (period)" in capsys.readouterr().out
    [baseline] = published(mock_broker)
    assert (baseline.origin, baseline.start, baseline.end) == ("period", (BEGIN + 100) * 1000, (BEGIN + 199) * 1000)


def test_another_one_counts_from_a_window_that_is_still_to_come(credit: Path, mock_broker: str) -> None:
    options = ["--model", "credit", "--version", "1"]
    assert run(["baseline", "fit", str(credit), *options]) == 0
    period = ["--from", str(BEGIN), "--to", str(BEGIN + 50)]
    assert run(["baseline", "fit", *options, *period]) == 0
    assert run(["baseline", "fit", *options, *period, "--effective-from", "always"]) == 0
    always, edge, again = [baseline.effective_from for baseline in published(mock_broker)]
    assert (always, again) == (None, None)
    assert edge is not None
    # The newest event is of 14:18:19: the first edge that is more than lateness and a pane away.
    assert edge == 1_790_000_340_000


def test_an_inherited_one(credit: Path, mock_broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["baseline", "fit", str(credit), "--model", "credit", "--version", "1"]) == 0
    assert run(["baseline", "inherit", "--model", "credit", "--version", "2", "--of", "1"]) == 0
    first, second = published(mock_broker)
    assert (second.version, second.origin, second.effective_from) == ("2", "inherited", None)
    assert second.inherited is not None
    assert second.inherited.baseline_id == first.baseline_id
    assert second.features == first.features
    capsys.readouterr()
    assert run(["baseline", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["credit", "1", first.baseline_id],
        ["credit", "2", second.baseline_id],
    ]
    assert "inherited from 1" in lines[1]
    assert run(["baseline", "show", "--model", "credit", "--version", "2", "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out) == second.to_record()
    assert run(["baseline", "show", "--model", "credit", "--version", "2"]) == 0
    assert "income: 0 to 99.67" in capsys.readouterr().out


def test_workers_hear_all_of_them_in_order(credit: Path, mock_broker: str) -> None:
    options = ["--model", "credit", "--version", "1"]
    assert run(["baseline", "fit", str(credit), *options]) == 0
    assert run(["baseline", "fit", *options, "--from", str(BEGIN), "--to", str(BEGIN + 50)]) == 0

    async def heard() -> list[Baseline]:
        baselines = Baselines(Settings.model_validate({"broker": mock_broker}))
        await baselines.start()
        try:
            return baselines.of("credit")
        finally:
            await baselines.stop()

    assert [one.origin for one in asyncio.run(heard())] == ["file", "period"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["fit", "--model", "credit", "--version", "1"], "from a FILE, or from a period"),
        (["fit", "--model", "credit", "--version", "1", "--from", "2h"], "both --from and --to"),
        (["fit", "--model", "credit", "--version", "1", "--from", "2h", "--to", "3h"], "--from must lie before --to"),
        (["fit", "--model", "credit", "--version", "1", "--from", "soon", "--to", "3h"], "--from: "),
        (
            [
                "fit",
                "--model",
                "credit",
                "--version",
                "1",
                "--from",
                "2000-01-01T00:00:00Z",
                "--to",
                "2001-01-01T00:00:00Z",
            ],
            "credit 1 has no predictions from 2000-01-01T00:00:00.000Z",
        ),
        (["show", "--model", "credit", "--version", "7"], "credit 7 has no baseline"),
        (["inherit", "--model", "credit", "--version", "2", "--of", "1"], "credit 1 has no baseline"),
    ],
)
def test_what_is_wrong_is_told(
    credit: Path, mock_broker: str, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    capsys.readouterr()
    assert run(["baseline", *arguments]) != 0
    assert complaint in capsys.readouterr().err
    assert published(mock_broker) == []
