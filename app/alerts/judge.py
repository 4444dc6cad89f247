"""All rules of one model over the windows that end together: what is published as alerts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.alerts.defaults import HARMLESS
from app.alerts.evidences import Evidences
from app.alerts.harm import harmful
from app.alerts.incidents import Incidents, Watched
from app.alerts.rules import Reading, Verdict, judge, kind_of, rule_name
from app.alerts.verdicts import verdict
from app.detection.budget import Budget, share_of
from app.segments import EVERYTHING, Segment, from_object
from app.settings import ModelSettings, Rule


@dataclass(frozen=True, slots=True)
class Check:
    """A rule as it is applied: bad windows in a row until it fires, good ones until it is over."""

    rule: str
    metric: str
    fires_after: int = 1
    resolves_after: int = 2
    kind: str | None = None
    retrain: bool = False

    def over(self, reading: Reading) -> Watched:
        return Watched(self.rule, self.metric, reading.version, reading.segment, self.kind, self.retrain)


# Evidence has added up over windows already: the one that completes it is enough. Performance first: a drift that does
# harm is told as such.
DEFAULTS = (
    Check("performance", "accuracy", kind="performance"),
    Check("error_rate", "error_rate"),
    Check("latency_p99", "latency_p99_ms"),
    Check("missing", "missing", kind="data_quality"),
    Check("drift", "drift_share", kind="drift"),
    Check("unseen", "unseen", kind="data_quality"),
    Check("out_of_range", "out_of_range", kind="data_quality"),
    Check("label_coverage", "label_coverage"),
)
PERFORMANCE = DEFAULTS[0]


class Judge:
    """The rules of one model, and what they remember. `state`: as `state()` gave it; `evidences`: what is usual."""

    def __init__(
        self,
        model: str,
        settings: ModelSettings,
        state: Mapping[str, Any] | None = None,
        budget: Budget = Budget(),  # noqa: B008  it is frozen
        evidences: Evidences | None = None,
    ) -> None:
        state = state or {"incidents": {}}
        self.settings = settings
        self.budget = budget
        self.rules = [(rule, _check(rule, name)) for rule, name in _named(settings.rules)]
        self.incidents = Incidents(model, state["incidents"])
        self.evidences = evidences or Evidences(chosen=settings.detectors)

    def state(self) -> dict[str, Any]:
        return {"incidents": self.incidents.state()}

    def windows(self, readings: Iterable[Reading]) -> list[dict[str, Any]]:
        """The alerts that windows of one length with the same end give rise to."""
        ordered = sorted(readings, key=lambda reading: (reading.version, reading.segment))
        alerts: list[dict[str, Any] | None] = []
        suspects: set[tuple[str, str]] = set()
        for reading in ordered:
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
        self.evidences.forget(versions)

    def _defaults(self, reading: Reading, suspects: set[tuple[str, str]]) -> list[dict[str, Any] | None]:
        """Of a segment, only what all of the traffic does not show as well: `suspects` says what that is."""
        evidence = self.evidences.of(reading.version, reading.segment)
        self.evidences.judged(reading.version, reading.segment, reading.end)
        if reading.segment != EVERYTHING and (reading.version, EVERYTHING) in self.evidences:
            evidence.shares.follow(self.evidences.of(reading.version, EVERYTHING).shares)
        shares = self._shares(reading)
        thresholds = {rule: self.budget.log_threshold(share) for rule, share in shares.items()}
        checks = {check.rule: _of_metric(check, reading) for check in DEFAULTS}
        before = {rule: self.incidents.of(check.over(reading)) for rule, check in checks.items()}
        cases = evidence.judge(reading, thresholds, frozenset(rule for rule, alert in before.items() if alert))
        found: list[dict[str, Any] | None] = []
        for rule, check in checks.items():
            if rule not in cases:
                continue
            parent = None
            if reading.segment == EVERYTHING:
                if cases[rule].bad:
                    suspects.add((rule, reading.version))
            else:
                parent = self._open(check, replace(reading, segment=EVERYTHING))
                if (parent or (rule, reading.version) in suspects) and before[rule] is None:
                    evidence.restart(rule, usual=False)
                    continue
            said = verdict(rule, cases[rule], reading, shares[rule])
            if rule in HARMLESS:
                performance = self._open(checks["performance"], reading)
                parent = performance or parent
                alert = before[rule]
                expected = rule != "label_coverage" and harmful(reading, bool(alert and alert["severity"] == "warning"))
                said = replace(said, severity="warning") if performance or expected else said
            alert = self._observe(check, reading, said, parent)
            if alert is not None and alert["state"] == "resolved":
                evidence.restart(rule, usual=alert["severity"] != "critical")
            found.append(alert)
        return found

    def _shares(self, reading: Reading) -> dict[str, float]:
        """Rule -> its part of the budget for this version and segment; all that were ever seen have a part."""
        versions = {version for version, _ in self.evidences}
        segments = sum(version == reading.version and segment != EVERYTHING for version, segment in self.evidences)
        whole = reading.segment == EVERYTHING
        return {
            check.rule: share_of(check.rule, segments=segments, whole=whole, versions=len(versions))
            for check in DEFAULTS
        }

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


def _of_metric(check: Check, reading: Reading) -> Check:
    if check is PERFORMANCE and "rmse" in reading.metrics:
        return replace(check, metric="rmse")
    return check


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
