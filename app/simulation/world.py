"""A small world of loan applications that changes: who applies, and what makes a loan go well."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats

CLASSES = ("default", "repaid")
EMPLOYMENTS = ("salaried", "self-employed", "retired", "student")
PURPOSES = ("car", "home", "education", "business", "other")
CHANNELS = ("web", "mobile", "branch")
REGIONS = ("north", "south", "east", "west")
# How sharply the score decides: at 16 the best possible model is right in about 95 of 100 cases.
SHARPNESS = 16.0


@dataclass(frozen=True, slots=True)
class Era:
    """A time in which the world stays as it is.

    `incomes` and `usage` scale incomes and the use of credit lines; `channels`, `employments`: shares of applicants.
    `cushion`: what self-employment, high use of credit and a long history are worth; its sign turns in a crisis.
    """

    name: str
    incomes: float
    usage: float
    channels: tuple[float, ...]
    employments: tuple[float, ...]
    cushion: float


ERAS = (
    Era("boom", 1.0, 1.0, (0.55, 0.30, 0.15), (0.62, 0.20, 0.10, 0.08), 1.0),
    Era("crisis", 0.78, 1.35, (0.35, 0.55, 0.10), (0.48, 0.30, 0.10, 0.12), -1.0),
)


@dataclass(slots=True)
class Applications:
    """n applications: columns of raw values by name (None: not given), and how each turned out."""

    features: dict[str, list[Any]]
    segments: dict[str, list[str]]
    outcomes: list[str]


def era(number: int) -> Era:
    """The eras follow each other in turn."""
    return ERAS[number % len(ERAS)]


def applications(rng: np.random.Generator, now: Era, n: int) -> Applications:
    """n applications of this era."""
    income = np.round(rng.lognormal(np.log(42_000 * now.incomes), 0.45, n))
    debt_ratio = np.round(rng.beta(3, 5, n), 3)
    utilization = np.round(np.minimum(rng.beta(2, 3.5, n) * now.usage, 1.0), 3).astype(np.float64)
    history_months = np.round(rng.gamma(3, 28, n))
    late_payments = rng.poisson(0.6, n).astype(float)
    amount = np.round(rng.lognormal(np.log(9_000), 0.6, n))
    employment = rng.choice(len(EMPLOYMENTS), n, p=now.employments)
    score = (
        1.1 * np.log(income / 38_000)
        - 2.2 * (debt_ratio - 0.37)
        - 0.35 * (late_payments - 0.6)
        - 0.35 * np.log(amount / 9_000)
        + np.array([0.15, 0.0, 0.1, -0.2])[employment]
        + now.cushion * _cushion(utilization, history_months, employment)
    )
    repaid = rng.random(n) < 1 / (1 + np.exp(-SHARPNESS * score))
    return Applications(
        features={
            "income": _sometimes_missing(rng, income, 0.03),
            "debt_ratio": debt_ratio.tolist(),
            "utilization": utilization.tolist(),
            "history_months": _sometimes_missing(rng, history_months, 0.02),
            "late_payments": late_payments.tolist(),
            "amount": amount.tolist(),
            "employment": [EMPLOYMENTS[code] for code in employment],
            "purpose": rng.choice(PURPOSES, n, p=(0.3, 0.2, 0.15, 0.15, 0.2)).tolist(),
        },
        segments={
            "channel": rng.choice(CHANNELS, n, p=now.channels).tolist(),
            "region": rng.choice(REGIONS, n).tolist(),
        },
        outcomes=[CLASSES[int(well)] for well in repaid],
    )


def _cushion(utilization: Floats, history_months: Floats, employment: NDArray[np.int64]) -> Floats:
    return (
        0.9 * (utilization - 0.42)
        + 0.22 * np.clip((history_months - 84) / 50, -1.5, 1.5)
        + np.where(employment == EMPLOYMENTS.index("self-employed"), 0.2, 0.0)
    )


def _sometimes_missing(rng: np.random.Generator, values: Floats, share: float) -> list[float | None]:
    gone = rng.random(len(values)) < share
    return [None if missing else value for value, missing in zip(values.tolist(), gone, strict=True)]
