"""What closing panes leads to: records to publish, and then state to store."""

from dataclasses import dataclass, field

from app.messages import Message

DECISIONS = "decisions"


@dataclass(slots=True)
class Outcome:
    """`messages`: in their order. `state`: slot -> value, None for a slot that is to go; to be stored in this order.

    The order makes every prefix of the writes harmless: sums first (each knows the last pane in it), then the decisions
    that say how far all is closed, and only then away with what they were drawn from. `position`: offset in `panes` up
    to which all of it is known; of two writers of a slot the one that came further holds.
    """

    messages: list[Message] = field(default_factory=list)
    state: dict[str, bytes | None] = field(default_factory=dict)
    position: int = -1
