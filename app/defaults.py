"""Rules for a model that nobody configured: bounds that healthy models keep, judged only on evidence beyond chance."""

from math import sqrt

from app.rules import FEWEST_ROWS, Reading, Verdict

ERROR_RATE = 0.05
CRITICAL_ERROR_RATE = 0.25
# More than the baseline's share of missing values.
MISSING = 0.1
# The usual reading of the index (Siddiqi, Credit Risk Scorecards, 2006): above 0.25 the distribution has moved.
PSI = 0.25
PSI_OVER = 0.2
DRIFT_SHARE = 0.3
# With ten bins the index of n rows has a standard deviation of about 4.2 / n: at 100 rows 0.25 is six of them away.
FEWEST_DRIFT_ROWS = 100
# How many standard deviations beyond its bound a share must be. Segments are many, so one of them needs more.
SIGMAS = 4.0
SIGMAS_IN_SEGMENT = 5.0


def sigmas_beyond(share: float, bound: float, rows: int) -> float:
    """By how many standard deviations a share of `rows` is above what `bound` explains (0 < bound < 1)."""
    return (share - bound) / sqrt(bound * (1 - bound) / rows)


def sigmas_needed(reading: Reading) -> float:
    return SIGMAS_IN_SEGMENT if reading.segment else SIGMAS


def error_rate(reading: Reading) -> Verdict | None:
    """More errors than one in twenty; critical from one in four."""
    rate = reading.metrics.get("error_rate")
    if rate is None or reading.predictions < FEWEST_ROWS:
        return None
    beyond = sigmas_beyond(rate, ERROR_RATE, reading.predictions) >= sigmas_needed(reading)
    bad = True if beyond else False if rate <= ERROR_RATE else None
    severity = "critical" if rate > CRITICAL_ERROR_RATE else "warning"
    sentence = f"{rate:.1%} of predictions failed, the bound is {ERROR_RATE:.0%}"
    return Verdict(bad, rate, ERROR_RATE, severity, sentence)


def missing(reading: Reading) -> Verdict | None:
    """A feature is missing more often than in the baseline, by more than ten points."""
    rows = reading.predictions
    shares = {
        feature: (own["missing"], before + MISSING)
        for feature, own in sorted(reading.data_quality.items())
        if "missing" in own and (before := reading.missing_before.get(feature, 1.0)) + MISSING < 1
    }
    if not shares or rows < FEWEST_ROWS:
        return None
    ordered = sorted(shares, key=lambda feature: shares[feature][1] - shares[feature][0])
    needed = sigmas_needed(reading)
    broken = [feature for feature in ordered if sigmas_beyond(*shares[feature], rows) >= needed]
    share, bound = shares[ordered[0]]
    bad = True if broken else False if share <= bound else None
    sentence = f"{ordered[0]} is missing in {share:.1%} of predictions, the baseline allows {bound:.1%}"
    return Verdict(bad, share, bound, "warning", sentence, {"features": broken or ordered[:1]})


def drift(reading: Reading) -> Verdict | None:
    """A good part of the features is distributed otherwise than in the baseline."""
    found = {feature: own["psi"] for feature, own in sorted(reading.drift.items()) if "psi" in own}
    if not found or reading.predictions < FEWEST_DRIFT_ROWS:
        return None
    moved = sorted((feature for feature in found if found[feature] > PSI), key=lambda feature: -found[feature])
    still = [feature for feature in found if found[feature] > PSI_OVER]
    share = len(moved) / len(found)
    bad = True if share >= DRIFT_SHARE else False if len(still) / len(found) < DRIFT_SHARE else None
    sentence = f"{len(moved)} of {len(found)} features have drifted (psi above {PSI:g})"
    evidence = {"features": moved, "psi": {feature: round(found[feature], 4) for feature in moved}}
    return Verdict(bad, share, DRIFT_SHARE, "info", sentence, evidence)
