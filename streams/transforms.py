"""The user's own function that mends dead letters."""

import re
import sys
import traceback
from importlib import import_module

from app.letters.mending import Content, Transform, TransformError

FORM = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def load(name: str) -> Transform:
    """The function `package.module:function`, whose faults come as TransformError. Raises TransformError."""
    if not FORM.fullmatch(name):
        raise TransformError("should look like package.module:function")
    module, _, function = name.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")  # the current directory, as with `python -m`
    try:
        found = getattr(import_module(module), function)
    except Exception as error:  # whatever the user's module does as it is loaded
        raise TransformError(_told(error)) from error
    if not callable(found):
        raise TransformError(f"{function} is no function")

    def transform(content: Content) -> Content | None:
        try:
            return found(content)  # type: ignore[no-any-return]
        except Exception as error:  # whatever the user's function does
            raise TransformError(_told(error)) from error

    return transform


def _told(error: Exception) -> str:
    """What went wrong and where, in one line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {' '.join(str(error).split())} ({last.filename}:{last.lineno})"
