"""The types that events share."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from app.timestamps import milliseconds

LARGEST_WEIGHT = 1e12


class Event(BaseModel):
    """A record on the wire: types are as in JSON, nothing is converted, and unknown keys are left alone."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


Value = TypeVar("Value", str, str | float)


def _moment(value: Value) -> Value:
    milliseconds(value)
    return value


EventTime = Annotated[
    str | float,
    AfterValidator(_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "number", "minimum": 0}]}),
    Field(description="RFC 3339 with an offset, or epoch seconds, or epoch milliseconds (numbers from 1e11 up)."),
]
Rfc3339 = Annotated[str, AfterValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]

PredictionId = Annotated[str, Field(min_length=1, max_length=512, description="Unique within the model's horizon.")]
ModelName = Annotated[str, Field(min_length=1, max_length=200, description="The model's name.")]
VersionName = Annotated[str, Field(min_length=1, max_length=200, description="The model's version, as text.")]
Outcome = Annotated[
    str | bool | float,
    Field(
        description="A class (string, boolean, or number where the model's `task` says so) or a regression's number."
    ),
]
Feature = Annotated[
    str | bool | float | list[float] | None,
    Field(description="A number, a category or text, a boolean, an embedding (list of numbers), or null: missing."),
]
SegmentValue = Annotated[str | bool | float | None, Field(description="One value of a column of the traffic.")]
Failure = Annotated[str | bool | None, Field(description="What went wrong; null or false: nothing did.")]
Weight = Annotated[float, Field(gt=0, le=LARGEST_WEIGHT, description="1 / sampling fraction.")]
Probability = Annotated[float, Field(ge=0, le=1)]
Latency = Annotated[float, Field(ge=0, description="How long the answer took, in milliseconds.")]
Segment = Annotated[
    dict[str, str],
    Field(description="The part of the traffic that this is about; empty: all of it.", examples=[{"channel": "web"}]),
]
Id = Annotated[str, Field(min_length=1, description="The same on every replay: a hash of what it is about.")]


def any_of(*names: str) -> dict[str, Any]:
    """JSON Schema's words for: at least one of these is there and not null."""
    return {"anyOf": [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names]}


def require_any_of(event: BaseModel, *names: str) -> None:
    """Raises ValueError when none of these is there."""
    if all(getattr(event, name) is None for name in names):
        raise ValueError(f"one of {', '.join(names)} is required")
