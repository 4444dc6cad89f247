"""Log lines that people can read: a line each on standard error, and libraries that repeat themselves held back."""

import logging
import sys
import threading

OURS = ("streams", "app")
# Faust's services say that they start and stop, under the names of our modules that extend them.
SERVICES = ("streams.chunks", "streams.fetching", "streams.process", "streams.web")
# ... and of each timer that a busy moment delays.
TIMERS = "mode.timers"
EVERY_S = 30.0
# Some libraries write numbers into their messages: what was seen is forgotten when there is too much of it.
MOST_MESSAGES = 1000


class Repeats(logging.Filter):
    """Lets a library's message through once in `every_s`, with how many of its like were held back before it.

    A broker that is away makes thousands of lines. Our own are all let through.
    """

    def __init__(self, every_s: float = EVERY_S) -> None:
        super().__init__()
        self.every_s = every_s
        self._told: dict[tuple[str, str], float] = {}
        self._held: dict[tuple[str, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if is_ours(record):
            return True
        name = record.name, str(record.msg)
        if record.created - self._told.get(name, -self.every_s) < self.every_s:
            self._held[name] = self._held.get(name, 0) + 1
            return False
        if len(self._told) >= MOST_MESSAGES:
            self._told.clear()
            self._held.clear()
        self._told[name] = record.created
        record.held_back = self._held.pop(name, 0)
        return True


class Lines(logging.Formatter):
    """Time and message; of libraries also who says it, and of warnings and errors that they are."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        who = "" if is_ours(record) else f"{record.name}: "
        grade = "" if record.levelno <= logging.INFO else f"{record.levelname}: "
        held_back = getattr(record, "held_back", 0)
        more = f" (and {held_back} more like it before)" if held_back else ""
        return f"{record.asctime} {grade}{who}{record.message}{more}"


def only_ours() -> None:
    """From now on nothing of libraries: what they say while they are torn down hides why they are."""
    logging.getLogger().setLevel(logging.CRITICAL + 1)
    threading.excepthook = lambda _: None


def is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


def log_lines() -> None:
    """Our own log on standard error; of the libraries only what matters."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Repeats())
    handler.setFormatter(Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("streams").setLevel(logging.INFO)
    for name in SERVICES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(TIMERS).setLevel(logging.ERROR)
