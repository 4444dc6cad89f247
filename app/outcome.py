"""What closing panes leads to: records to publish, and then state to store."""

from collections.abc import Iterable
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


def combined(outcomes: Iterable[Outcome]) -> Outcome:
    """Outcomes of one model, one after another, as one: each slot is stored once."""
    whole = Outcome()
    for outcome in outcomes:
        whole.messages += outcome.messages
        whole.state |= outcome.state
        whole.position = max(whole.position, outcome.position)
    sums = {slot: value for slot, value in whole.state.items() if value is not None and slot != DECISIONS}
    decisions = {slot: value for slot, value in whole.state.items() if slot == DECISIONS}
    gone = {slot: value for slot, value in whole.state.items() if value is None}
    whole.state = {**sums, **decisions, **gone}
    return whole
