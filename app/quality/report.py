"""What the accumulators of a window say of the quality of each feature."""

from app.drift.baseline import Baseline
from app.drift.references import CategoryReference, NumberReference, Reference
from app.quality.schema import completeness
from app.statistics.checks import Checks
from app.statistics.contents import Contents
from app.statistics.features import Features

Quality = dict[str, dict[str, float]]


def by_feature(
    features: Features, checks: Checks | None, contents: Contents | None, baseline: Baseline | None
) -> Quality:
    """Feature -> its figures, as `figure_names.DATA_QUALITY` names them."""
    found = completeness(features, baseline)
    if found:
        _add_checks(found, features, checks or Checks())
        if contents is not None:
            _add_contents(found, features, contents, baseline)
    return found


def _add_checks(found: Quality, features: Features, checks: Checks) -> None:
    empty = checks.failed("empty")
    for name in {**features.texts(), **empty}:
        found.setdefault(name, {})["empty"] = empty.get(name, (0, 0))[1] / features.rows
    for name, count in checks.out_of_range().items():
        if name in found:
            found[name]["out_of_range"] = count / features.rows
    for name, (rows, lacking) in checks.failed("required").items():
        if name not in found and lacking == rows:
            found[name] = {"missing": 1.0, "null": 0.0, "absent": 1.0}


def _add_contents(found: Quality, features: Features, contents: Contents, baseline: Baseline | None) -> None:
    known = {} if baseline is None else baseline.features
    values, texts = features.values(), features.texts()
    for name, constant in contents.constant().items():
        if values.get(name, 0) > 1:
            found[name]["constant"] = float(constant and not _is_constant(known.get(name)))
    for name, count in contents.distinct().items():
        if name in texts:
            found[name]["distinct"] = count
            if baseline is not None and baseline.quality is not None:
                before = baseline.quality.expected(name, texts[name])
                found[name] |= {} if before is None else {"cardinality": count / before}


def _is_constant(reference: Reference | None) -> bool:
    match reference:
        case NumberReference():
            return reference.minimum == reference.maximum
        case CategoryReference():
            return len(reference.counts) == 1
        case _:
            return False
