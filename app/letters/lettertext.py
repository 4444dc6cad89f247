"""Dead letters as people read them, and as `--json` has them."""

from typing import Any

import orjson

from app.letters.deadletters import Group, Letter
from app.letters.mending import decoded
from app.timestamps import rfc3339

SHOWN_CHARACTERS = 120
SHOWN_BYTES = 512
ROW_BYTES = 16


def group_record(reason: str, group: Group) -> dict[str, Any]:
    """A group as JSON has it."""
    sample = group.sample.event.model_dump(mode="json") | {"id": group.sample.name, "text": text_of(group.sample.value)}
    return {
        "reason": reason,
        "letters": group.topics.total(),
        "replayed": group.replayed,
        "topics": dict(sorted(group.topics.items())),
        "first": rfc3339(group.first_ms),
        "last": rfc3339(group.last_ms),
        "sample": sample,
    }


def group_lines(reason: str, group: Group) -> list[str]:
    """A group in a few lines, with its sample."""
    letters = group.topics.total()
    topics = ", ".join(f"{topic} {count:,}" for topic, count in sorted(group.topics.items()))
    replayed = f", {group.replayed:,} replayed" if group.replayed else ""
    return [
        f"{reason}: {letters:,} letter{'' if letters == 1 else 's'} ({topics}){replayed}",
        f"  from {rfc3339(group.first_ms)} to {rfc3339(group.last_ms)}",
        f"  {group.sample.name}: {group.sample.event.detail}",
        f"  {beginning(group.sample.value)}",
    ]


def letter_lines(letter: Letter) -> list[str]:
    """All of a letter: what is wrong, where, and the bytes."""
    event = letter.event
    return [
        f"{letter.name}: {event.reason}: {event.detail}",
        f"{event.topic}, partition {event.partition}, offset {event.offset}, {event.timestamp or 'no time'}",
        f"{len(letter.value):,} bytes{': it is cut and can not be replayed' if letter.is_cut else ''}",
        "",
        *_content(letter.value),
    ]


def _content(value: bytes) -> list[str]:
    content, text = decoded(value), text_of(value)
    if isinstance(content, dict):
        return [orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()]
    return dumped(value) if text is None else [text]


def beginning(value: bytes) -> str:
    """The first of the bytes in one line: as text, else as Python writes them."""
    text = text_of(value)
    shown = " ".join(text.split()) if text is not None else repr(value[:SHOWN_CHARACTERS])[2:-1]
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}..."


def text_of(value: bytes) -> str | None:
    """The bytes as text; None when they are none."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return text if all(one.isprintable() or one.isspace() for one in text) else None


def dumped(value: bytes) -> list[str]:
    """Bytes that are no text: their place, the bytes, and those that are characters."""
    lines = []
    for start in range(0, min(len(value), SHOWN_BYTES), ROW_BYTES):
        row = value[start : start + ROW_BYTES]
        characters = "".join(chr(one) if 32 <= one < 127 else "." for one in row)
        lines.append(f"{start:06x}  {row.hex(' '):<{3 * ROW_BYTES - 1}}  {characters}")
    return lines + ([f"... and {len(value) - SHOWN_BYTES:,} more"] if len(value) > SHOWN_BYTES else [])
