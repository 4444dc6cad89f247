"""The command `inferwatch`, run as users run it: what it prints, where, and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from streams.cli import app, config_first, run
from tests.kafka.harness import free_port

COMMAND = [str(Path(sys.executable).with_name("inferwatch"))]
NAMES = [info.name or info.callback.__name__ for info in app.registered_commands if info.callback and not info.hidden]


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("INFERWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "120")


def inferwatch(*arguments: str) -> tuple[int, str, str]:
    ended = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stdout, ended.stderr


def test_without_a_command_it_shows_what_there_is() -> None:
    code, out, err = inferwatch()
    assert (code, err) == (0, "")
    assert all(re.search(rf"│ {name} ", out) for name in NAMES)


def test_version() -> None:
    code, out, err = inferwatch("--version")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"inferwatch \d+\.\d+\.\d+\n", out)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"inferwatch {name}" in capsys.readouterr().out


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, streams.cli; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pydantic", "faust", "aiokafka", "confluent_kafka", "mlflow", "sklearn"} & set(loaded)


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["trianer"], 2, "inferwatch: No such command 'trianer'. Did you mean 'trainer'?"),
        (["check", "--foo"], 2, "inferwatch: No such option: --foo"),
        (["check", "--config"], 2, "inferwatch: Option '--config' requires an argument."),
        (["check", "--config", "none.yaml"], 1, "none.yaml: can't be read: No such file or directory"),
        (["--config=none.yaml", "check"], 1, "none.yaml: can't be read: No such file or directory"),
        (
            ["schema", "labels", "--asyncapi"],
            2,
            "inferwatch: --asyncapi describes all topics, so it goes without TOPIC",
        ),
        (["schema", "lable"], 2, "inferwatch: no topic 'lable' (did you mean labels?); there are predictions, labels,"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], code: int, line: str) -> None:
    ended, out, err = inferwatch(*arguments)
    assert (ended, out, err.count("\n")) == (code, "", 1)
    assert err.startswith(line)


@pytest.mark.parametrize("command", [["topics", "check"], ["worker"]])
def test_a_broker_that_is_not_there_is_one_line(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # a port that is taken, and on which nobody listens
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setenv("INFERWATCH_BROKER", address)
        # The usual one may be that of a worker on this machine.
        monkeypatch.setenv("INFERWATCH_WORKER__PORT", str(free_port()))
        code, _, err = inferwatch(*command)
    assert code == 1
    assert err.startswith(f"inferwatch: no Kafka answers at {address}")
    assert err.count("\n") == 1


def test_a_reader_that_goes_away_is_no_fault() -> None:
    with subprocess.Popen([*COMMAND, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_an_interrupt_ends_it_with_130(tmp_path: Path) -> None:
    pipe = tmp_path / "inferwatch.yaml"
    os.mkfifo(pipe)
    process = subprocess.Popen([*COMMAND, "check"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with pipe.open("w"):  # waits until the command has opened it, which then waits for what is never written
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_the_configuration_may_stand_anywhere() -> None:
    assert config_first(["check", "--config", "a"]) == ["--config", "a", "check"]
    assert config_first(["publish", "--config=a", "f", "--model", "m"]) == [
        "--config=a",
        "publish",
        "f",
        "--model",
        "m",
    ]
    assert config_first(["publish", "--", "--config", "a"]) == ["publish", "--", "--config", "a"]
    assert config_first(["check", "--config"]) == ["--config"]


def test_check_without_a_configuration() -> None:
    code, out, err = inferwatch("check")
    assert (code, err) == (0, "")
    assert out.startswith("No configuration: the defaults hold.\n\nservice\n  broker      localhost:9092\n")


def test_check_of_a_good_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inferwatch.yaml").write_text("models: {credit: {segments: [channel]}}")
    monkeypatch.setenv("INFERWATCH_WORKER__PORT", "7000")
    code, out, err = inferwatch("check")
    assert (code, err) == (0, "")
    assert out.startswith("inferwatch.yaml, INFERWATCH_WORKER__PORT: all right.\n")
    assert "0.0.0.0:7000" in out
    assert "model credit\n" in out


def test_check_of_a_bad_configuration(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("brokr: x\nworker: {port: high}\n")
    code, out, err = inferwatch("check", "--config", "my.yaml")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "my.yaml:1:1: brokr: unknown key (did you mean broker?)",
        "my.yaml:2:16: worker.port: should be a whole number, got 'high'",
    ]


def test_schemas_are_json() -> None:
    code, out, _ = inferwatch("schema")
    assert code == 0
    assert {"predictions", "labels", "windows", "alerts"} <= json.loads(out).keys()
    assert json.loads(inferwatch("schema", "labels")[1])["title"] == "labels"
    assert json.loads(inferwatch("schema", "--asyncapi")[1])["asyncapi"] == "3.0.0"
