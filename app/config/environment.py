"""The INFERWATCH_* variables, which go over the configuration's file; their text means what it means there."""

import re
from collections.abc import Mapping
from typing import Any

from app.config.configuration import CONFIG_VARIABLE, Document, Keys, Place
from app.config.yamltext import parse

PREFIX = "INFERWATCH_"
# Kubernetes sets such variables in every container for a Service whose name begins with "inferwatch".
SERVICE_NAME = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://.*")


def overlay(document: Document, environ: Mapping[str, str]) -> None:
    """Puts the INFERWATCH_* variables over the document; `__` goes one level down, and [..] and {..} are YAML."""
    if document.tree is None:
        document.tree = {}
    for name in names(environ):
        if not isinstance(document.tree, dict):
            return
        text = environ[name]
        part = parse(text, name) if text[:1] in ("[", "{") else Document(name, text)
        _put(document, name, name.removeprefix(PREFIX).split("__"), part.tree)


def names(environ: Mapping[str, str]) -> list[str]:
    """The variables that are settings."""
    own = sorted(name for name in environ if name.startswith(PREFIX) and name != CONFIG_VARIABLE)
    return [name for name in own if not _is_service(name.removeprefix(PREFIX), environ[name])]


def _is_service(name: str, text: str) -> bool:
    return "__" not in name and bool(SERVICE_NAME.fullmatch(name) or SERVICE_ADDRESS.fullmatch(text))


def _put(document: Document, name: str, parts: list[str], value: Any) -> None:
    """Sets one value; a name that the file has in another case is that one (`MODELS__CREDIT` is `models: Credit`)."""
    tree = document.tree
    path: Keys = ()
    for part in parts[:-1]:
        path = (*path, _key(tree, part))
        if tree.get(path[-1]) is None:
            tree[path[-1]] = {}
        tree = tree[path[-1]]
        if not isinstance(tree, dict):
            return  # a mistake of the file, which will be told
    path = (*path, _key(tree, parts[-1]))
    tree[path[-1]] = value
    _forget(document, path)
    document.keys[path] = document.values[path] = Place(name)


def _key(tree: dict[str, Any], part: str) -> str:
    return next((known for known in tree if known.lower() == part.lower()), part.lower())


def _forget(document: Document, path: Keys) -> None:
    for places in (document.keys, document.values):
        for old in [old for old in places if old[: len(path)] == path]:
            del places[old]
