"""NannyML over the file that is named: run by `bench/statistics/replay.py` in an environment of its own."""

import sys
import warnings

warnings.filterwarnings("ignore")

import nannyml  # noqa: E402
import pandas  # noqa: E402

REFERENCE_ROWS = 100_000
FEATURES = [*(f"x{place}" for place in range(8)), "region", "plan"]
METRICS = ["roc_auc", "f1", "precision", "recall", "accuracy"]
BY_DAY = {"timestamp_column_name": "timestamp", "chunk_period": "D"}


def main(path: str) -> None:
    """The first rows are the reference; each calculator has its defaults but for chunks of a day."""
    rows = pandas.read_parquet(path)
    reference = rows.iloc[:REFERENCE_ROWS]
    drift = nannyml.UnivariateDriftCalculator(column_names=FEATURES, **BY_DAY).fit(reference).calculate(rows)
    performance = nannyml.PerformanceCalculator(
        y_pred_proba="probability",
        y_pred="prediction",
        y_true="label",
        problem_type="classification_binary",
        metrics=METRICS,
        **BY_DAY,
    )
    performance.fit(reference)
    found = performance.calculate(rows)
    print(len(drift.to_df()), "chunks of drift,", len(found.to_df()), "of performance")


main(sys.argv[1])
