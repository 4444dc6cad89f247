"""What the machines of a model use, on `resources`."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from app.events.fields import Event, EventTime, ModelName, VersionName, any_of, require_any_of

FIGURES = ("cpu_percent", "memory_bytes", "gpu_percent", "gpu_memory_bytes")
READING: dict[str, Any] = {
    "model": "credit",
    "version": "3",
    "instance": "serving-1",
    "timestamp": "2026-11-20T12:00:00Z",
    "cpu_percent": 42.5,
    "memory_bytes": 734003200,
}
Percent = Annotated[float, Field(ge=0, description="100 is one core or one device busy all the time.")]
Bytes = Annotated[float, Field(ge=0)]


class Resource(Event):
    """One reading of an instance, at least one of the four figures."""

    model_config = ConfigDict(json_schema_extra=any_of(*FIGURES) | {"examples": [READING]})

    model: ModelName
    version: VersionName
    instance: str = Field(min_length=1, max_length=200, description="The process or machine that was read.")
    timestamp: EventTime
    cpu_percent: Percent | None = None
    memory_bytes: Bytes | None = None
    gpu_percent: Percent | None = None
    gpu_memory_bytes: Bytes | None = None

    @model_validator(mode="after")
    def _some_figure(self) -> Self:
        require_any_of(self, *FIGURES)
        return self
