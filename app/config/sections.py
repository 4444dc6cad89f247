"""What all sections of the configuration share."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError


def mistake(text: str) -> PydanticCustomError:
    """A mistake in the user's words; braces in `text` are safe."""
    return PydanticCustomError("mistake", "{text}", {"text": text})


def meant(word: str, known: Iterable[str]) -> str:
    """ " (did you mean port?)", or nothing where no known word is close."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def milliseconds(seconds: float) -> int:
    """Seconds of a setting as whole milliseconds."""
    return round(seconds * 1000)


def _whole_milliseconds(seconds: float) -> float:
    if abs(milliseconds(seconds) / 1000 - seconds) > 1e-9:
        raise mistake("should be whole milliseconds")
    return seconds


def _plain(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]*", name):
        raise mistake(f"should have only letters, digits, '.', '_' and '-', got {name!r}")
    return name


Seconds = Annotated[float, Field(ge=0, lt=1e10), AfterValidator(_whole_milliseconds)]
Duration = Annotated[float, Field(gt=0, lt=1e10), AfterValidator(_whole_milliseconds)]
PlainName = Annotated[str, AfterValidator(_plain)]


class Section(BaseModel):
    """A mapping of the file: unknown keys are mistakes, and an empty one (`worker:`) has its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_default(cls, value: Any) -> Any:
        return {} if value is None else value


def distinct(items: list[Any]) -> list[Any]:
    """Refuses a list that names something twice."""
    if len(set(items)) < len(items):
        raise mistake("names the same one twice")
    return items
