"""Which features rows have, of which type, and how that differs from the baseline."""

from collections.abc import Sequence

from app.decoding.columns import Kind
from app.drift.baseline import Baseline
from app.statistics.features import Features

# Less likely than this, and it is no chance that a feature that was often missing is in none of the rows.
BY_CHANCE = 1e-6


def completeness(features: Features, baseline: Baseline | None) -> dict[str, dict[str, float]]:
    """Feature -> missing (null or absent), null, absent, out_of_range, unseen (shares of the rows) and type_errors (a
    count).

    The right kind is the baseline's, else that of most values. Out of range and unseen are told when all rows were
    counted against this baseline.
    """
    rows = features.rows
    if not rows:
        return {}
    expected = baseline.binning.kinds if baseline is not None else {}
    found = {}
    for name, kinds in features.by_name(expected).items():
        null, *values = kinds
        present = sum(values)
        found[name] = {
            "missing": (rows - present) / rows,
            "null": null / rows,
            "absent": (rows - present - null) / rows,
            "type_errors": present - kinds[expected.get(name, _most(values))],
        }
    if baseline is not None and features.binned.all_in(baseline.baseline_id, rows):
        for check, counts in (
            ("out_of_range", baseline.binning.out_of_range(features.binned.counts)),
            ("unseen", baseline.binning.unseen(features.binned.counts)),
        ):
            for name, count in counts.items():
                found[name][check] = count / rows
    return found


def schema_changes(features: Features, baseline: Baseline) -> dict[str, str]:
    """Feature -> "added", "gone", or its type before and now, as in "number -> text".

    Gone is what no row names, unless it was so often missing in the baseline that this may be chance.
    """
    found: dict[str, str] = {}
    for name, (null, *values) in features.by_name(baseline.features).items():
        before = baseline.features.get(name)
        if before is None:
            found |= {name: "added"} if any(values) else {}
        elif not null and not any(values):
            found |= {name: "gone"} if (before.missing / baseline.size) ** features.rows < BY_CHANCE else {}
        elif any(values) and (most := _most(values)) is not before.kind:
            found[name] = f"{before.kind.name.lower()} -> {most.name.lower()}"
    return found


def _most(values: Sequence[int]) -> Kind:
    """The kind of most values. `values`: how many are of each kind, from NUMBER on."""
    return Kind(1 + max(range(len(values)), key=values.__getitem__))
