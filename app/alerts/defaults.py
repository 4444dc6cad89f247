"""The rules for a model that nobody configured: shares that should not rise above what is usual."""

from app.alerts.rules import HEALTHY_ERROR_RATE
from app.detection.shares import Tolerance

# A rise by less is none that matters. Where something breaks before anything is usual, only failing is told at once.
TOLERANCES = {
    "performance": Tolerance(0.005, times=0.05, ready=50),
    "error_rate": Tolerance(0.01, times=0.25, at_first=HEALTHY_ERROR_RATE),
    "latency_p99": Tolerance(0.01),
    "missing": Tolerance(0.001, times=0.1),
    "unseen": Tolerance(0.005, times=0.25),
    "out_of_range": Tolerance(0.005, times=0.25),
    # Of what is not labelled: half of the labels that usually come may stay away.
    "label_coverage": Tolerance(0.0, rest=0.5, ready=1000),
}
# From here on the whole of a rule is at once of this severity.
CRITICAL_DROP = 0.15
CRITICAL_LARGE_ERRORS = 0.4
CRITICAL_ERROR_RATE = 0.25
# What is no harm by itself: info, until performance suffers.
HARMLESS = frozenset(("unseen", "out_of_range", "label_coverage", "drift"))
# The usual reading of the index (Siddiqi, Credit Risk Scorecards, 2006): above 0.25 the distribution has moved.
PSI = 0.25
