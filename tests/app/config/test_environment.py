"""INFERWATCH_* variables over the configuration's file."""

from pathlib import Path

import pytest

from app.settings import ConfigurationError, Settings, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "inferwatch.yaml"


def loaded(file: Path, text: str, **environ: str) -> Settings:
    file.write_text(text)
    return load(file, environ)


def mistakes(file: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        loaded(file, text, **environ)
    return str(raised.value)


def test_variables_stand_over_the_file(file: Path) -> None:
    settings = loaded(
        file,
        "broker: file:1\ntopic_prefix: x.\nworker: {port: 1, host: file}",
        INFERWATCH_BROKER="a:9092, b:9093",
        INFERWATCH_DATA_DIR="/data",
        INFERWATCH_TOPIC_PREFIX="",
        INFERWATCH_WORKER__PORT="7000",
        UNRELATED="x",
    )
    assert (settings.broker, settings.data_dir, settings.topic_prefix) == ("a:9092,b:9093", Path("/data"), "")
    assert (settings.worker.port, settings.worker.host) == (7000, "file")


def test_lists_and_mappings_are_yaml(file: Path) -> None:
    settings = loaded(
        file,
        "",
        INFERWATCH_WINDOWS__TUMBLING_S="[30, 60]",
        INFERWATCH_MODELS__CREDIT__RULES="[{metric: f1, below: 0.5}]",
        INFERWATCH_LABELS="{horizon_s: 60}",
    )
    assert settings.windows.tumbling_s == [30, 60]
    assert settings.models["credit"].rules[0].below == 0.5
    assert settings.labels.horizon_ms == 60_000


def test_a_name_that_the_file_has_in_another_case(file: Path) -> None:
    settings = loaded(file, "models: {Credit: {join: off}}", INFERWATCH_MODELS__CREDIT__MAX_SEGMENTS="3")
    assert list(settings.models) == ["Credit"]
    assert (settings.models["Credit"].max_segments, settings.models["Credit"].join) == (3, False)


def test_a_mistake_names_the_variable(file: Path) -> None:
    assert mistakes(file, "worker: {port: 1}", INFERWATCH_WORKER__PORT="x") == (
        "INFERWATCH_WORKER__PORT: worker.port: should be a whole number, got 'x'"
    )
    assert mistakes(file, "", INFERWATCH_BROKR="a:1") == "INFERWATCH_BROKR: brokr: unknown key (did you mean broker?)"
    assert mistakes(file, "", INFERWATCH_WORKER_PORT="7000").startswith(
        "INFERWATCH_WORKER_PORT: worker_port: unknown key"
    )
    assert mistakes(file, "", INFERWATCH_LABELS="{horizon_s: [").startswith("INFERWATCH_LABELS:1:14: is no YAML")


def test_a_mistake_of_the_file_is_not_hidden_by_a_variable(file: Path) -> None:
    assert "1:9: worker: should be a mapping" in mistakes(file, "worker: 5", INFERWATCH_WORKER__PORT="7000")
    assert "should be a mapping" in mistakes(file, "[a]", INFERWATCH_BROKER="a:1")


def test_what_kubernetes_sets_for_a_service_is_no_setting(file: Path) -> None:
    service = {
        "INFERWATCH_PORT": "tcp://10.0.0.1:6066",
        "INFERWATCH_PORT_6066_TCP": "tcp://10.0.0.1:6066",
        "INFERWATCH_PORT_6066_TCP_ADDR": "10.0.0.1",
        "INFERWATCH_SERVICE_HOST": "10.0.0.1",
        "INFERWATCH_DASHBOARD_SERVICE_PORT_HTTP": "8080",
    }
    assert loaded(file, "", **service) == Settings()
