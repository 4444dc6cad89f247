"""Isotonic calibration: the rising steps that fit binned outcomes best."""

import numpy as np

from app.decoding.columns import Floats


def pool(rows: Floats, positives: Floats) -> list[tuple[float, float, int]]:
    """Pool adjacent violators (Ayer and others, Annals of Mathematical Statistics 26, 1955).

    `rows`, `positives`: (n,) of bins in rising order, with rows in each. Gives blocks of neighbours with the same
    share of positives: their rows, positives and number of bins.
    """
    blocks: list[tuple[float, float, int]] = []
    for own in zip(rows.tolist(), positives.tolist(), [1] * len(rows), strict=True):
        blocks.append(own)
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][0] >= blocks[-1][1] * blocks[-2][0]:
            last, before = blocks.pop(), blocks.pop()
            blocks.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
    return blocks


def isotonic(rows: Floats, positives: Floats) -> tuple[Floats, Floats]:
    """(bins,) the probability of a positive, and (blocks, bins) what spreads it: the covariance is that table's square.

    `rows`, `positives`: (bins,). Between bins with rows it is interpolated. The spread of a block is that of a share,
    half a row of either kind added: a block without positives is not certain to stay without.
    """
    used = np.flatnonzero(rows > 0)
    blocks = pool(rows[used], positives[used])
    bins = np.arange(len(rows))
    shares = np.repeat([own[1] / own[0] for own in blocks], [own[2] for own in blocks])
    spreads = np.zeros((len(blocks), len(rows)))
    start = 0
    for place, (total, positive, width) in enumerate(blocks):
        share = (positive + 0.5) / (total + 1)
        own = np.zeros(len(used))
        own[start : start + width] = np.sqrt(share * (1 - share) / (total + 1))
        spreads[place] = np.interp(bins, used, own)
        start += width
    return np.interp(bins, used, shares), spreads
