"""What can be configured, with its defaults: the models of `inferwatch.yaml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from app.config import configuration, environment, yamltext
from app.config.configuration import ConfigurationError
from app.config.mistakes import explain
from app.config.model_settings import (
    BaselineSettings,
    ModelSettings,
    RetrainingSettings,
    Rule,
    Severity,
    Task,
    TrainerSettings,
)
from app.config.sections import Duration, PlainName, Section, milliseconds, mistake
from app.config.window_settings import WindowSettings
from app.quality.settings import QualitySettings

__all__ = [
    "BaselineSettings",
    "ConfigurationError",
    "FalseAlarmSettings",
    "LabelSettings",
    "ModelSettings",
    "QualitySettings",
    "RetrainingSettings",
    "Rule",
    "Settings",
    "Severity",
    "Task",
    "TopicSettings",
    "TrainerSettings",
    "WindowSettings",
    "WorkerSettings",
    "load",
]


class WorkerSettings(Section):
    """One worker process. `instance` tells workers on one machine apart (their stores, their metrics)."""

    port: int = Field(default=6066, ge=0, le=65535)
    host: str = "0.0.0.0"
    block_records: int = Field(default=32_768, ge=1)
    tick_s: Duration = 0.5
    instance: PlainName | None = Field(default=None, min_length=1)
    series_budget: int = Field(default=10000, ge=0)
    session_timeout_s: Duration = 10


class LabelSettings(Section):
    """`horizon_s`: how long a prediction waits for its label.

    `forward_misrouted`: whether records in another partition than their key's are sent on to that one.
    """

    horizon_s: Duration = 604800
    forward_misrouted: bool = False

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


class Settings(Section):
    """The whole file."""

    broker: str = "localhost:9092"
    topic_prefix: PlainName = Field(default="", max_length=200)
    data_dir: Path = Path("inferwatch-data")
    worker: WorkerSettings = WorkerSettings()
    windows: WindowSettings = WindowSettings()
    labels: LabelSettings = LabelSettings()
    false_alarms: FalseAlarmSettings = FalseAlarmSettings()
    topics: TopicSettings = TopicSettings()
    models: dict[str, ModelSettings] = Field(default={})

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
    document = configuration.Document() if file is None else yamltext.read(file)
    environment.overlay(document, environ)
    try:
        return Settings.model_validate(document.tree)
    except ValidationError as error:
        raise ConfigurationError(*explain(error, document, Settings)) from error
