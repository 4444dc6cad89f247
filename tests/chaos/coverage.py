"""Which lines of the code an input reaches: inputs that reach new ones are worth changing further."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

APP = str(Path(__file__).parents[2] / "app")
Line = tuple[str, int]


class Coverage:
    """The lines of `app/` that were reached so far."""

    def __init__(self) -> None:
        self.lines: set[Line] = set()

    def new(self, work: Callable[[], object]) -> bool:
        """Does `work`; whether it reached a line for the first time."""
        before = len(self.lines)
        earlier = sys.gettrace()
        sys.settrace(self._call)
        try:
            work()
        finally:
            sys.settrace(earlier)
        return len(self.lines) > before

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(APP) else None

    def _line(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            self.lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line
