"""The topics of the contract: how each is to be made, and what of it differs on a broker."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.settings import Settings

SECOND_MS = 1000
DAY_MS = 86400 * SECOND_MS
MIB = 1024 * 1024
# A lost join store is rebuilt by reading back the horizon: what is read must not expire on the way.
HORIZON_MARGIN_MS = DAY_MS
# Each of a group's topics is shared out together: a worker has the same partitions of all of them.
EQUAL_PARTITIONS = (("predictions", "labels", "examples"), ("panes", "state"))
# More than the plan is no fault for these: longer kept, larger allowed.
AT_LEAST = ("retention.ms", "retention.bytes", "max.message.bytes")
UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """`logical` is the contract's name, `name` that with the prefix; `config` are Kafka's own topic settings."""

    logical: str
    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic as a broker has it. `config` None: the broker doesn't tell (the embedded one)."""

    partitions: int
    replication: int
    config: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not as planned; `harmless` when it is more than planned."""

    topic: str
    what: str
    harmless: bool = False


def topic_name(settings: Settings, logical: str) -> str:
    """The name on the broker of a topic of the contract."""
    return settings.topic_prefix + logical


def plans(settings: Settings) -> list[TopicPlan]:
    """All topics, in the order of an event's way."""
    source = _deleted(settings.labels.horizon_ms + HORIZON_MARGIN_MS)
    shared = settings.topics.partitions
    table: list[tuple[str, int, dict[str, str]]] = [
        # batches of rows in columns
        ("predictions", shared, source | _messages(4)),
        ("labels", shared, source | _messages(4)),
        ("resources", shared, _deleted(7 * DAY_MS)),
        ("baselines", 1, _compacted() | _messages(16)),
        # a chunk's joined rows in one record
        ("examples", shared, source | _messages(16)),
        # Read within seconds, or as long after as close was down; the size is a stop against a full disk.
        ("panes", shared, _deleted(DAY_MS, keep_bytes=4096 * MIB) | _messages(16) | _segments(128, hours=1)),
        # Read whole when a partition changes hands: compacted soon, to stay short.
        ("state", shared, _compacted() | _messages(16) | _segments(64, hours=1) | {"max.compaction.lag.ms": "3600000"}),
        ("windows", shared, _deleted(30 * DAY_MS) | _messages(4)),
        ("alerts", 1, _deleted(90 * DAY_MS)),
        ("retraining-requests", shared, _deleted(90 * DAY_MS)),
        ("model-versions", 1, _compacted()),
        # a source's largest record, in base64
        ("dead-letters", shared, _deleted(14 * DAY_MS) | _messages(8)),
        # One chain of hashes, and a record of years.
        ("audit", 1, _deleted(UNLIMITED)),
    ]
    return [_plan(settings, logical, partitions, config) for logical, partitions, config in table]


def partition_counts(settings: Settings) -> dict[str, int]:
    """Name: partitions, of all topics: what the embedded broker creates."""
    return {plan.name: plan.partitions for plan in plans(settings)}


def differences(planned: list[TopicPlan], found: Mapping[str, TopicFacts]) -> list[Difference]:
    """All that `found` (by name on the broker) has not as planned."""
    return [difference for plan in planned for difference in _differences(plan, found.get(plan.name))]


def unequal(planned: list[TopicPlan], found: Mapping[str, TopicFacts]) -> list[str]:
    """A line for each group of topics that must have equal partition counts and has not: no worker can run on it."""
    lines = []
    for group in EQUAL_PARTITIONS:
        members = [plan.name for plan in planned if plan.logical in group]
        counts = {name: found[name].partitions for name in members if name in found}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} has {count}" for name, count in counts.items())
            lines.append(f"unequal partition counts: {told}; they must be equal, since one worker joins their records")
    return lines


def _differences(plan: TopicPlan, facts: TopicFacts | None) -> Iterator[Difference]:
    if facts is None:
        yield Difference(plan.name, "missing")
        return
    if facts.partitions != plan.partitions:
        # The embedded broker gives each topic that it is asked for as many as it likes.
        what = f"{count(facts.partitions, 'partition')}, planned {plan.partitions}"
        yield Difference(plan.name, what, harmless=facts.config is None)
    if facts.replication != plan.replication:
        what = f"replication {facts.replication}, planned {plan.replication}"
        yield Difference(plan.name, what, harmless=facts.replication > plan.replication)
    if facts.config is None:
        return
    for key, wanted in plan.config.items():
        actual = facts.config.get(key)
        if actual != wanted:
            harmless = key in AT_LEAST and actual is not None and _amount(actual) > _amount(wanted)
            yield Difference(plan.name, f"{key} is {shown(key, actual)}, planned {shown(key, wanted)}", harmless)


def _plan(settings: Settings, logical: str, partitions: int, config: dict[str, str]) -> TopicPlan:
    replication = settings.topics.replication
    if replication > 2:
        # With fewer than two copies written, acks=all would promise what one disk can break.
        config = config | {"min.insync.replicas": "2"}
    return TopicPlan(logical, topic_name(settings, logical), partitions, replication, config)


def _deleted(retention_ms: int, keep_bytes: int = UNLIMITED) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(retention_ms), "retention.bytes": str(keep_bytes)}


def _compacted() -> dict[str, str]:
    return {"cleanup.policy": "compact"}


def _messages(mib: int) -> dict[str, str]:
    return {"max.message.bytes": str(mib * MIB)}


def _segments(mib: int, hours: int) -> dict[str, str]:
    return {"segment.bytes": str(mib * MIB), "segment.ms": str(hours * 3600 * SECOND_MS)}


def _amount(value: str) -> float:
    return float("inf") if int(value) == UNLIMITED else int(value)


def shown(key: str, value: str | None) -> str:
    """A topic setting's value as people say it: durations in days, sizes in MiB."""
    if value is None:
        return "not set"
    if value == str(UNLIMITED) and key in AT_LEAST:
        return "unlimited"
    if key.endswith(".ms"):
        days = int(value) / DAY_MS
        return count(days, "day") if days >= 1 else f"{int(value) / SECOND_MS:g} s"
    return f"{int(value) / MIB:g} MiB" if key.endswith(".bytes") else value


def count(number: float, noun: str) -> str:
    """`1 partition`, `4 partitions`."""
    return f"{number:g} {noun}{'' if number == 1 else 's'}"
