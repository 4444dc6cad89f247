"""Dead letters as they are read back: which are wanted, which were replayed, and what there is by reason.

A worker that repeats a block after a crash writes its letters again, so a letter is known by the place of the record
that it is about. A replay notes what it does beside the letters, as letters of two reasons of their own:
`replaying` before a record is sent (`detail` names the place from which on it will be found), `replayed` once it is
acknowledged (`detail` names its place).
"""

import base64
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from app.events import DeadLetter
from app.timestamps import milliseconds

REPLAYING, REPLAYED = "replaying", "replayed"
# As ingest says it of a record of which it kept the beginning.
CUT = re.compile(r"\(the first \d+ of \d+ bytes\)$")


class Place(NamedTuple):
    """Of a record: the topic as in the contract, partition, offset."""

    topic: str
    partition: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` gave. Raises ValueError."""
        topic, partition, offset = text.rsplit("/", 2)
        return cls(topic, int(partition), int(offset))

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A record of `dead-letters`, which lies at `partition` and `offset` there. `value`: the bytes that it is about."""

    partition: int
    offset: int
    at_ms: int
    event: DeadLetter
    value: bytes

    @property
    def name(self) -> str:
        return f"{self.partition}/{self.offset}"

    @property
    def about(self) -> Place:
        """Where the record is that could not be used."""
        return Place(self.event.topic, self.event.partition, self.event.offset)

    @property
    def is_cut(self) -> bool:
        return CUT.search(self.event.detail) is not None


def read_letter(partition: int, offset: int, kafka_ms: int, value: bytes | None) -> Letter | None:
    """The letter in a record of `dead-letters`; None when it is none. Its time is that of the record it is about."""
    try:
        event = DeadLetter.model_validate_json(value or b"")
        content = base64.b64decode(event.value_base64, validate=True)
    except ValueError:
        return None
    at_ms = kafka_ms if event.timestamp is None else milliseconds(event.timestamp)
    return Letter(partition, offset, at_ms, event, content)


def note(letter: Letter, reason: str, place: Place) -> dict[str, Any]:
    """The value of a note on what a replay does with the letter."""
    event = {"reason": reason, "detail": str(place), "value_base64": ""}
    return letter.event.model_dump(mode="json") | event


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant; an empty set means any."""

    reasons: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    since_ms: int | None = None

    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return self != Wanted()

    def __contains__(self, letter: Letter) -> bool:
        return (
            (not self.reasons or letter.event.reason in self.reasons)
            and (not self.topics or letter.event.topic in self.topics)
            and (self.since_ms is None or letter.at_ms >= self.since_ms)
        )


class Known(NamedTuple):
    """What is kept of a letter that was read."""

    name: str
    reason: str


@dataclass(slots=True)
class Ledger:
    """The wanted letters that were read, each once, and what became of them.

    `begun`: where the record of a replay will be found. `unreadable`: records that are no letters.
    """

    wanted: Wanted
    letters: dict[Place, Known] = field(default_factory=dict)
    begun: dict[Place, Place] = field(default_factory=dict)
    replayed: set[Place] = field(default_factory=set)
    unreadable: int = 0

    def add(self, letter: Letter | None) -> bool:
        """Whether it is a wanted letter that was not there before. To be called in the order of each partition."""
        if letter is None:
            self.unreadable += 1
        elif letter.event.reason == REPLAYED:
            self.replayed.add(letter.about)
        elif letter.event.reason == REPLAYING:
            self.begun[letter.about] = Place.parse(letter.event.detail)
        elif letter in self.wanted and letter.about not in self.letters:
            self.letters[letter.about] = Known(letter.name, letter.event.reason)
            return True
        return False

    def open(self) -> dict[Place, Known]:
        """The letters that were not replayed yet."""
        return {place: known for place, known in self.letters.items() if place not in self.replayed}

    def interrupted(self) -> dict[Place, Place]:
        """Of the open ones those that may have been sent: from which place on the record is, if it is there."""
        return {place: self.begun[place] for place in self.open() if place in self.begun}


@dataclass(slots=True)
class Group:
    """The letters of one reason. `sample`: the newest."""

    sample: Letter
    first_ms: int
    last_ms: int
    topics: Counter[str] = field(default_factory=Counter)
    replayed: int = 0

    def add(self, letter: Letter) -> None:
        self.topics[letter.event.topic] += 1
        self.first_ms = min(self.first_ms, letter.at_ms)
        if letter.at_ms >= self.last_ms:
            self.last_ms, self.sample = letter.at_ms, letter


class Survey:
    """What there is, by reason."""

    def __init__(self, wanted: Wanted) -> None:
        self.ledger = Ledger(wanted)
        self._groups: dict[str, Group] = {}

    def add(self, letter: Letter | None) -> None:
        if self.ledger.add(letter) and letter is not None:
            group = Group(letter, letter.at_ms, letter.at_ms)
            self._groups.setdefault(letter.event.reason, group).add(letter)

    def groups(self) -> dict[str, Group]:
        """By reason, the largest first."""
        letters = self.ledger.letters
        replayed = Counter(letters[place].reason for place in self.ledger.replayed if place in letters)
        for reason, group in self._groups.items():
            group.replayed = replayed[reason]
        return dict(sorted(self._groups.items(), key=lambda item: (-item[1].topics.total(), item[0])))
