"""What can be configured for one model: its task and segments, rules, retraining, training."""

import re
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from app import cron
from app.config.sections import Duration, Seconds, Section, distinct, meant, milliseconds, mistake
from app.figure_names import DATA_QUALITY, DRIFT, METRICS, is_of_feature, is_of_window
from app.quality.settings import QualitySettings

Task = Literal["classification", "regression"]
Severity = Literal["info", "warning", "critical"]
Trigger = Literal["performance", "drift", "data_quality"]
Approval = Literal["automatic", "manual"]
# Rules that look at one share, and what may watch it instead of the evidence that the budget is for.
SingleRule = Literal["performance", "error_rate", "latency_p99", "label_coverage"]
RiverKind = Literal["adwin", "page_hinkley", "ddm", "hddm_a", "hddm_w"]


class Rule(Section):
    """An alert when `metric` is above or below its bound for `windows` windows in a row.

    `segment`: only that part of the traffic. `feature`: the one whose data quality or drift is meant.
    `retrain`: the alert asks for retraining as well.
    """

    metric: str
    above: float | None = None
    below: float | None = None
    windows: int = Field(default=1, ge=1)
    severity: Severity = "warning"
    segment: dict[str, str] = Field(default={})
    name: str | None = Field(default=None, min_length=1)
    retrain: bool = False
    feature: str | None = None

    @field_validator("metric")
    @classmethod
    def _computed(cls, metric: str) -> str:
        if not is_of_window(metric) and not is_of_feature(metric):
            known = [*METRICS, *DATA_QUALITY, *DRIFT]
            raise mistake(f"no window has a metric {metric!r}{meant(metric, known)}")
        return metric

    @field_validator("segment")
    @classmethod
    def _one_column(cls, segment: dict[str, str]) -> dict[str, str]:
        if len(segment) > 1:
            raise mistake("should name one column: segments are not crossed")
        return segment

    @field_validator("feature")
    @classmethod
    def _of_a_feature(cls, feature: str | None, info: ValidationInfo) -> str | None:
        metric = info.data.get("metric")
        if feature is not None and metric is not None and not is_of_feature(metric):
            raise mistake(f"{metric} is of the whole window, not of a feature")
        return feature

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.above is None) == (self.below is None):
            found = "neither" if self.above is None else "both"
            raise mistake(f"a rule needs exactly one of above and below, got {found}")
        return self


class RetrainingSettings(Section):
    """When a model is retrained. `schedule` is a cron expression in UTC; `approval` says who lets a version serve."""

    on: list[Trigger] = Field(default=["performance"])
    schedule: str | None = None
    min_labels: int = Field(default=500, ge=1)
    cooldown_s: Seconds = 86400
    approval: Approval = "automatic"

    @field_validator("on")
    @classmethod
    def _once_each(cls, triggers: list[Trigger]) -> list[Trigger]:
        return distinct(triggers)

    @field_validator("schedule")
    @classmethod
    def _five_fields(cls, schedule: str | None) -> str | None:
        try:
            if schedule is not None:
                cron.parse(schedule)
        except ValueError as error:
            raise mistake(str(error)) from error
        return schedule

    @property
    def cooldown_ms(self) -> int:
        return milliseconds(self.cooldown_s)


class TrainerSettings(Section):
    """The user's own training: a Python function (`module:function`) or a command (its program and arguments)."""

    entry_point: str | None = None
    command: list[str] | None = Field(default=None, min_length=1)
    timeout_s: Duration = 3600

    @field_validator("entry_point")
    @classmethod
    def _module_and_function(cls, entry_point: str | None) -> str | None:
        if entry_point is not None and not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*", entry_point):
            raise mistake("should look like module:function")
        return entry_point

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.entry_point is None) == (self.command is None):
            found = "neither" if self.command is None else "both"
            raise mistake(f"a trainer needs exactly one of entry_point and command, got {found}")
        return self


class BaselineSettings(Section):
    """Where no baseline is published, one is fitted from the first `first_events` healthy predictions.

    `inherit`: a version without one takes over that of the newest version that has one.

    `sample_rows`: of how many rows a baseline holds the bins of their values, for the classifier of relations.
    """

    first_events: int = Field(default=1000, ge=1)
    inherit: bool = False
    sample_rows: int = Field(default=1000, ge=0, le=10_000)


class ModelSettings(Section):
    """One model; a model that is not configured has all defaults.

    `task` is found out from the events when None. `positive`: the positive class of a binary model (None: the last in
    sorted order). `segments`: names of `segments` entries or of features (None: every `segments` entry of the events).
    `text`: features that are prose, not categories.
    """

    task: Task | None = None
    positive: str | None = None
    segments: list[str] | None = None
    max_segments: int = Field(default=200, ge=0)
    rules: list[Rule] = Field(default=[])
    default_rules: bool = True
    detectors: dict[SingleRule, RiverKind] = Field(default={})
    retraining: RetrainingSettings | None = None
    join: bool = True
    max_features: int = Field(default=1000, ge=1)
    text: list[str] = Field(default=[])
    baseline: BaselineSettings = BaselineSettings()
    quality: QualitySettings = QualitySettings()
    trainer: TrainerSettings | None = None

    @field_validator("rules")
    @classmethod
    def _of_followed_segments(cls, rules: list[Rule], info: ValidationInfo) -> list[Rule]:
        followed = info.data.get("segments")
        for column in (column for rule in rules for column in rule.segment):
            if followed is not None and column not in followed:
                raise mistake(f"a rule is for {column!r}, which is none of segments{meant(column, followed)}")
        return rules

    @field_validator("text")
    @classmethod
    def _no_text_twice(cls, text: list[str]) -> list[str]:
        return distinct(text)

    @field_validator("segments")
    @classmethod
    def _no_segment_twice(cls, segments: list[str] | None) -> list[str] | None:
        return segments if segments is None else distinct(segments)
