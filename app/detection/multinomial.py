"""Evidence that counts in bins are not from within a tolerance of reference shares. Rows are features, columns bins.

Two distributions are as far apart as the share of rows that lie in other bins (total variation). The tolerance is a
ball of that distance around the reference: a convex set, so the likelihood ratio of an alternative to the member that
is nearest to it by Kullback and Leibler is an e-value for all of the ball (Grunwald, de Heide and Koolen, JRSS B 86,
2024, theorem 1). For such balls that member has a closed form but for two numbers (Huber, Ann. Math. Stat. 36, 1965).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtri

from app.decoding.columns import Floats

# Halvings of an interval of logarithms: far below what a double of a share can hold.
STEPS = 40
WIDEST = 30.0
# How sure the Dirichlet prior is of the reference, in rows: small, since it is for changes that show at once.
PRIOR_ROWS = 100.0
# Shifts of normal scores, and changes of their spread, that are looked for: in standard deviations, in c of below.
# The shifts are a small and a medium effect (Cohen, Statistical Power Analysis, 1988, 2.2.3).
SHIFTS = (-0.5, -0.2, 0.2, 0.5)
SPREADS = (-0.6, 0.35)
# How the stake is spread over these and the mixture: most on what can show within one window.
STAKES = (0.24, 0.12, 0.12, 0.24, 0.08, 0.08, 0.12)
# Where bins have no order: the share of rows that come to lie in one of them.
MOVED = 0.15
ALTERNATIVES = len(SHIFTS) + len(SPREADS)


def total_variation(shares: Floats, reference: Floats) -> Floats:
    """(...,) half the sum of the distances, over the last axis."""
    distance: Floats = 0.5 * np.abs(shares - reference).sum(axis=-1)
    return distance


def expected_distance(shares: Floats, rows: Floats) -> Floats:
    """(...,) the total variation that `rows` drawn from `shares` have from them on average, by normal approximation."""
    spread = shares * (1 - shares) / np.maximum(rows, 1e-9)[..., None]
    distance: Floats = 0.5 * np.sqrt(2 / np.pi) * np.sqrt(spread).sum(axis=-1)
    return distance


def project(shares: Floats, reference: Floats, tolerance: Floats) -> Floats:
    """(..., B) the distribution within `tolerance` (...) of the reference that is nearest to `shares` (..., B).

    Nearest by KL(shares || it), which is the likeliest one of the ball too. Bins where shares / reference is above C1
    get shares / C1, below C2 shares / C2, all others keep the reference; C1 and C2 so that just the tolerance moves.
    """
    near = (total_variation(shares, reference) <= tolerance)[..., None]
    over = _root(lambda c: np.maximum(shares / c - reference, 0.0).sum(axis=-1), tolerance, (0.0, WIDEST))
    under = _root(lambda c: -np.maximum(reference - shares / c, 0.0).sum(axis=-1), -tolerance, (-WIDEST, 0.0))
    moved = np.where(shares < under * reference, shares / under, reference)
    moved = np.where(shares > over * reference, shares / over, moved)
    found: Floats = np.where(near, shares, moved)
    return found


def alternatives(reference: Floats, tolerance: Floats, ordered: NDArray[np.bool_]) -> Floats:
    """(F, A, B) what is looked for. `reference`: (F, B), 0 in columns that a feature lacks.

    Ordered bins: the reference tilted by exp(a z) and exp(c (z^2 - 1) / 2), z their normal scores, which for a normal
    distribution is a shift by a and a change of the spread. Else 15 % of the rows, at least twice the tolerance, come
    to lie in one of the three most or least frequent bins.
    """
    scores = normal_scores(reference)
    exponents = [a * scores for a in SHIFTS] + [c * (scores**2 - 1) / 2 for c in SPREADS]
    tilted = reference[:, None, :] * np.exp(np.stack(exponents, axis=1))
    tilted /= tilted.sum(axis=-1, keepdims=True)
    moved = np.clip(2 * tolerance, MOVED, 0.9)[:, None, None]
    raised = np.repeat(reference[:, None, :], ALTERNATIVES, axis=1) * (1 - moved)
    order = np.argsort(np.where(reference > 0, reference, np.inf), axis=1, kind="stable")
    used = (reference > 0).sum(axis=1)
    features = np.arange(len(reference))
    for place in range(ALTERNATIVES):
        nth = place if place < ALTERNATIVES // 2 else place - ALTERNATIVES
        raised[features, place, order[features, np.clip(nth + used * (nth < 0), 0, used - 1)]] += moved[:, 0, 0]
    found: Floats = np.where(ordered[:, None, None], tilted, raised)
    return found


def stakes(ordered: NDArray[np.bool_]) -> Floats:
    """(F, A + 1) the weight of each alternative and of the mixture; categories have no likelier one."""
    even = np.full(ALTERNATIVES + 1, 1 / (ALTERNATIVES + 1))
    found: Floats = np.where(ordered[:, None], np.array(STAKES), even)
    return found


def normal_scores(reference: Floats) -> Floats:
    """(F, B) the normal quantile of the middle of each bin's stretch of the distribution."""
    middle = np.cumsum(reference, axis=1) - reference / 2
    scores: Floats = ndtri(np.clip(middle, 1e-3, 1 - 1e-3))
    return scores


def log_ratios(chosen: Floats, reference: Floats, tolerance: Floats) -> Floats:
    """(F, A, B) what a row in each bin adds to the logarithm of the evidence for `chosen` (F, A, B)."""
    against = np.repeat(reference[:, None, :], chosen.shape[1], axis=1)
    null = project(chosen, against, np.repeat(tolerance[:, None], chosen.shape[1], axis=1))
    used = (chosen > 0) & (null > 0)
    ratios: Floats = np.log(np.where(used, chosen, 1.0)) - np.log(np.where(used, null, 1.0))
    # An alternative within the tolerance says nothing, and its detector would only count the windows.
    return np.where(np.abs(ratios).max(axis=-1, keepdims=True) > 0, ratios, -1.0)


def log_mixture(counts: Floats, reference: Floats, tolerance: Floats) -> Floats:
    """(F,) the logarithm of the evidence of `counts` (F, B) for any other distribution.

    Dirichlet-multinomial around the reference (Lindon and Malek, arXiv:2011.03567, section 3) against the likeliest
    distribution within the tolerance: an e-value for whichever of them is true. 0 without rows.
    """
    rows = counts.sum(axis=-1)
    prior = np.maximum(PRIOR_ROWS * reference, 1e-300)
    mixed = gammaln(prior + counts) - gammaln(prior)
    alternative = mixed.sum(axis=-1) + gammaln(PRIOR_ROWS) - gammaln(PRIOR_ROWS + rows)
    null = project(counts / np.maximum(rows, 1e-9)[..., None], reference, tolerance)
    likeliest = np.where(counts > 0, counts * np.log(np.where(counts > 0, null, 1.0)), 0.0).sum(axis=-1)
    evidence: Floats = np.where(rows > 0, alternative - likeliest, 0.0)
    return evidence


def _root(moved: Callable[[Floats], Floats], wanted: Floats, within: tuple[float, float]) -> Floats:
    """(..., 1) where `moved`, which falls, comes to `wanted` (...); the ends of the interval are logarithms."""
    low, high = (np.full((*wanted.shape, 1), end) for end in within)
    for _ in range(STEPS):
        middle = (low + high) / 2
        above = (moved(np.exp(middle)) > wanted)[..., None]
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    root: Floats = np.exp((low + high) / 2)
    return root
