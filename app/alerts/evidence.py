"""Everything that is usual of one version and segment, and what a window says against it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import e, log10
from typing import Any

import numpy as np

from app.alerts.defaults import TOLERANCES
from app.alerts.hits import Hits, healthy
from app.alerts.rules import Reading
from app.config.model_settings import RiverKind, SingleRule
from app.detection.bins import Bins, Moved
from app.detection.edetector import log_mean, told
from app.detection.shares import Found, Shares
from app.drift.river_detectors import RiverDetector

# An incident is over when windows speak for what is usual with this much evidence, twenty to one.
CALM = 3.0
MOST_NAMED = 5
# Windows become part of what is usual while the evidence is below this part of the threshold (in logarithms): what has
# come together, never that of one window, or slow changes of small streams would be learned.
USUAL = 1 / 3
_LOG10_E = log10(e)


@dataclass(frozen=True, slots=True)
class Case:
    """What a window says for one rule. `bad`: as in `Verdict`. `found`: the streams that stand out, the worst first.

    `names`: their features, empty where a rule is of the whole window. `log_m`: natural logarithm, of all together.
    """

    bad: bool | None
    found: Found | Moved
    names: list[str]
    log_m: float
    log_threshold: float
    streams: int

    def told(self, budget_share: float) -> dict[str, Any]:
        """For the alert's evidence."""
        named = {"features": self.names[:MOST_NAMED]} if self.names else {}
        return named | {
            "log10_e": round(self.log_m * _LOG10_E, 2),
            "log10_threshold": round(self.log_threshold * _LOG10_E, 2),
            "effective_rows": round(float(self.found.rows[0]), 1),
            "streams": self.streams,
            "budget_share": round(budget_share, 5),
        }


class Evidence:
    """`state`: as `state()` gave it. `chosen`: rule -> the detector of river's that watches it instead."""

    def __init__(
        self, state: Mapping[str, Any] | None = None, chosen: Mapping[SingleRule, RiverKind] | None = None
    ) -> None:
        state = state or {}
        before = state.get("detectors", {})
        self._detectors: dict[str, RiverDetector] = {
            rule: RiverDetector(kind, before.get(rule)) for rule, kind in (chosen or {}).items()
        }
        self.hits = Hits(state.get("hits"))
        self.shares = Shares(state.get("shares"))
        self._baseline_id: str | None = state.get("baseline_id")
        self._bins: Bins | None = None
        self._bins_state: Mapping[str, Any] | None = state.get("bins")
        # Of open incidents: the streams that they are of, and how much has come to speak for what is usual.
        self._named: dict[str, list[str]] = dict(state.get("named", {}))
        self._calm: dict[str, float] = dict(state.get("calm", {}))

    def state(self) -> dict[str, Any]:
        bins = self._bins.state() if self._bins is not None else self._bins_state
        return {
            "hits": self.hits.state(),
            "shares": self.shares.state(),
            "baseline_id": self._baseline_id,
            "bins": bins,
            "named": self._named,
            "calm": self._calm,
            "detectors": {rule: detector.state() for rule, detector in self._detectors.items()},
        }

    def judge(self, reading: Reading, thresholds: Mapping[str, float], open_rules: frozenset[str]) -> dict[str, Case]:
        """Rule -> its case, for rules that there are rows for. `thresholds`: rule -> logarithm of A."""
        self._know(reading)
        hits = self.hits.of(reading)
        rules = {name: name.split("/")[0] for name in hits}
        paused = frozenset(name for name, rule in rules.items() if rule in open_rules)
        found = self.shares.read(hits, {name: TOLERANCES[rule] for name, rule in rules.items()}, paused)
        limits = np.array([thresholds[rule] for rule in rules.values()])
        fine = healthy(reading) & (found.log_m < USUAL * limits) & np.array([n not in paused for n in hits], np.bool_)
        self.shares.learn(hits, fine, reading.start, reading.end)
        cases = {}
        for rule in TOLERANCES:
            places = [place for place, own in enumerate(rules.values()) if own == rule]
            if places:
                is_open = rule in open_rules
                cases[rule] = self._case(rule, found.of(places), thresholds[rule], is_open)
                if rule in self._detectors and not is_open:
                    cases[rule] = self._by_detector(rule, cases[rule], hits[rule])
        if reading.counted is not None:
            cases["drift"] = self._drift(reading, thresholds["drift"], "drift" in open_rules)
        return cases

    def restart(self, rule: str, usual: bool) -> None:
        """The rule's incident is over, or was another one's. `usual`: what it was of counts as usual from now on."""
        self._named.pop(rule, None)
        self._calm.pop(rule, None)
        if rule in self._detectors:
            self._detectors[rule] = RiverDetector(self._detectors[rule].kind)
        if rule == "drift":
            if self._bins is not None:
                self._bins.restart(usual)
        else:
            self.shares.restart([name for name in self.shares.names if name.split("/")[0] == rule], usual)

    def _know(self, reading: Reading) -> None:
        """A new baseline is a new reference: what it says of missing values, and its bins."""
        if reading.baseline_id is not None and reading.baseline_id != self._baseline_id:
            self._baseline_id = reading.baseline_id
            if not reading.segment:
                for feature, share in reading.missing_before.items():
                    name = f"missing/{feature}"
                    self.shares.seed(name, share * reading.baseline_rows, reading.baseline_rows)
            for feature, wander in (reading.rhythm.missing if reading.rhythm else {}).items():
                self.shares.expect(f"missing/{feature}", wander)
        if reading.counted is None:
            return
        if self._bins is None and self._bins_state is not None:
            state, self._bins_state = self._bins_state, None
            if state["baseline"] == reading.counted.baseline_id and state["names"] == list(reading.counted.names):
                self._bins = Bins(reading.counted, state)
        if self._bins is None or not self._bins.fits(reading.counted):
            self._bins = Bins(reading.counted)
            self._bins.expect(reading.rhythm.wander if reading.rhythm else {})

    def _by_detector(self, rule: str, case: Case, hits: tuple[float, float]) -> Case:
        """A chosen detector decides, where the share is above the usual one."""
        rose = self._detectors[rule].update(*hits)
        assert isinstance(case.found, Found)
        bad = rose and bool(case.found.share[0] > case.found.usual[0])
        if bad:
            self._named[rule], self._calm[rule] = [rule], 0.0
        return replace(case, bad=bad)

    def _drift(self, reading: Reading, threshold: float, is_open: bool) -> Case:
        assert self._bins is not None
        assert reading.counted is not None
        moved = self._bins.read(reading.counted.counts, paused=is_open)
        fine = (moved.log_m < USUAL * threshold) & (not is_open) & healthy(reading)
        self._bins.learn(reading.counted.counts, fine, reading.start, reading.end)
        return self._case("drift", moved, threshold, is_open)

    def _case(self, rule: str, found: Found | Moved, threshold: float, is_open: bool) -> Case:
        log_m = float(log_mean(found.log_m))
        if is_open:
            return self._still(rule, found, threshold)
        bad = log_m >= threshold
        worst = told(found.log_m, threshold)
        if bad:
            self._named[rule] = [found.names[place] for place in worst]
            self._calm[rule] = 0.0
        return Case(bad, found.of(worst), _features(found, worst), log_m, threshold, len(found.names))

    def _still(self, rule: str, found: Found | Moved, threshold: float) -> Case:
        """Of an open incident: whether this window goes on with it, or enough of them speak for what is usual."""
        named = self._named.get(rule, found.names)
        places = [place for place, name in enumerate(found.names) if name in named and found.rows[place] > 0]
        if not places:
            return Case(None, found.of([0]), _features(found, [0]), 0.0, threshold, len(found.names))
        places.sort(key=lambda place: -found.log_e[place])
        worst = float(found.log_e[places[0]])
        calm = 0.0 if worst > 0 else self._calm.get(rule, 0.0) - worst
        self._calm[rule] = calm
        bad = True if worst > 0 else False if calm >= CALM else None
        return Case(bad, found.of(places), _features(found, places), worst, threshold, len(found.names))


def _features(found: Found | Moved, places: Sequence[int]) -> list[str]:
    if isinstance(found, Moved):
        return [found.names[place] for place in places]
    return [feature for place in places if (feature := found.names[place].partition("/")[2])]
