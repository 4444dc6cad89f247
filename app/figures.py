"""What a window's totals say: the figures of the contract, and the reading that rules judge."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.alerts.counted import counted
from app.alerts.rules import Reading
from app.drift.baseline import Baseline
from app.estimates.versions import Estimates
from app.figure_names import MULTIVARIATE
from app.windowing.windows import Window


def baseline_of(window: Window, known: Mapping[str, Baseline]) -> Baseline | None:
    """The baseline that the window's rows were counted against, None when it is unknown or there were several."""
    features = window.totals.features
    return None if features is None else known.get(features.binned.baseline_id or "")


def figures(
    window: Window, baseline: Baseline | None, estimates: Estimates, together: Sequence[Window] = ()
) -> dict[str, Any]:
    """Counts, metrics, and per feature data quality and drift; what there is no data for is absent.

    `together`: the windows that end with it, its segments among them; of these the impact is known.
    """
    totals = window.totals
    found: dict[str, Any] = {
        "predictions": totals.predictions,
        "labels": totals.label_count,
        "errors": totals.errors,
        "metrics": totals.metrics((window.end - window.start) / 1000) | estimates.metrics(window),
        "data_quality": totals.data_quality(baseline),
        "drift": totals.drift(baseline),
    }
    if baseline is not None and totals.features is not None:
        found["schema_changes"] = totals.schema_changes(baseline)
        found["metrics"]["schema_changes"] = len(found["schema_changes"])
    if consistency := totals.consistency():
        found["consistency"] = consistency
    if verdicts := [own["drifted"] for own in found["drift"].values() if "drifted" in own]:
        found["metrics"]["drift_share"] = sum(verdicts) / len(verdicts)
    for name in ("prediction_drift", "score_drift", "label_drift"):
        if drift := getattr(totals, name)(baseline):
            found[name] = drift
    if multivariate := totals.multivariate(baseline):
        found["multivariate"] = multivariate
        found["metrics"] |= {name: multivariate[name] for name in MULTIVARIATE if name in multivariate}
    if together and (impact := estimates.impact(window, together, baseline)):
        found["impact"] = impact
    if instances := totals.instances():
        found["resources"] = instances
    if baseline is not None:
        found["baseline_id"] = baseline.baseline_id
    return found


def reading(window: Window, record: Mapping[str, Any], baseline: Baseline | None, estimates: Estimates) -> Reading:
    """The window as rules see it. `record`: what is published of it."""
    missing = {}
    if baseline is not None and baseline.size:
        missing = {name: own.missing / baseline.size for name, own in baseline.features.items()}
    return Reading(
        version=window.version,
        segment=window.segment,
        start=window.start,
        end=window.end,
        window_id=record["window_id"],
        predictions=record["predictions"],
        labels=record["labels"],
        metrics=record["metrics"],
        data_quality=_with_rules(record["data_quality"], record.get("consistency", {})),
        drift=record["drift"],
        latency=window.totals.latency,
        missing_before=missing,
        feature_rows=0 if window.totals.features is None else window.totals.features.rows,
        baseline_id=None if baseline is None else baseline.baseline_id,
        baseline_rows=0 if baseline is None else baseline.size,
        rhythm=None if baseline is None else baseline.rhythm,
        counted=None if window.segment else counted(window.totals, baseline),
        errors=None if window.totals.regression is None else window.totals.regression.errors,
        estimate_trusted=estimates.trusted(window.version),
        impact=record.get("impact", {}),
    )


def _with_rules(
    quality: Mapping[str, Mapping[str, float]], consistency: Mapping[str, float]
) -> dict[str, Mapping[str, float]]:
    """The figures by feature, and by consistency rule its own."""
    broken = {rule: {**quality.get(rule, {}), "violations": share} for rule, share in consistency.items()}
    return {**quality, **broken}
