"""What can be configured, and what is said about a configuration that is wrong."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import ConfigurationError, ModelSettings, Settings, WindowSettings, load

CONTRACT = """\
broker: localhost:9092            # comma-separated bootstrap servers
topic_prefix: ""
data_dir: inferwatch-data         # join store, registry, audit
worker: {port: 6066}
windows: {pane_s: 10, allowed_lateness_s: 5, idle_after_s: 10, max_ahead_s: 300, tumbling_s: [60],
          hopping_s: [[3600, 300]], cohort_s: 86400}
labels: {horizon_s: 604800}
false_alarms: {alerts: 1, days: 30}
"""
MODEL = """\
models:
  credit:
    task: classification
    segments: [channel, region]
    rules: [{metric: accuracy, below: 0.85, windows: 2, severity: critical}]
    retraining: {on: [performance, drift, data_quality], schedule: "0 3 * * 1", min_labels: 500, cooldown_s: 86400,
                 approval: automatic}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("inferwatch.yaml")


def mistakes(file: Path, text: str, **environ: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        load(file, environ)
    return str(raised.value).splitlines()


def test_without_a_file_all_has_defaults(file: Path) -> None:
    assert load(None, {}) == Settings()


@pytest.mark.parametrize("text", ["", "# nothing\n", "models:\nworker:\n", CONTRACT])
def test_the_contracts_values_are_the_defaults(file: Path, text: str) -> None:
    file.write_text(text)
    assert load(None, {}) == Settings()


def test_the_contracts_model(file: Path) -> None:
    file.write_text(CONTRACT + MODEL)
    credit = load(None, {}).model("credit")
    assert credit.task == "classification"
    assert credit.segments == ["channel", "region"]
    assert [(rule.metric, rule.below, rule.above, rule.windows, rule.severity) for rule in credit.rules] == [
        ("accuracy", 0.85, None, 2, "critical")
    ]
    assert credit.retraining is not None
    assert credit.retraining.on == ["performance", "drift", "data_quality"]
    assert credit.retraining.cooldown_ms == 86_400_000


def test_a_model_that_is_not_configured_has_defaults() -> None:
    assert Settings().model("unheard-of") == ModelSettings()


def test_lengths_in_milliseconds() -> None:
    windows = WindowSettings(pane_s=0.5, tumbling_s=[1, 2.5], hopping_s=[(3, 1.5)], allowed_lateness_s=0.001)
    assert (windows.pane_ms, windows.lateness_ms) == (500, 1)
    assert (windows.tumbling_ms, windows.hopping_ms) == ([1000, 2500], [(3000, 1500)])


def test_the_file_is_the_given_one_else_the_named_one_else_the_usual_one(file: Path) -> None:
    for name, port in (("given", 1), ("named", 2), ("inferwatch", 3)):
        Path(f"{name}.yaml").write_text(f"worker: {{port: {port}}}")
    named = {"INFERWATCH_CONFIG": "named.yaml"}
    assert load(Path("given.yaml"), named).worker.port == 1
    assert load(None, named).worker.port == 2
    assert load(None, {}).worker.port == 3


def test_every_mistake_has_its_line_in_the_order_of_the_text(file: Path) -> None:
    text = """\
brokr: here:9092
worker: {port: 99999, prt: 1}
windows:
  tumbling_s: [60, abc]
models:
  credit:
    task: clasification
    segments: channel
    rules:
      - {metric: accuracy}
      - {metric: f1, above: 1, below: 2}
      - {above: 1, severty: critical, windows: 1.5}
    join: maybe
"""
    assert mistakes(file, text) == [
        "inferwatch.yaml:1:1: brokr: unknown key (did you mean broker?)",
        "inferwatch.yaml:2:16: worker.port: should be less than or equal to 65535, got '99999'",
        "inferwatch.yaml:2:23: worker.prt: unknown key (did you mean port?)",
        "inferwatch.yaml:4:20: windows.tumbling_s[1]: should be a number, got 'abc'",
        "inferwatch.yaml:7:11: models.credit.task: should be 'classification' or 'regression', "
        "got 'clasification' (did you mean classification?)",
        "inferwatch.yaml:8:15: models.credit.segments: should be a list, like [a, b], got 'channel'",
        "inferwatch.yaml:10:9: models.credit.rules[0]: a rule needs exactly one of above and below, got neither",
        "inferwatch.yaml:11:9: models.credit.rules[1]: a rule needs exactly one of above and below, got both",
        "inferwatch.yaml:12:9: models.credit.rules[2].metric: is missing",
        "inferwatch.yaml:12:20: models.credit.rules[2].severty: unknown key (did you mean severity?)",
        "inferwatch.yaml:12:48: models.credit.rules[2].windows: should be a whole number, got '1.5'",
        "inferwatch.yaml:13:11: models.credit.join: should be true or false, got 'maybe'",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[a]", "1:1: the document: should be a mapping of keys to values"),
        ("hello", "1:1: the document: should be a mapping of keys to values, got 'hello'"),
        ("worker: 5", "1:9: worker: should be a mapping of keys to values, got '5'"),
        ("models: [a]", "1:9: models: should be a mapping of keys to values"),
        ("data_dir: null", "1:11: data_dir: should be a path, got nothing"),
        (
            "broker: nowhere",
            "1:9: broker: should be host:port, or more of them with commas between, and 'nowhere' is none",
        ),
        ("topic_prefix: a b", "1:15: topic_prefix: should have only letters, digits, '.', '_' and '-', got 'a b'"),
        ("worker: {tick_s: .inf}", "1:18: worker.tick_s: should be a number, got '.inf'"),
        ("worker: {tick_s: nan}", "1:18: worker.tick_s: should be a finite number, got 'nan'"),
        ("worker: {instance: ''}", "1:20: worker.instance: should not be empty, got ''"),
        (
            "models: {a: {trainer: {entry_point: x}}}",
            "1:37: models.a.trainer.entry_point: should look like module:function",
        ),
        (
            "models: {a: {trainer: {command: []}}}",
            "1:33: models.a.trainer.command: should not be empty",
        ),
        (
            "models: {a: {trainer: {}}}",
            "1:23: models.a.trainer: a trainer needs exactly one of entry_point and command, got neither",
        ),
        (
            "models: {a: {retraining: {on: [drift, drift]}}}",
            "1:31: models.a.retraining.on: names the same one twice",
        ),
        (
            "models: {a: {retraining: {schedule: '0 3 * *'}}}",
            "1:37: models.a.retraining.schedule: a schedule has five fields "
            "(minute, hour, day of month, month, day of week), got 4",
        ),
        (
            "models: {a: {rules: [{metric: acuracy, below: 1}]}}",
            "1:31: models.a.rules[0].metric: no window has a metric 'acuracy' (did you mean accuracy?)",
        ),
        (
            "models: {a: {rules: [{metric: f1, below: 1, feature: x}]}}",
            "1:54: models.a.rules[0].feature: f1 is of the whole window, not of a feature",
        ),
        (
            "models: {a: {rules: [{metric: f1, below: 1, segment: {a: b, c: d}}]}}",
            "1:54: models.a.rules[0].segment: should name one column: segments are not crossed",
        ),
        (
            "models: {a: {segments: [region], rules: [{metric: f1, below: 1, segment: {regoin: a}}]}}",
            "1:41: models.a.rules: a rule is for 'regoin', which is none of segments (did you mean region?)",
        ),
        ("models: {a: {segments: [x, null]}}", "1:28: models.a.segments[1]: should be text, got nothing"),
        (
            f"models: {{a: {{max_segments: {'x' * 999}}}}}",
            f"1:28: models.a.max_segments: should be a whole number, got '{'x' * 56}...",
        ),
    ],
)
def test_a_wrong_value(file: Path, text: str, line: str) -> None:
    assert mistakes(file, text) == [f"inferwatch.yaml:{line}"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{pane_s: 7}", "windows.tumbling_s: pane_s (7) should divide the window (60) without remainder"),
        ("{pane_s: 0}", "windows.pane_s: should be greater than 0, got '0'"),
        ("{pane_s: 0.0001}", "windows.pane_s: should be whole milliseconds"),
        ("{tumbling_s: [65]}", "windows.tumbling_s: pane_s (10) should divide the window (65) without remainder"),
        ("{tumbling_s: [60, 60]}", "windows.tumbling_s: names the same one twice"),
        ("{hopping_s: [[60, 15]]}", "windows.hopping_s: pane_s (10) should divide the hop (15) without remainder"),
        ("{hopping_s: [[70, 20]]}", "windows.hopping_s: the hop (20) should divide the window (70) without remainder"),
        ("{hopping_s: [[60]]}", "windows.hopping_s[0][1]: is missing"),
        ("{hopping_s: [[60, 10, 5]]}", "windows.hopping_s[0]: has too many values"),
        ("{cohort_s: 86405}", "windows.cohort_s: pane_s (10) should divide the cohort (86405) without remainder"),
    ],
)
def test_panes_fill_every_window(file: Path, text: str, line: str) -> None:
    assert mistakes(file, f"windows: {text}")[0].split(": ", 1)[1] == line


def test_a_default_that_no_longer_fits_is_told_too(file: Path) -> None:
    assert [line.split(": ")[1] for line in mistakes(file, "windows: {pane_s: 7}")] == [
        "windows.tumbling_s",
        "windows.hopping_s",
        "windows.cohort_s",
    ]


def test_settings_made_in_code_are_checked_the_same() -> None:
    with pytest.raises(ValidationError, match="pane_s"):
        WindowSettings(pane_s=7)
