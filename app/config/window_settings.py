"""How event time is cut into panes and windows."""

from pydantic import Field, ValidationInfo, field_validator

from app.config.sections import Duration, Seconds, Section, distinct, milliseconds, mistake


class WindowSettings(Section):
    """How event time is cut. All lengths are whole multiples of `pane_s`; `hopping_s` holds (size, hop)."""

    pane_s: Duration = 10
    allowed_lateness_s: Seconds = 5
    idle_after_s: Duration = 10
    max_ahead_s: Seconds = 300
    tumbling_s: list[Duration] = Field(default=[60])
    hopping_s: list[tuple[Duration, Duration]] = Field(default=[(3600, 300)])
    cohort_s: Duration = 86400
    cohort_revision_s: Duration = 60

    @field_validator("tumbling_s")
    @classmethod
    def _panes_fill_tumbling(cls, lengths: list[float], info: ValidationInfo) -> list[float]:
        for length in lengths:
            _divide(info.data.get("pane_s"), length, "pane_s", "the window")
        return distinct(lengths)

    @field_validator("hopping_s")
    @classmethod
    def _panes_fill_hops(cls, windows: list[tuple[float, float]], info: ValidationInfo) -> list[tuple[float, float]]:
        for size, hop in windows:
            _divide(info.data.get("pane_s"), hop, "pane_s", "the hop")
            _divide(hop, size, "the hop", "the window")
        return distinct(windows)

    @field_validator("cohort_s")
    @classmethod
    def _panes_fill_cohort(cls, cohort_s: float, info: ValidationInfo) -> float:
        _divide(info.data.get("pane_s"), cohort_s, "pane_s", "the cohort")
        return cohort_s

    @property
    def pane_ms(self) -> int:
        return milliseconds(self.pane_s)

    @property
    def lateness_ms(self) -> int:
        return milliseconds(self.allowed_lateness_s)

    @property
    def idle_after_ms(self) -> int:
        return milliseconds(self.idle_after_s)

    @property
    def max_ahead_ms(self) -> int:
        return milliseconds(self.max_ahead_s)

    @property
    def tumbling_ms(self) -> list[int]:
        return [milliseconds(length) for length in self.tumbling_s]

    @property
    def hopping_ms(self) -> list[tuple[int, int]]:
        return [(milliseconds(size), milliseconds(hop)) for size, hop in self.hopping_s]

    @property
    def cohort_ms(self) -> int:
        return milliseconds(self.cohort_s)

    @property
    def cohort_revision_ms(self) -> int:
        return milliseconds(self.cohort_revision_s)


def _divide(part: float | None, whole: float, part_name: str, whole_name: str) -> None:
    """Refuses a `part` that does not fill `whole` exactly; None was refused before."""
    if part is not None and milliseconds(whole) % milliseconds(part):
        raise mistake(f"{part_name} ({part:g}) should divide {whole_name} ({whole:g}) without remainder")
