"""What documents say is so: settings, commands, figures, events, links, and snippets that run as they are."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import jsonschema
import numpy as np
import orjson
import pytest
import typer
import yaml
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticUndefined

from app.config.model_settings import ModelSettings, RetrainingSettings, Rule, TrainerSettings
from app.decoding.chunks import RawChunk
from app.decoding.decode import decode_predictions
from app.decoding.label_rows import decode_labels
from app.events import TOPICS
from app.figure_names import DATA_QUALITY, METRICS
from app.joining.join import Outcome
from app.schemas import topic_schema
from app.settings import Settings, load
from streams.broker import embedded_broker
from streams.cli import app
from streams.metrics import HELP, PREFIX
from streams.reading import read
from streams.topics import partition_counts, plans

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# A row of a table of settings: key, default, meaning.
SETTING = re.compile(r"^\| `([\w.]+)` \| `(.+?)` \|", re.MULTILINE)
REQUIRED = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \| (?:one is )?required \|", re.MULTILINE)
COMMAND = Path(sys.executable).with_name("inferwatch")


def document(name: str) -> str:
    return (ROOT / name).read_text()


def blocks(text: str, language: str) -> list[str]:
    return [content for tag, content in BLOCK.findall(text) if tag == language]


def section(text: str, title: str) -> str:
    """From the heading to the next of the same level."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^\1 |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[2]


def anchors(text: str) -> set[str]:
    """Of headings, as they are made of their words."""
    prose = BLOCK.sub("", text)
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", path.read_text())):
        file, _, anchor = target.partition("#")
        linked = path if not file else path.parent / file
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked.read_text()), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_are_there(path: Path) -> None:
    for name in re.findall(r"`((?:app|streams|tests|bench|deploy|docs)/[\w/.-]*)`", path.read_text()):
        assert (ROOT / name).exists(), name


def defaults(section: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    """Key and default of each setting that has one; of sections within, with a dot between."""
    for name, field in section.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from defaults(annotation, f"{path}{name}.")
        elif field.default is not PydanticUndefined:
            yield path + name, TypeAdapter(annotation).dump_python(field.default, mode="json")


def told(text: str) -> dict[str, Any]:
    return {key: yaml.safe_load(default) for key, default in SETTING.findall(text)}


@pytest.mark.parametrize(
    ("begins", "model", "without"),
    [
        ("| `broker` |", Settings, set()),
        ("| `task` |", ModelSettings, set()),
        ("| `metric` |", Rule, {"above", "below"}),
        ("| `on` |", RetrainingSettings, set()),
        ("| `entry_point`, `command` |", TrainerSettings, {"entry_point", "command"}),
    ],
)
def test_every_setting_is_told_with_its_default(begins: str, model: type[BaseModel], without: set[str]) -> None:
    text = document("docs/operations.md")
    table = text[text.index(begins) :].partition("\n\n")[0]
    expected = {key: value for key, value in defaults(model) if key not in without}
    assert told(table) == expected
    required = {name for names in REQUIRED.findall(table) for name in re.findall(r"`(\w+)`", names)}
    assert required == {name for name in model.model_fields if not model.model_fields[name].default_factory} - {
        key.partition(".")[0] for key in expected
    }


def commands(command: Any, path: str) -> Iterator[str]:
    """Those that --help shows, by what is typed."""
    if not hasattr(command, "commands"):
        yield path
        return
    for name, inner in command.commands.items():
        if not inner.hidden:
            yield from commands(inner, f"{path} {name}")


@pytest.mark.parametrize("command", list(commands(typer.main.get_command(app), "inferwatch")))
def test_every_command_is_told(command: str) -> None:
    assert f"`{command}`" in document("docs/operations.md")


@pytest.mark.parametrize("topic", [plan.logical for plan in plans(Settings())])
def test_every_topic_is_told_with_its_partitions(topic: str) -> None:
    assert f"`{topic}`" in document("docs/events.md")
    assert f"`{topic}`" in section(document("docs/operations.md"), "Topics")


def test_every_metric_is_told() -> None:
    text = section(document("docs/operations.md"), "Metrics")
    assert [name for name in HELP if f"`{name}`" not in text] == []


def test_no_metric_is_told_that_there_is_not() -> None:
    for path in DOCUMENTS:
        for name in re.findall(rf"`?{PREFIX}(\w+)", path.read_text()):
            assert name in HELP, f"{path.name}: {PREFIX}{name}"


@pytest.mark.parametrize("name", [*METRICS, *DATA_QUALITY, "psi"])
def test_every_figure_of_a_window_has_its_formula(name: str) -> None:
    text = document("docs/statistics.md")
    lag = {"label_lag_p95_s": "`_p95_s`", "label_lag_mean_s": "`_mean_s`"}
    assert lag.get(name, f"`{name}`") in text or f".{name}`" in text


@pytest.mark.parametrize("outcome", [outcome.name.lower() for outcome in Outcome])
def test_every_outcome_of_the_join_is_told(outcome: str) -> None:
    assert f"| `{outcome}` |" in section(document("docs/events.md"), "labels")


NOW = 1_795_176_000_000
SAID: dict[str, Any] = {"prediction_id": "1", "model": "m", "version": "1", "timestamp": NOW, "prediction": "yes"}
BATCH: dict[str, Any] = {"prediction_ids": ["1", "2"], "model": "m", "version": "1", "timestamp": NOW}
BAD_PREDICTIONS: dict[str, Any] = {
    "empty": None,
    "not_json": b'{"prediction_id": "1',
    "schema": SAID | {"model": None},
    "missing_id": SAID | {"prediction_id": None},
    "missing_timestamp": SAID | {"timestamp": None},
    "missing_prediction": SAID | {"prediction": None},
    "not_a_number": SAID | {"model": "price"},
    "uneven_batch": BATCH | {"predictions": ["yes"]},
    "timestamp_ahead": SAID | {"timestamp": NOW + 301_000},
    "timestamp_out_of_range": SAID | {"timestamp": -1},
}
BAD_LABELS: dict[str, Any] = {"missing_label": {"prediction_id": "1"}}


def chunk(values: list[Any]) -> RawChunk:
    raw = [value if value is None or isinstance(value, bytes) else orjson.dumps(value) for value in values]
    n = len(raw)
    return RawChunk(np.arange(n), np.full(n, NOW), [None] * n, raw)


def test_every_reason_of_a_dead_letter_is_told() -> None:
    settings = Settings.model_validate({"models": {"price": {"task": "regression"}}})
    refused = decode_predictions(chunk(list(BAD_PREDICTIONS.values())), settings).rejects
    assert {reject.reason: reject.place for reject in refused} == {name: i for i, name in enumerate(BAD_PREDICTIONS)}
    labels = decode_labels(chunk(list(BAD_LABELS.values())), settings.windows.max_ahead_ms).rejects
    assert [reject.reason for reject in labels] == list(BAD_LABELS)
    table = re.findall(r"^\| `(\w+)` \|", section(document("docs/events.md"), "dead-letters"), re.MULTILINE)
    assert set(table) == {*BAD_PREDICTIONS, *BAD_LABELS, "invalid"}


EXAMPLES = [
    (topic, place, block)
    for topic in TOPICS
    for place, block in enumerate(blocks(section(document("docs/events.md"), topic), "json"))
]


@pytest.mark.parametrize(("topic", "place", "block"), EXAMPLES, ids=[f"{t}-{p}" for t, p, _ in EXAMPLES])
def test_examples_of_events_are_such_events(topic: str, place: int, block: str) -> None:
    value = json.loads(block)
    jsonschema.Draft202012Validator(topic_schema(topic)).validate(value)
    assert any(_fits(event, value) for event in TOPICS[topic].events)


def _fits(event: type[BaseModel], value: Any) -> bool:
    try:
        event.model_validate_json(json.dumps(value))
    except ValueError:
        return False
    return True


def test_every_topic_has_an_example() -> None:
    assert {topic for topic, _, _ in EXAMPLES} == set(TOPICS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_configurations_that_are_shown_are_right(path: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(path.read_text(), "yaml")):
        if block.startswith("scrape_configs"):
            continue
        of_a_model = block.startswith("rules")
        file = tmp_path / f"{number}.yaml"
        file.write_text("models:\n  credit:\n" + indent(block, "    ") if of_a_model else block)
        load(file, {})


def test_prometheus_is_told_the_port_that_holds() -> None:
    [shown] = [block for block in blocks(document("README.md"), "yaml") if "scrape_configs" in block]
    [job] = yaml.safe_load(shown)["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"localhost:{Settings().worker.port}"]}]


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with embedded_broker(partition_counts(Settings())) as address:
        yield address


async def test_the_first_event_of_the_readme_is_one(broker: str, tmp_path: Path) -> None:
    first = blocks(document("README.md"), "python")[0].replace("localhost:9092", broker)
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", first], check=True, cwd=tmp_path, timeout=60)
    for topic in ("predictions", "labels"):
        schema = jsonschema.Draft202012Validator(topic_schema(topic))
        values = [orjson.loads(record.value) async for record in read(broker, topic)]
        assert len(values) == 300
        for value in values:
            schema.validate(value)


def test_the_file_of_the_readme_is_published(broker: str, tmp_path: Path) -> None:
    [script] = [block for block in blocks(document("README.md"), "bash") if "inferwatch publish" in block]
    script = script.replace("--rate 500", "--rate 100000")
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    environ = os.environ | {"INFERWATCH_BROKER": broker, "PATH": path}
    ended = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert "3,000 predictions and 3,000 labels of credit" in ended.stdout


def test_python_that_is_shown_can_be_read() -> None:
    for path in DOCUMENTS:
        for block in blocks(path.read_text(), "python"):
            compile(block, path.name, "exec")
