"""Columns of numbers made of text and embeddings: from here on they are features like any other."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn, Floats, Kind, PredictionColumns
from app.drift.references import Reference
from app.relations.embeddings import VectorReference, as_matrix, clustered, fit_vectors, lengths, norms, spread
from app.relations.texts import TextReference, describe_texts, fit_text


def derive(columns: PredictionColumns, texts: Collection[str], known: Mapping[str, Reference]) -> PredictionColumns:
    """The columns with those that text and embeddings give beside them; the same ones where there is none.

    `texts`: names of the features that are text. `known`: the baseline's features; without a reference a text has no
    share of unknown words, and an embedding no distance. A name that the events have themselves stays theirs.
    """
    made: dict[str, FeatureColumn] = {}
    for name, column in columns.features.items():
        if column.values is None:
            continue
        if name in texts:
            made |= _of_text(name, column.values, known.get(name))
        elif _has_vectors(column):
            made |= _of_vectors(name, column.values, known.get(name))
    return replace(columns, features=made | columns.features) if made else columns


@dataclass(frozen=True, slots=True)
class Derived:
    """Features of a reference's rows.

    `columns`: raw values by row, of those that distributions are fitted to. `references`: of text and embeddings
    themselves. `untold`: (n,) of a column, the rows of which it is not known what a new row like it would have.
    `whole`: (n,) the rows of which all numbers are known, None for all.
    """

    columns: dict[str, Sequence[Any]]
    references: dict[str, Reference]
    untold: dict[str, NDArray[np.bool_]]
    whole: NDArray[np.bool_] | None

    def told(self) -> dict[str, Sequence[Any]]:
        """The columns without the rows that tell nothing."""
        shortened = {
            name: [value for value, left_out in zip(self.columns[name], rows, strict=True) if not left_out]
            for name, rows in self.untold.items()
        }
        return self.columns | shortened


def derived_features(features: Mapping[str, Sequence[Any]], texts: Collection[str]) -> Derived:
    """The features of a reference's rows, with what its texts and embeddings give in place of these.

    What the rows bring already (a sample does, since it holds no more than the beginning of a text) stays.
    """
    untold: dict[str, NDArray[np.bool_]] = {}
    whole = np.ones(max(map(len, features.values()), default=0), np.bool_)
    found: dict[str, Sequence[Any]] = dict(features)
    references: dict[str, Reference] = {}
    for name, values in features.items():
        made: dict[str, Sequence[Any]] = {}
        if name in texts and _most_are(str, values):
            references[name], unknown = fit_text(values)
            figures = describe_texts(values) | {"out_of_vocabulary": unknown}
            made = {f"{name}.{figure}": _plain(column) for figure, column in figures.items()}
        elif _most_are(list, values):
            own, figures = fit_vectors(values)
            references[name] = own
            made = {f"{name}.{figure}": _plain(column) for figure, column in figures.items()}
            left_out = np.array([value == [] for value in values])
            whole &= ~left_out
            if own.clusters:
                made[f"{name}.cluster"] = _clusters(own, *as_matrix(values, own.dimension))
                untold[f"{name}.cluster"] = left_out | clustered(values, own.dimension)
            untold[f"{name}.distance"] = left_out
        found = made | found
    columns = {name: values for name, values in found.items() if name not in references}
    of_ours = {name: rows for name, rows in untold.items() if name not in features}
    return Derived(columns, references, of_ours, None if whole.all() else whole)


def _of_text(name: str, texts: Sequence[Any], reference: Reference | None) -> dict[str, FeatureColumn]:
    figures = describe_texts(texts)
    if isinstance(reference, TextReference):
        figures["out_of_vocabulary"] = reference.out_of_vocabulary(texts)
    return _columns(name, figures)


def _of_vectors(name: str, values: Sequence[Any], reference: Reference | None) -> dict[str, FeatureColumn]:
    if not isinstance(reference, VectorReference) or not reference.dimension:
        return _columns(name, {"norm": norms(values)})
    matrix, present = as_matrix(values, reference.dimension)
    figures = {"norm": spread(lengths(matrix), present), "distance": spread(reference.distances(matrix), present)}
    if len(matrix) < len(values):
        figures["norm"] = norms(values)
    made = _columns(name, figures)
    if reference.clusters and present.any():
        made[f"{name}.cluster"] = _cluster_column(reference, matrix, present)
    return made


def _columns(name: str, figures: Mapping[str, Floats]) -> dict[str, FeatureColumn]:
    """Those that have a value. A row without one does not name the feature: so it does not matter what else the chunk
    holds."""
    found: dict[str, FeatureColumn] = {}
    for figure, column in figures.items():
        absent = np.isnan(column)
        if not absent.any():
            found[f"{name}.{figure}"] = FeatureColumn(Kind.NUMBER, column, None)
        elif not absent.all():
            kinds = np.where(absent, Kind.MISSING, Kind.NUMBER).astype(np.uint8)
            found[f"{name}.{figure}"] = FeatureColumn(kinds, column, None, absent)
    return found


def _cluster_column(reference: VectorReference, matrix: Floats, present: NDArray[np.bool_]) -> FeatureColumn:
    kinds = np.where(present, Kind.TEXT, Kind.MISSING).astype(np.uint8)
    return FeatureColumn(kinds, np.full(len(present), np.nan), _clusters(reference, matrix, present), ~present)


def _clusters(reference: VectorReference, matrix: Floats, present: NDArray[np.bool_]) -> list[str | None]:
    """The nearest cluster of each row by its number from 1, None for rows that are not `present`."""
    nearest = iter(reference.nearest(matrix).tolist())
    return [str(next(nearest) + 1) if own else None for own in present.tolist()]


def _has_vectors(column: FeatureColumn) -> bool:
    return column.kinds is Kind.VECTOR or (
        not isinstance(column.kinds, Kind) and bool((column.kinds == Kind.VECTOR).any())
    )


def _most_are(kind: type, values: Sequence[Any]) -> bool:
    own = sum(type(value) is kind for value in values)
    return 2 * own > sum(value is not None for value in values)


def _plain(column: Floats) -> list[float | None]:
    return [None if value != value else value for value in column.tolist()]
