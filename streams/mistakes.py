"""Which errors are a mistake or a missing service, worth a line of text, and not a fault worth a traceback."""

import sys
from collections.abc import Iterator

# Named, not imported: a command that does not load Kafka's clients can't fail by them, and `--help` stays fast.
KNOWN = (
    ("typer", "TyperException"),
    ("app.configuration", "ConfigurationError"),
    ("app.files.table", "UnreadableFile"),
    ("streams.topicadmin", "BrokerError"),
    ("streams.joins", "StoreLocked"),
    ("aiokafka.errors", "KafkaError"),
    ("confluent_kafka", "KafkaException"),
    ("builtins", "OSError"),
)


def known() -> tuple[type[BaseException], ...]:
    """The classes of `KNOWN` whose modules are loaded."""
    return tuple(_loaded())


def _loaded() -> Iterator[type[BaseException]]:
    for module, name in KNOWN:
        if module in sys.modules:
            yield getattr(sys.modules[module], name)


def lines(error: BaseException) -> list[str]:
    """What to tell about `error`, mostly one line; a configuration has one for each mistake."""
    if isinstance(error, OSError) and error.strerror:
        return [f"{error.filename}: {error.strerror}" if error.filename else error.strerror]
    return str(error).splitlines() or [type(error).__name__]
