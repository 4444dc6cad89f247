"""Validation errors as lines that say where, what and perhaps what was meant."""

from collections.abc import Mapping
from operator import itemgetter
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.config.configuration import Document, Keys, Place, dotted
from app.config.sections import meant

WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "model_type": "should be a mapping of keys to values",
    "dict_type": "should be a mapping of keys to values",
    "list_type": "should be a list, like [a, b]",
    "tuple_type": "should be a list, like [a, b]",
    "string_type": "should be text",
    "path_type": "should be a path",
    "too_long": "has too many values",
    "too_short": "should not be empty",
    "string_too_short": "should not be empty",
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
    "int_parsing": "should be a whole number",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_parsing": "should be a number",
    "float_type": "should be a number",
    "finite_number": "should be a finite number",
}


def explain(error: ValidationError, document: Document, root: type[BaseModel]) -> list[str]:
    """One line for each error, in the order of the text."""
    found = [_mistake(details, document, root) for details in error.errors(include_url=False)]
    return [f"{place}: {text}" for place, text in sorted(found, key=itemgetter(0))]


def _mistake(details: ErrorDetails, document: Document, root: type[BaseModel]) -> tuple[Place, str]:
    path = tuple(details["loc"])
    if details["type"] == "extra_forbidden":
        hint = meant(str(path[-1]), _fields(root, path[:-1]))
        return document.place(path, of_key=True), f"{dotted(path)}: unknown key{hint}"
    return document.place(path), f"{dotted(path)}: {_text(details)}"


def _text(details: ErrorDetails) -> str:
    kind, given = details["type"], details["input"]
    if kind == "mistake":
        return details["msg"]
    words = WORDS.get(kind) or details["msg"].replace("Input should", "should").replace("String should", "should")
    if kind == "missing" or isinstance(given, dict | list | BaseModel):
        return words
    shown = "nothing" if given is None else _short(repr(given))
    hint = meant(str(given), _literals(details)) if kind == "literal_error" else ""
    return f"{words}, got {shown}{hint}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _literals(details: ErrorDetails) -> list[str]:
    """The values that a literal allows, as pydantic quotes them."""
    return str(details["ctx"]["expected"]).split("'")[1::2]


def _fields(root: type[BaseModel], path: Keys) -> list[str]:
    """The keys that the mapping at `path` may have."""
    kind: Any = root
    for part in path:
        kind = _inner(kind, part)
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _inner(kind: Any, part: str | int) -> Any:
    """The type of what `part` names within `kind`."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        kind = kind.model_fields[str(part)].annotation
    elif get_args(kind):
        kind = get_args(kind)[-1]
    if get_origin(kind) in (Union, UnionType):
        kind = next(option for option in get_args(kind) if option is not NoneType)
    return kind
