"""The settings in words."""

import pytest

from app.config.model_settings import TrainerSettings
from app.config.summary import duration, summary
from app.settings import ModelSettings, QualitySettings, RetrainingSettings, Rule, Settings


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.5, "0.5 s"), (90, "90 s"), (300, "5 min"), (5400, "90 min"), (3600, "1 h"), (604800, "7 d")],
)
def test_durations_in_the_largest_whole_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_without_models_every_model_is_found() -> None:
    lines = summary(Settings())
    assert "every model (found from its first event)" in lines
    assert "  retraining  none" in lines
    assert "  windows     tumbling, 1 min" in lines
    assert "              hopping, 1 h every 5 min" in lines


def test_a_configured_model() -> None:
    model = ModelSettings(
        task="classification",
        positive="yes",
        segments=["channel"],
        rules=[
            Rule(metric="accuracy", below=0.85, windows=2, severity="critical"),
            Rule(metric="psi", above=0.3, feature="income", segment={"channel": "web"}, retrain=True, name="moved"),
        ],
        default_rules=False,
        join=False,
        retraining=RetrainingSettings(on=["drift", "data_quality"], schedule="0 3 * * 1", approval="manual"),
        trainer=TrainerSettings(command=["python", "train.py"]),
    )
    lines = summary(Settings(models={"credit": model}))
    start = lines.index("model credit")
    assert lines[start : start + 13] == [
        "model credit",
        "  task        classification, positive class yes",
        "  segments    channel, at most 200",
        "  labels      not joined",
        "  rules       accuracy below 0.85 in 2 windows in a row: critical",
        "              moved: psi of income above 0.3 where channel is web: warning, retrains",
        "  retraining  for incidents of drift, data quality",
        "              by schedule 0 3 * * 1 (UTC)",
        "              from 500 labels up, at most once in 1 d",
        "              a new version waits for approval",
        "  trainer     python train.py, at most 1 h",
        "",
        "every other model (found from its first event)",
    ]


@pytest.mark.parametrize(
    ("model", "line"),
    [
        (ModelSettings(segments=[]), "  segments    none"),
        (ModelSettings(default_rules=False), "  rules       none"),
        (ModelSettings(rules=[Rule(metric="f1", below=0.5, retrain=True)]), "  retraining  for rules that say so"),
        (ModelSettings(trainer=TrainerSettings(entry_point="a:b")), "  trainer     a:b, at most 1 h"),
        (ModelSettings(quality=QualitySettings(ranges={"age": (0, 120)})), "  quality     age from 0 to 120"),
        (ModelSettings(quality=QualitySettings(rules=["end >= start"])), "  quality     end >= start"),
        (ModelSettings(quality=QualitySettings(required=["a", "b"])), "  quality     a, b required"),
        (ModelSettings(quality=QualitySettings(freshness="as_of")), "  quality     data as old as as_of says"),
    ],
)
def test_what_is_left_out(model: ModelSettings, line: str) -> None:
    assert line in summary(Settings(models={"m": model}))
