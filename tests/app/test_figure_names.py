"""Every figure that is computed has a name that rules may use and schemas explain."""

from app.figure_names import METRICS, is_of_feature, is_of_window
from tests.app.closing import labelled, predictions, regressed, used


def test_computed_metrics_are_known() -> None:
    classification = predictions(10, errors=1, into=labelled(6, 3, probability=0.8)).metrics(60)
    computed = {*classification, *regressed([1.0, -2.0, 3.0]).metrics(60), *used(serving=40.0).metrics(60)}
    assert {"accuracy", "f1_yes", "label_lag_p95_s", "rmse", "cpu_percent", "throughput_per_s"} <= computed
    assert [name for name in computed if not is_of_window(name)] == []


def test_figures_of_features_are_known() -> None:
    quality = predictions(4, features={"income": [1.0, 2.0, float("nan"), 4.0]}).data_quality(None)
    assert quality["income"]["missing"] == 0.25
    assert [name for name in quality["income"] if not is_of_feature(name)] == []


def test_names_of_windows_and_of_features_are_kept_apart() -> None:
    assert [name for name in METRICS if is_of_feature(name)] == []
    assert not is_of_window("psi")
    assert not is_of_window("acuracy")
