"""Measured figures with their spread, and the targets that they are held against."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """A median between the smallest and the largest of its values."""

    middle: float
    least: float
    most: float

    def told(self, digits: int = 2) -> str:
        return f"{self.middle:,.{digits}f} ({self.least:,.{digits}f}..{self.most:,.{digits}f})"


@dataclass(frozen=True, slots=True)
class Check:
    """`figure` against its target; `most`: whether the target is the largest allowed, else the smallest."""

    what: str
    figure: Spread
    target: float
    most: bool = True

    @property
    def passed(self) -> bool:
        return self.figure.middle <= self.target if self.most else self.figure.middle >= self.target


def spread(values: Sequence[float]) -> Spread:
    """Raises StatisticsError where there is no value."""
    return Spread(median(values), min(values), max(values))


def verdict(check: Check) -> str:
    bound = f"at {'most' if check.most else 'least'} {check.target:g}"
    return f"{'PASS' if check.passed else 'MISS'}  {check.what}: {check.figure.told()}, target {bound}"
