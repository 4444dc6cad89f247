"""All rules of one model over the windows that end together: what is published as alerts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app import defaults
from app.incidents import Incidents, Watched
from app.latency import LatencyWatch
from app.performance import PerformanceWatch
from app.rules import Reading, Verdict, judge, kind_of, rule_name
from app.segments import EVERYTHING, Segment, as_object, from_object
from app.settings import ModelSettings, Rule

Judgement = Callable[[Reading], Verdict | None]


@dataclass(frozen=True, slots=True)
class Check:
    """A rule as it is applied: bad windows in a row until it fires, good ones until it is over."""

    rule: str
    metric: str
    fires_after: int
    resolves_after: int
    kind: str | None = None
    retrain: bool = False

    def over(self, reading: Reading) -> Watched:
        return Watched(self.rule, self.metric, reading.version, reading.segment, self.kind, self.retrain)


# ADWIN and a bound of several standard deviations need no second window; a single slow or odd window is no incident.
PERFORMANCE = Check("performance", "accuracy", fires_after=1, resolves_after=3, kind="performance")
ERROR_RATE = Check("error_rate", "error_rate", fires_after=1, resolves_after=2)
LATENCY = Check("latency_p99", "latency_p99_ms", fires_after=3, resolves_after=3)
MISSING = Check("missing", "missing", fires_after=2, resolves_after=2, kind="data_quality")
DRIFT = Check("drift", "drift_share", fires_after=2, resolves_after=2, kind="drift")


class Judge:
    """The rules of one model, and what they remember. `state`: as `state()` gave it."""

    def __init__(self, model: str, settings: ModelSettings, state: Mapping[str, Any] | None = None) -> None:
        state = state or {"incidents": {}, "latency": {}, "performance": []}
        self.settings = settings
        self.rules = [(rule, _check(rule, name)) for rule, name in _named(settings.rules)]
        self.incidents = Incidents(model, state["incidents"])
        self._latency = {version: LatencyWatch(watch) for version, watch in state["latency"].items()}
        self._performance: dict[tuple[str, Segment], PerformanceWatch] = {}
        for version, segment, watch in state["performance"]:
            name = from_object(segment)
            self._performance[version, name] = PerformanceWatch(name == EVERYTHING, watch)

    def state(self) -> dict[str, Any]:
        return {
            "incidents": self.incidents.state(),
            "latency": {version: watch.state() for version, watch in sorted(self._latency.items())},
            "performance": [
                [version, as_object(segment), watch.state()]
                for (version, segment), watch in sorted(self._performance.items())
            ],
        }

    def windows(self, readings: Iterable[Reading]) -> list[dict[str, Any]]:
        """The alerts that windows of one length with the same end give rise to."""
        alerts: list[dict[str, Any] | None] = []
        suspects: dict[tuple[str, str], bool] = {}
        for reading in sorted(readings, key=lambda reading: (reading.version, reading.segment)):
            if self.settings.default_rules:
                alerts += self._defaults(reading, suspects)
            for rule, check in self.rules:
                if from_object(rule.segment) == reading.segment:
                    alerts.append(self._observe(check, reading, judge(rule, reading)))
        return [alert for alert in alerts if alert is not None]

    def end(self, version: str, now: int, reason: str) -> list[dict[str, Any]]:
        """Nobody asks `version` any more: its incidents are over."""
        return self.incidents.end(version, now, reason)

    def forget(self, versions: set[str]) -> None:
        """These versions were not asked for so long that what they were like is of no use."""
        self._latency = {version: watch for version, watch in self._latency.items() if version not in versions}
        self._performance = {key: watch for key, watch in self._performance.items() if key[0] not in versions}

    def _defaults(self, reading: Reading, suspects: dict[tuple[str, str], bool]) -> list[dict[str, Any] | None]:
        """Of a segment, only what all of the traffic does not show as well: `suspects` says what that is."""
        found = []
        for check, judgement in self._applied(reading):
            verdict = judgement(reading)
            key = (check.rule, reading.version)
            parent = None
            if reading.segment == EVERYTHING:
                suspects[key] = verdict is not None and verdict.bad is True
            else:
                parent = self._open(check, replace(reading, segment=EVERYTHING))
                if (parent or suspects.get(key)) and self.incidents.of(check.over(reading)) is None:
                    continue
            if check is DRIFT and verdict is not None:
                parent = self._open(PERFORMANCE, reading)
                verdict = replace(verdict, severity="warning") if parent else verdict
            found.append(self._observe(check, reading, verdict, parent))
        return found

    def _applied(self, reading: Reading) -> list[tuple[Check, Judgement]]:
        """Performance first: a drift that does harm is told as such."""
        key = (reading.version, reading.segment)
        whole = reading.segment == EVERYTHING
        performance = self._performance.get(key)
        if performance is None and reading.labels:
            performance = self._performance[key] = PerformanceWatch(whole)
        checks: list[tuple[Check, Judgement]] = []
        if performance is not None:
            metric = "rmse" if "rmse" in reading.metrics else "accuracy"
            checks.append((replace(PERFORMANCE, metric=metric), performance.judge))
        checks += [(ERROR_RATE, defaults.error_rate), (MISSING, defaults.missing)]
        if whole:
            latency = self._latency.setdefault(reading.version, LatencyWatch())
            checks += [(LATENCY, latency.judge), (DRIFT, defaults.drift)]
        return checks

    def _open(self, check: Check, reading: Reading) -> str | None:
        alert = self.incidents.of(check.over(reading))
        return alert["alert_id"] if alert is not None else None

    def _observe(
        self, check: Check, reading: Reading, verdict: Verdict | None, parent: str | None = None
    ) -> dict[str, Any] | None:
        if verdict is None:
            return None
        return self.incidents.observe(
            check.over(reading),
            reading,
            verdict,
            fires_after=check.fires_after,
            resolves_after=check.resolves_after,
            parent=parent,
        )


def _check(rule: Rule, name: str) -> Check:
    return Check(name, rule.metric, rule.windows, rule.windows, kind_of(rule.metric), rule.retrain)


def _named(rules: Iterable[Rule]) -> list[tuple[Rule, str]]:
    """Rules of one name for the same segment would share their incidents: the later ones get a number."""
    seen: dict[tuple[str, Segment], int] = {}
    named = []
    for rule in rules:
        key = (rule_name(rule), from_object(rule.segment))
        seen[key] = seen.get(key, 0) + 1
        named.append((rule, key[0] if seen[key] == 1 else f"{key[0]} ({seen[key]})"))
    return named
