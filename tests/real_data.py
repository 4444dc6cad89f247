"""Predictions of real models on real data: trained on the first third of a data set, made for the rest."""

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from river import datasets
from sklearn import metrics as sk
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

START = 1_790_000_000_000
STEP_MS = 250


@dataclass
class Case:
    """`rows`: the columns of the file, with what numpy needs beside them."""

    name: str
    task: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        names = [name for name in self.rows[0] if not name.startswith("_")]
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)


def case(name: str) -> Case:
    """Every tenth label never comes, the others some seconds to minutes late; one feature value in fifty is missing."""
    data = [(list(x.values()), y) for x, y in getattr(datasets, name)()]
    task = "regression" if isinstance(data[0][1], float) and name == "TrumpApproval" else "classification"
    values, truth = np.array([x for x, _ in data], float), [y if task == "regression" else _named(y) for _, y in data]
    third = len(data) // 3
    kind = RandomForestRegressor if task == "regression" else RandomForestClassifier
    model = kind(n_estimators=30, random_state=1).fit(values[:third], truth[:third])
    said = model.predict(values[third:])
    shares = model.predict_proba(values[third:]) if task == "classification" else None
    made = Case(name, task, classes=[] if shares is None else list(model.classes_))
    random = np.random.default_rng(3)
    for i, (row, true) in enumerate(zip(values[third:], truth[third:], strict=True)):
        line: dict[str, Any] = {f"x{k}": "" if random.random() < 0.02 else value for k, value in enumerate(row)}
        at = START + i * STEP_MS
        known = at + int(random.exponential(45_000)) if random.random() < 0.9 else None
        line |= {"timestamp": at, "prediction": said[i], "latency_ms": round(random.lognormal(2, 0.6), 3)}
        line |= {"label": "" if known is None else true, "label_timestamp": "" if known is None else known}
        line["channel"] = ("web", "app")[i % 2]
        if shares is not None:
            line |= {f"probability_{c}": p for c, p in zip(made.classes, shares[i].tolist(), strict=True)}
        line |= {"_known": known, "_true": true, "_shares": None if shares is None else shares[i]}
        made.rows.append(line)
    return made


def _named(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def expected(made: Case, size: int) -> dict[tuple[str, int], dict[str, Any]]:
    """(segment, start) -> what numpy and scikit-learn say of the file."""
    rows: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    pairs: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in made.rows:
        for segment in ("", row["channel"]):
            rows[segment, row["timestamp"] // size * size].append(row)
            if row["_known"] is not None:
                pairs[segment, row["_known"] // size * size].append(row)
    return {key: _window(made, rows.get(key, []), pairs.get(key, []), size) for key in rows.keys() | pairs.keys()}


def _window(made: Case, rows: list[dict[str, Any]], pairs: list[dict[str, Any]], size: int) -> dict[str, Any]:
    features = [name for name in made.rows[0] if name.startswith("x")]
    found: dict[str, float] = {}
    if rows:
        found |= {
            "throughput_per_s": len(rows) * 1000 / size,
            "error_rate": 0.0,
            "label_coverage": len(pairs) / len(rows),
        }
    if pairs:
        found |= _regression(pairs) if made.task == "regression" else _classification(made, pairs)
    return {
        "predictions": len(rows),
        "labels": len(pairs),
        "metrics": found,
        "latency": [row["latency_ms"] for row in rows],
        "missing": {name: sum(row[name] == "" for row in rows) / len(rows) for name in features} if rows else {},
    }


def _regression(pairs: list[dict[str, Any]]) -> dict[str, float]:
    true, said = np.array([row["_true"] for row in pairs]), np.array([row["prediction"] for row in pairs])
    found = {
        "mae": float(np.abs(said - true).mean()),
        "rmse": float(np.sqrt(((said - true) ** 2).mean())),
        "bias": float((said - true).mean()),
        "mape": float(np.abs((said - true) / true).mean()),
    }
    if len(pairs) > 1:
        found["r2"] = float(sk.r2_score(true, said))
    return found


def _classification(made: Case, pairs: list[dict[str, Any]]) -> dict[str, float]:
    true, said = [row["_true"] for row in pairs], [row["prediction"] for row in pairs]
    shares = np.array([row["_shares"] for row in pairs])
    hot = np.array([[label == name for name in made.classes] for label in true])
    own = np.clip(shares[hot], 1e-15, 1)
    found = {
        "accuracy": float(sk.accuracy_score(true, said)),
        "log_loss": float(-np.log(own).mean()),
        "estimated_accuracy_of_labelled": float(shares.max(axis=1).mean()),
    }
    present = sorted(set(true) | set(said))
    recalls = sk.recall_score(true, said, labels=sorted(set(true)), average=None, zero_division=0)
    found["balanced_accuracy"] = float(np.mean(recalls))
    found["f1_macro"] = float(sk.f1_score(true, said, labels=present, average="macro", zero_division=0))
    if len(made.classes) == 2:
        positive = made.classes[-1]
        found["brier"] = float(((shares[:, 1] - (np.array(true) == positive)) ** 2).mean())
        if len(set(true)) == 2:
            found["_roc_auc"] = float(sk.roc_auc_score(np.array(true) == positive, shares[:, 1]))
        if positive in said and positive in true:
            found["precision"] = float(sk.precision_score(true, said, pos_label=positive))
            found["recall"] = float(sk.recall_score(true, said, pos_label=positive))
    else:
        found["brier"] = float(((shares - hot) ** 2).sum(axis=1).mean())
    return found
