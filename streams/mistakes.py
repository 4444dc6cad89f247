"""Which errors are a mistake or a missing service, worth a line of text, and not a fault worth a traceback."""

import re
import sys
from collections.abc import Iterator

CONFIGURATION = ("app.config.configuration", "ConfigurationError")
# Named, not imported: a command that does not load Kafka's clients can't fail by them, and `--help` stays fast.
KNOWN = (
    CONFIGURATION,
    ("typer", "TyperException"),
    ("app.files.table", "UnreadableFile"),
    ("streams.topicadmin", "BrokerError"),
    ("streams.chunks", "LostRecords"),
    ("streams.claims", "NameTaken"),
    ("streams.joins", "StoreLocked"),
    ("aiokafka.errors", "KafkaError"),
    ("confluent_kafka", "KafkaException"),
    ("builtins", "OSError"),
)


# aiokafka: Unable to bootstrap from [('localhost', 9092, <AddressFamily.AF_UNSPEC: 0>)]
UNREACHABLE = re.compile(r"\('([^']+)', (\d+), <AddressFamily")


def known() -> tuple[type[BaseException], ...]:
    """The classes of `KNOWN` whose modules are loaded."""
    return tuple(_loaded(KNOWN))


def _loaded(names: tuple[tuple[str, str], ...]) -> Iterator[type[BaseException]]:
    for module, name in names:
        if module in sys.modules:
            yield getattr(sys.modules[module], name)


def is_known(error: BaseException) -> bool:
    """Whether its message says it all; anything else is a fault of ours, and its traceback is wanted."""
    return isinstance(error, known())


def told(error: BaseException) -> str:
    """``LostRecords: offsets 2 to 4 ...``"""
    name, text = type(error).__name__, str(error)
    why = "; trying again did not help, is the broker there?" if getattr(error, "retriable", False) else ""
    return (text if name in text else f"{name}: {text}") + why


def lines(error: BaseException) -> list[str]:
    """What to tell about `error`. A mistake in the configuration begins with its place, as editors understand it."""
    if isinstance(error, tuple(_loaded((CONFIGURATION,)))):
        return str(error).splitlines()
    return [f"inferwatch: {_one_line(error)}"]


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if addresses := UNREACHABLE.findall(str(error)):
        return f"no Kafka answers at {', '.join(f'{host}:{port}' for host, port in addresses)}"
    return " ".join(str(error).split()) or type(error).__name__
