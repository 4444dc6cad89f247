"""How sure a count of alerts is."""

from scipy.special import gammaincinv

# The median of what a rate may be that gave k events: about k + 0.7 (and 0.69 for none).
MEDIAN_UNBIASED = 0.5


def interval(events: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact bounds of a Poisson mean (Garwood, Biometrika 28, 1936)."""
    tail = (1 - confidence) / 2
    low = float(gammaincinv(events, tail)) if events else 0.0
    return low, float(gammaincinv(events + 1, 1 - tail))


def likely(events: int) -> float:
    """The mean under which as many events or fewer have an even chance: above 0, also for none."""
    return float(gammaincinv(events + 1, MEDIAN_UNBIASED))
