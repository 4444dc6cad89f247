"""Baselines for people."""

from collections.abc import Sequence

from app.drift.baseline import Baseline
from app.drift.references import CategoryReference, NumberReference, Reference
from app.relations.texts import TextReference
from app.timestamps import rfc3339


def since(baseline: Baseline) -> str:
    """``the beginning``, or an event time."""
    return "the beginning" if baseline.effective_from is None else rfc3339(baseline.effective_from)


def origin(baseline: Baseline) -> str:
    """``file``, ``inherited from 3``"""
    return baseline.origin + ("" if baseline.inherited is None else f" from {baseline.inherited.version}")


def list_lines(baselines: Sequence[Baseline]) -> list[str]:
    """One line for each, in columns."""
    rows = [
        [
            one.model,
            one.version,
            one.baseline_id,
            f"{one.size:,} rows",
            f"{len(one.features)} features",
            origin(one),
            f"from {since(one)}",
        ]
        for one in baselines
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def lines_of(baseline: Baseline) -> list[str]:
    """What it is of, and each feature's range or most frequent values."""
    period = ""
    if baseline.start is not None and baseline.end is not None:
        period = f", of {rfc3339(baseline.start)} to {rfc3339(baseline.end)}"
    lines = [f"{baseline.size:,} rows ({origin(baseline)}){period}, {len(baseline.features)} features:"]
    lines += [f"  {name}: {_told(reference)}" for name, reference in baseline.features.items()]
    others = {"predictions": baseline.predictions, "scores": baseline.scores, "labels": baseline.labels}
    return lines + [f"{name}: {_told(reference)}" for name, reference in others.items() if reference is not None]


def _told(reference: Reference) -> str:
    match reference:
        case NumberReference():
            median = "" if reference.summary is None else f", median {reference.summary.quantiles[3]:g}"
            return f"{reference.minimum:g} to {reference.maximum:g}{median}"
        case CategoryReference():
            shown = ", ".join(list(reference.categories)[:5])
            return f"{shown}{', ...' if len(reference.categories) > 5 else ''}"
        case TextReference():
            return f"text, a vocabulary of {len(reference.vocabulary):,} words"
        case _:
            return "lists of numbers"
