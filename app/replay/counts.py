"""What a replay has counted."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """`predictions` that count, each once, and `repeated` ones, of an id that was there before. `labels` in the file,
    and the `pairs` that they made: the others repeat one, came after the horizon, or are of a failed prediction."""

    predictions: int = 0
    repeated: int = 0
    labels: int = 0
    pairs: int = 0
