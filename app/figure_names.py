"""The names of the figures that a window can have, with their meaning."""

METRICS = {
    "accuracy": "Share of labelled predictions that were right.",
    "balanced_accuracy": "Mean over the classes of the share of each that was found.",
    "precision": "Of the positive class, with more than two classes the mean over all: the share of its predictions "
    "that were right.",
    "recall": "Of the positive class, with more than two classes the mean over all: the share of it that was found.",
    "f1": "Harmonic mean of precision and recall, of the positive class, else the mean over all.",
    "precision_macro": "Mean over the classes of their precision.",
    "recall_macro": "Mean over the classes of their recall.",
    "f1_macro": "Mean over the classes of their F1.",
    "log_loss": "Mean negative logarithm of the probability that was given to the truth.",
    "brier": "Mean squared distance of the probabilities from the truth.",
    "roc_auc": "Area under the ROC curve, from binned scores (binary).",
    "mae": "Mean absolute error of a regression.",
    "rmse": "Root of the mean squared error of a regression.",
    "r2": "Share of the truth's variance that a regression explains.",
    "bias": "Mean of prediction minus truth.",
    "mape": "Mean absolute error as a share of the truth.",
    "latency_p50_ms": "Median latency.",
    "latency_p95_ms": "95th percentile of the latency.",
    "latency_p99_ms": "99th percentile of the latency.",
    "latency_mean_ms": "Mean latency.",
    "throughput_per_s": "Predictions a second, weighted.",
    "error_rate": "Share of predictions that failed.",
    "label_coverage": "Labels that became known in the window, by predictions made in it.",
    "labels_corrected": "Labels that became known in the window and replaced another one.",
    "label_lag_p50_s": "Median time from a prediction to its label.",
    "label_lag_p95_s": "95th percentile of the time from a prediction to its label.",
    "label_lag_mean_s": "Mean time from a prediction to its label.",
    "estimated_accuracy": "Accuracy that the probabilities promise, over the window's predictions; calibrated where "
    "the baseline has labels.",
    "estimated_accuracy_calibrated": "The same, calibrated by the labels that have come; where the baseline has none.",
    "estimated_accuracy_of_labelled": "The same over the predictions whose truth became known in the window.",
    "duplicate_share": "Share of rows whose features and prediction another row has as well, beside the first of them.",
    "rule_violations": "Share of rows that break one of the consistency rules.",
    "incomplete_share": "Share of rows in which a required feature is missing or empty.",
    "schema_changes": "Features that came, went or changed their type since the baseline.",
    "data_age_mean_s": "Mean age of the data when predicted.",
    "data_age_p95_s": "95th percentile of the age of the data when predicted.",
    "estimated_accuracy_low": "Where the true accuracy is at least, in 95 of 100 windows.",
    "estimated_accuracy_high": "Where the true accuracy is at most, in 95 of 100 windows.",
    "estimated_precision": "Precision that calibrated probabilities promise.",
    "estimated_precision_low": "Lower end of its interval.",
    "estimated_precision_high": "Upper end of its interval.",
    "estimated_recall": "Recall that calibrated probabilities promise.",
    "estimated_recall_low": "Lower end of its interval.",
    "estimated_recall_high": "Upper end of its interval.",
    "estimated_f1": "F1 that calibrated probabilities promise.",
    "estimated_f1_low": "Lower end of its interval.",
    "estimated_f1_high": "Upper end of its interval.",
    "estimated_roc_auc": "Area under the ROC curve that calibrated probabilities promise (binary).",
    "estimated_roc_auc_low": "Lower end of its interval.",
    "estimated_roc_auc_high": "Upper end of its interval.",
    "estimated_mae": "Mean absolute error that a labelled baseline expects of a regression's predictions.",
    "estimated_mae_low": "Lower end of its interval.",
    "estimated_mae_high": "Upper end of its interval.",
    "estimated_rmse": "Root of the mean squared error that a labelled baseline expects.",
    "estimate_error": "Realised less estimated accuracy (of a regression: mean absolute error) over the newest labels.",
    "reconstruction_error": "Mean distance of rows from the relations between features in the baseline, in deviations.",
    "classifier_auc": "How well a classifier tells the window's rows from the baseline's: 0.5 is not at all.",
    "drift_share": "Share of the features that count as drifted.",
    "cpu_percent": "Processor use, mean over the instances.",
    "memory_bytes": "Memory, mean over the instances.",
    "gpu_percent": "Accelerator use, mean over the instances.",
    "gpu_memory_bytes": "Accelerator memory, mean over the instances.",
}
# Binary models have these for each class as well: `recall_reject`.
BY_CLASS = ("precision", "recall", "f1")
DATA_QUALITY = {
    "missing": "Share of rows without a value: null or absent.",
    "null": "Share of rows in which the feature is null.",
    "absent": "Share of rows that do not name the feature.",
    "empty": "Share of rows with an empty text.",
    "type_errors": "Values of another type than the feature's.",
    "out_of_range": "Share of values outside the configured range, or else the baseline's.",
    "unseen": "Share of values that are categories which the baseline does not know.",
    "constant": "1 where all values are the same, which the baseline's are not.",
    "distinct": "How many different texts there are, within a few percent.",
    "violations": "Share of rows that break a consistency rule, which stands in place of the feature.",
    "cardinality": "`distinct` by what as many rows of the baseline would have.",
}
DRIFT = {
    "psi": "Population stability index, its bias taken out.",
    "js": "Jensen-Shannon distance.",
    "hellinger": "Hellinger distance.",
    "total_variation": "Share of rows that lie in other bins.",
    "chi_square": "Chi-square statistic of the counts.",
    "ks": "Kolmogorov-Smirnov statistic, of numbers.",
    "wasserstein": "Wasserstein distance, of numbers, in the feature's unit.",
    "wasserstein_normalised": "The same in standard deviations of the baseline.",
    "p_value": "How likely such a difference is by chance, where nothing has changed.",
    "tolerance_p_value": "How likely it is by chance, where the change is just small enough not to matter.",
}

# Of the relations between features: what a bad value of says that the data have drifted.
MULTIVARIATE = ("reconstruction_error", "classifier_auc")


def is_of_window(name: str) -> bool:
    """Whether it is a figure of a whole window."""
    return name in METRICS or name.startswith(tuple(f"{metric}_" for metric in BY_CLASS))


def is_of_feature(name: str) -> bool:
    """Whether each feature has a figure of this name."""
    return name in DATA_QUALITY or name in DRIFT


def described(meanings: dict[str, str]) -> dict[str, object]:
    """JSON Schema: an object of numbers, the known ones with their meaning."""
    known = {name: {"type": "number", "description": text} for name, text in meanings.items()}
    return {"type": "object", "properties": known, "additionalProperties": {"type": "number"}}
