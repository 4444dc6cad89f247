"""One budget of false alarms for a model -> how much evidence each of its alarms needs."""

from dataclasses import dataclass
from math import log

DAY_MS = 86_400_000
# How the budget is shared out among the rules that are of severity warning or above. What matters most has the larger
# share, and so the shorter delay.
WARNINGS = {"performance": 0.6, "error_rate": 0.1, "latency_p99": 0.1, "missing": 0.2}
# What is told without asking anybody to get up has as much again, and takes nothing from these.
INFORMATION = {"drift": 0.6, "unseen": 0.15, "out_of_range": 0.15, "label_coverage": 0.1}
SHARES = WARNINGS | INFORMATION
# Of these all of the traffic alone is watched; of the others, it and all segments together have half of the share each.
WHOLE_ONLY = frozenset(("latency_p99", "label_coverage", "drift"))
WHOLE = 0.5
# Even where the budget is large, evidence of less than twenty to one is no alarm.
LEAST = log(20)


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `alerts` false alarms in `days` days, over windows of `window_ms`."""

    alerts: float = 1.0
    days: float = 30.0
    window_ms: int = 60_000

    def log_threshold(self, share: float) -> float:
        """The logarithm of A, so that windows without a change pass it once in A of them at most.

        `share`: of the budget. With A = windows of the budget's days / (alerts x share) the alarms of all shares
        together come to `alerts` in `days` days at most, whatever their dependence: rates add up (e-Bonferroni).
        """
        return max(log(self.days * DAY_MS / self.window_ms / (self.alerts * share)), LEAST)


def share_of(rule: str, *, segments: int, whole: bool, versions: int) -> float:
    """The part of the budget of one rule over all of the traffic of a version, or over one of its `segments`."""
    own = SHARES[rule] / max(versions, 1)
    if not segments or rule in WHOLE_ONLY:
        return own
    return own * WHOLE if whole else own * (1 - WHOLE) / segments
