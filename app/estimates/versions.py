"""The estimates of one model, version by version."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.drift.baseline import Baseline
from app.estimates.version import VersionEstimates
from app.segments import EVERYTHING
from app.windowing.windows import Window

# Versions that were asked last are remembered; a model with more at a time learns anew.
MOST_VERSIONS = 20


class Estimates:
    """`positive`: the configured positive class. `state`: as `state()` gave it."""

    def __init__(self, positive: str | None, state: Mapping[str, Any] | None = None) -> None:
        self.positive = positive
        self._versions = {version: VersionEstimates(positive, own) for version, own in (state or {}).items()}

    def state(self) -> dict[str, Any]:
        return {version: own.state() for version, own in self._versions.items()}

    def begin(self, version: str, baseline: Baseline | None) -> None:
        """The version's newest rows were counted against `baseline`."""
        if baseline is not None and baseline.performance is not None:
            self._kept(version).begin(baseline)

    def metrics(self, window: Window) -> dict[str, float]:
        """The estimated figures of a window; of all traffic with how far off they were."""
        known = self._known(window.version)
        error = known.error if window.segment == EVERYTHING else None
        return known.metrics(window.totals) | ({} if error is None else {"estimate_error": error})

    def impact(self, window: Window, windows: Iterable[Window], baseline: Baseline | None) -> dict[str, Any] | None:
        """By how much all traffic has moved, and what carries it; None where that is not known, and for segments.

        `windows`: those that end together with it, among them its segments. `baseline`: that of its rows.
        """
        if window.segment != EVERYTHING:
            return None
        key = (window.version, window.kind, window.start)
        return self._known(window.version).impact(
            [own for own in windows if (own.version, own.kind, own.start) == key], baseline
        )

    def learn(self, windows: Sequence[Window]) -> None:
        """Takes in the windows of one length that end together, after they were estimated: each pair is in one."""
        for version in sorted({window.version for window in windows}):
            self._kept(version).learn([window for window in windows if window.version == version])

    def trusted(self, version: str) -> bool:
        """Whether the version's estimates may raise alerts by themselves."""
        return self._known(version).trusted

    def _known(self, version: str) -> VersionEstimates:
        return self._versions.get(version) or VersionEstimates(self.positive)

    def _kept(self, version: str) -> VersionEstimates:
        self._versions[version] = own = self._versions.pop(version, None) or VersionEstimates(self.positive)
        while len(self._versions) > MOST_VERSIONS:
            del self._versions[next(iter(self._versions))]
        return own
