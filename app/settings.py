"""What can be configured, with its defaults: the models of `inferwatch.yaml`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app import configuration, cron
from app.configuration import ConfigurationError as ConfigurationError
from app.mistakes import explain

Task = Literal["classification", "regression"]
Severity = Literal["info", "warning", "critical"]
Trigger = Literal["performance", "drift", "data_quality"]
Approval = Literal["automatic", "manual"]


def mistake(text: str) -> PydanticCustomError:
    """A mistake in the user's words; braces in `text` are safe."""
    return PydanticCustomError("mistake", "{text}", {"text": text})


def milliseconds(seconds: float) -> int:
    """Seconds of a setting as whole milliseconds."""
    return round(seconds * 1000)


def _whole_milliseconds(seconds: float) -> float:
    if abs(milliseconds(seconds) / 1000 - seconds) > 1e-9:
        raise mistake("should be whole milliseconds")
    return seconds


Seconds = Annotated[float, Field(ge=0, lt=1e10)]
Duration = Annotated[float, Field(gt=0, lt=1e10)]


class Section(BaseModel):
    """A mapping of the file: unknown keys are mistakes, and an empty one (`worker:`) has its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_default(cls, value: Any) -> Any:
        return {} if value is None else value


class WorkerSettings(Section):
    """One worker process. `instance` tells workers on one machine apart (their stores, their metrics)."""

    port: int = Field(default=6066, ge=0, le=65535)
    host: str = "0.0.0.0"
    block_records: int = Field(default=8192, ge=1)
    tick_s: Duration = 0.5
    instance: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]+$")
    series_budget: int = Field(default=10000, ge=0)
    session_timeout_s: Duration = 10


class WindowSettings(Section):
    """How event time is cut. All lengths are whole multiples of `pane_s`; `hopping_s` holds (size, hop)."""

    pane_s: Duration = 10
    allowed_lateness_s: Seconds = 5
    idle_after_s: Duration = 10
    max_ahead_s: Seconds = 300
    tumbling_s: list[Duration] = [60]
    hopping_s: list[tuple[Duration, Duration]] = [(3600, 300)]
    cohort_s: Duration = 86400
    cohort_revision_s: Duration = 60

    @field_validator("pane_s")
    @classmethod
    def _pane_in_milliseconds(cls, pane_s: float) -> float:
        if milliseconds(pane_s) < 1:
            raise mistake("should be at least 0.001")
        return _whole_milliseconds(pane_s)

    @field_validator("tumbling_s")
    @classmethod
    def _panes_fill_tumbling(cls, lengths: list[float], info: Any) -> list[float]:
        for length in lengths:
            _divide(info.data.get("pane_s"), length, "pane_s", "the window")
        return _distinct(lengths)

    @field_validator("hopping_s")
    @classmethod
    def _panes_fill_hops(cls, windows: list[tuple[float, float]], info: Any) -> list[tuple[float, float]]:
        for size, hop in windows:
            _divide(info.data.get("pane_s"), hop, "pane_s", "the hop")
            _divide(hop, size, "the hop", "the window")
        return _distinct(windows)

    @field_validator("cohort_s")
    @classmethod
    def _panes_fill_cohort(cls, cohort_s: float, info: Any) -> float:
        _divide(info.data.get("pane_s"), cohort_s, "pane_s", "the cohort")
        return cohort_s

    @property
    def pane_ms(self) -> int:
        return milliseconds(self.pane_s)

    @property
    def lateness_ms(self) -> int:
        return milliseconds(self.allowed_lateness_s)

    @property
    def idle_after_ms(self) -> int:
        return milliseconds(self.idle_after_s)

    @property
    def max_ahead_ms(self) -> int:
        return milliseconds(self.max_ahead_s)

    @property
    def tumbling_ms(self) -> list[int]:
        return [milliseconds(length) for length in self.tumbling_s]

    @property
    def hopping_ms(self) -> list[tuple[int, int]]:
        return [(milliseconds(size), milliseconds(hop)) for size, hop in self.hopping_s]

    @property
    def cohort_ms(self) -> int:
        return milliseconds(self.cohort_s)

    @property
    def cohort_revision_ms(self) -> int:
        return milliseconds(self.cohort_revision_s)


def _divide(part: float | None, whole: float, part_name: str, whole_name: str) -> None:
    """Refuses a `part` that does not fill `whole` exactly; None was refused before."""
    if part is not None and milliseconds(_whole_milliseconds(whole)) % milliseconds(part):
        raise mistake(f"{part_name} ({part:g}) should divide {whole_name} ({whole:g}) without remainder")


def _distinct(items: list[Any]) -> list[Any]:
    if len(set(items)) < len(items):
        raise mistake("names the same one twice")
    return items


class LabelSettings(Section):
    """`horizon_s`: how long a prediction waits for its label."""

    horizon_s: Duration = 604800

    @property
    def horizon_ms(self) -> int:
        return milliseconds(self.horizon_s)


class FalseAlarmSettings(Section):
    """The budget per model: at most `alerts` false ones in `days` days."""

    alerts: float = Field(default=1, gt=0)
    days: float = Field(default=30, gt=0)


class TopicSettings(Section):
    """How `inferwatch topics create` makes the topics."""

    partitions: int = Field(default=4, ge=1)
    replication: int = Field(default=1, ge=1, le=32767)


class Rule(Section):
    """An alert when `metric` is above or below its bound for `windows` windows in a row.

    `segment`: only that part of the traffic. `feature`: the one whose data quality or drift is meant.
    `retrain`: the alert asks for retraining as well.
    """

    metric: str = Field(min_length=1)
    above: float | None = None
    below: float | None = None
    windows: int = Field(default=1, ge=1)
    severity: Severity = "warning"
    segment: dict[str, str] = {}
    name: str | None = Field(default=None, min_length=1)
    retrain: bool = False
    feature: str | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.above is None) == (self.below is None):
            found = "neither" if self.above is None else "both"
            raise mistake(f"a rule needs exactly one of above and below, got {found}")
        return self


class RetrainingSettings(Section):
    """When a model is retrained. `schedule` is a cron expression in UTC; `approval` says who lets a version serve."""

    on: list[Trigger] = ["performance"]
    schedule: str | None = None
    min_labels: int = Field(default=500, ge=1)
    cooldown_s: Seconds = 86400
    approval: Approval = "automatic"

    @field_validator("on")
    @classmethod
    def _once_each(cls, triggers: list[Trigger]) -> list[Trigger]:
        return _distinct(triggers)

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
    """Where no baseline is published, one is fitted from the first `first_events` healthy predictions."""

    first_events: int = Field(default=1000, ge=1)


class ModelSettings(Section):
    """One model; a model that is not configured has all defaults.

    `task` is found out from the events when None. `positive`: the positive class of a binary model (None: the last in
    sorted order). `segments`: names of `segments` entries or of features (None: every `segments` entry of the events).
    """

    task: Task | None = None
    positive: str | None = None
    segments: list[str] | None = None
    max_segments: int = Field(default=200, ge=0)
    rules: list[Rule] = []
    default_rules: bool = True
    retraining: RetrainingSettings | None = None
    join: bool = True
    max_features: int = Field(default=1000, ge=1)
    baseline: BaselineSettings = BaselineSettings()
    trainer: TrainerSettings | None = None

    @field_validator("segments")
    @classmethod
    def _no_segment_twice(cls, segments: list[str] | None) -> list[str] | None:
        return segments if segments is None else _distinct(segments)


class Settings(Section):
    """The whole file."""

    broker: str = "localhost:9092"
    topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$", max_length=200)
    data_dir: Path = Path("inferwatch-data")
    worker: WorkerSettings = WorkerSettings()
    windows: WindowSettings = WindowSettings()
    labels: LabelSettings = LabelSettings()
    false_alarms: FalseAlarmSettings = FalseAlarmSettings()
    topics: TopicSettings = TopicSettings()
    models: dict[str, ModelSettings] = {}

    @field_validator("broker")
    @classmethod
    def _addresses(cls, broker: str) -> str:
        addresses = [address.strip() for address in broker.split(",")]
        for address in addresses:
            host, _, port = address.rpartition(":")
            if not (host and port.isdecimal() and 0 < int(port) < 65536):
                raise mistake(f"should be host:port, or more of them with commas between, and {address!r} is none")
        return ",".join(addresses)

    @field_validator("models", mode="before")
    @classmethod
    def _empty_is_none_configured(cls, models: Any) -> Any:
        return {} if models is None else models

    def model(self, name: str) -> ModelSettings:
        """The settings of model `name`, defaults when it is not configured."""
        return self.models.get(name) or DEFAULT_MODEL


DEFAULT_MODEL = ModelSettings()


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of the file and the INFERWATCH_* variables over it; with neither, all defaults.

    `path` None: the file that INFERWATCH_CONFIG names, else `inferwatch.yaml` in the current directory if it is there.
    Raises ConfigurationError with a line for each mistake, each with its place.
    """
    file = configuration.locate(path, environ)
    document = configuration.Document() if file is None else configuration.read(file)
    configuration.overlay(document, environ)
    try:
        return Settings.model_validate(document.tree)
    except ValidationError as error:
        raise ConfigurationError(*explain(error, document, Settings)) from error
