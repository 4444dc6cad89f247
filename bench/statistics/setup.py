"""What is simulated: how much traffic, in which windows, and what changes in it."""

from dataclasses import dataclass

from app.settings import Settings

DAY_S = 86400


@dataclass(frozen=True, slots=True)
class Setup:
    """One stream of a model. `wandering`: rates wander (autocorrelated) and the day has a course; else all is i.i.d.

    `related`: rows are drawn as well, for what is said of relations between features; it takes twice as long.
    """

    features: int = 50
    segments: int = 10
    events: int = 10_000_000
    days: float = 30.0
    window_s: int = 900
    wandering: bool = False
    related: bool = False
    reference_rows: int = 10_000

    @property
    def windows(self) -> int:
        return round(self.days * DAY_S / self.window_s)

    @property
    def rows(self) -> float:
        """Predictions expected in a window."""
        return self.events / self.windows

    def settings(self) -> Settings:
        """The product's defaults, but for the length of the windows."""
        windows = {"pane_s": self.window_s, "tumbling_s": [self.window_s], "hopping_s": []}
        return Settings.model_validate({"windows": windows})


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes different, from its first window on; None: stays. `over`: windows until all of it is there.

    `shift`: of the feature at place 0, in its standard deviations. `missing`: of the same. `relation`: its correlation
    with that at place 1, while both stay as they are by themselves. `segment`: the only one.
    """

    accuracy: float | None = None
    shift: float = 0.0
    missing: float | None = None
    relation: float | None = None
    segment: int | None = None
    over: int = 1

    def progress(self, window: int) -> float:
        """How much of it is there in its `window` (from 0): 0 before, 1 in the end."""
        return min(max((window + 1) / self.over, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Usual:
    """A healthy stream's rates. `relation`: the correlation of the first two features; others have none."""

    accuracy: float = 0.90
    error_rate: float = 0.01
    missing: float = 0.01
    relation: float = 0.7
    labelled: float = 0.5
    latency_ms: float = 20.0
    latency_spread: float = 0.5
    categories: int = 8
    every_category: int = 5
    """Each fifth feature is a category."""


@dataclass(frozen=True, slots=True)
class Wandering:
    """Standard deviations of the AR(1) processes (in log-odds, logarithms or deviations), and the day's amplitudes."""

    hours: float = 2.0
    traffic: tuple[float, float] = (0.2, 0.6)
    mix: tuple[float, float] = (0.1, 0.3)
    accuracy: tuple[float, float] = (0.05, 0.05)
    segment_accuracy: tuple[float, float] = (0.05, 0.05)
    error_rate: tuple[float, float] = (0.3, 0.2)
    missing: tuple[float, float] = (0.2, 0.1)
    shift: tuple[float, float] = (0.04, 0.08)
    latency: tuple[float, float] = (0.05, 0.1)


USUAL = Usual()
STILL = Change()
WANDERING = Wandering()
