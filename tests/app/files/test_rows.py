"""From the columns of a file to events: what each column means, and which rows are mistakes."""

from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.decoding.records import decode_label, decode_prediction
from app.files import UnreadableFile, open_table
from app.files.layout import Layout, Wishes, kinds, lay_out
from app.files.rows import Event, read_events
from app.timestamps import milliseconds

START_MS = milliseconds("2026-11-20T12:00:00Z")


def laid_out(path: Path, **wishes: Any) -> Layout:
    asked = Wishes("credit", **wishes)
    return lay_out(open_table(path, kinds(asked.task, asked.segments)), asked, START_MS, 10.0)


def read(path: Path, **wishes: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """(predictions, labels, mistakes as `row: what`)"""
    events: list[Event] = []
    mistakes: list[str] = []
    asked = Wishes("credit", **wishes)
    table = open_table(path, kinds(asked.task, asked.segments))
    for chunk in read_events(table, lay_out(table, asked, START_MS, 10.0)):
        events += chunk.events
        mistakes += [f"{mistake.row}: {mistake.what}" for mistake in chunk.mistakes]
    decode = {"predictions": decode_prediction, "labels": decode_label}
    for event in events:
        decode[event.topic](event.value)  # what ingest reads
        value = orjson.loads(event.value)
        assert event.key.decode() == value["prediction_id"]
        assert event.time_ms == milliseconds(value["timestamp"])
    by_topic = {topic: [orjson.loads(event.value) for event in events if event.topic == topic] for topic in decode}
    return by_topic["predictions"], by_topic["labels"], mistakes


def csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    return path


def test_every_column_finds_its_field(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "prediction_id,timestamp,version,prediction,probability,label,label_timestamp,latency_ms,error,weight,channel,"
        "income,region,secret\n"
        "7c1e,2026-11-20T12:00:00.123Z,1.10,approve,0.25,reject,2026-11-20T14:00:00+01:00,12.4,,2,web,41000,,x\n",
    )
    predictions, labels, mistakes = read(path, segments=("channel",), ignore=("secret",))
    assert mistakes == []
    assert predictions == [
        {
            "prediction_id": "7c1e",
            "model": "credit",
            "version": "1.10",
            "timestamp": "2026-11-20T12:00:00.123Z",
            "features": {"income": 41000, "region": None},
            "prediction": "approve",
            "probabilities": {"approve": 0.75, "reject": 0.25},
            "latency_ms": 12.4,
            "segments": {"channel": "web"},
            "weight": 2,
        }
    ]
    assert labels == [{"prediction_id": "7c1e", "label": "reject", "timestamp": "2026-11-20T13:00:00.000Z"}]


def test_beside_probabilities_numbers_are_classes(tmp_path: Path) -> None:
    predictions, labels, _ = read(csv(tmp_path, "prediction,probability,label\n1.0,0.75,0\n0,0.25,\n"))
    assert [event["prediction"] for event in predictions] == ["1", "0"]
    assert predictions[0]["probabilities"] == {"0": 0.25, "1": 0.75}
    assert [label["label"] for label in labels] == ["0"]


def test_the_configured_class_is_the_positive_one(tmp_path: Path) -> None:
    path = csv(tmp_path, "prediction,probability\napprove,0.75\nreject,0.25\n")
    assert read(path, positive="approve")[0][0]["probabilities"] == {"reject": 0.25, "approve": 0.75}
    with pytest.raises(UnreadableFile, match="the positive class is 'yes', but the classes are approve, reject"):
        laid_out(path, positive="yes")


@pytest.mark.parametrize(
    ("cells", "probabilities"),
    [
        (["true", "true"], {"false": 0.25, "true": 0.75}),
        (["0", "0"], {"0": 0.25, "1": 0.75}),
        (["a", "a"], {"a": 0.75}),
    ],
)
def test_one_class_alone_knows_the_other_of_a_usual_pair(
    tmp_path: Path, cells: list[str], probabilities: dict[str, float]
) -> None:
    path = csv(tmp_path, "prediction,probability\n" + "".join(f"{cell},0.75\n" for cell in cells))
    assert read(path)[0][0]["probabilities"] == probabilities


def test_a_column_for_each_class(tmp_path: Path) -> None:
    path = csv(tmp_path, "prediction,probability_1.0,probability_2,probability_3\n1,0.5,0.25,0.25\n2,,0.9,0.1\n")
    predictions, _, _ = read(path)
    assert [event["prediction"] for event in predictions] == ["1", "2"]
    assert [event["probabilities"] for event in predictions] == [{"1": 0.5, "2": 0.25, "3": 0.25}, {"2": 0.9, "3": 0.1}]


def test_numbers_alone_are_a_regression_and_few_of_them_are_asked_about(tmp_path: Path) -> None:
    path = csv(tmp_path, "prediction,label\n1,0\n0,0\n")
    assert [event["prediction"] for event in read(path)[0]] == [1, 0]
    assert "taken as a regression's; if they are classes, say --task classification" in laid_out(path).notes[0]
    assert [event["prediction"] for event in read(path, task="classification")[0]] == ["1", "0"]
    assert laid_out(path, task="classification").notes == ()


def test_a_regression_has_no_text(tmp_path: Path) -> None:
    predictions, labels, mistakes = read(csv(tmp_path, "prediction,label\n1.5,2\nx,2\n2,y\n"), task="regression")
    assert [event["prediction"] for event in predictions] == [1.5]
    assert [label["label"] for label in labels] == [2]
    assert mistakes == [
        "3: prediction: 'x' is no number, and the model is a regression",
        "4: label: 'y' is no number, and the model is a regression",
    ]


def test_missing_ids_are_the_same_every_time_and_different_for_each_row(tmp_path: Path) -> None:
    path = csv(tmp_path, "prediction_id,prediction,label\nmine,a,a\n,b,b\n,c,c\n")
    once, labels, _ = read(path)
    again, _, _ = read(path)
    ids = [event["prediction_id"] for event in once]
    assert ids == [event["prediction_id"] for event in again] == [label["prediction_id"] for label in labels]
    assert ids[0] == "mine"
    assert len(set(ids)) == 3


def test_rows_without_times_follow_each_other(tmp_path: Path) -> None:
    predictions, labels, _ = read(csv(tmp_path, "prediction,label\na,a\nb,b\n"), label_delay_ms=60_000)
    times = [event["timestamp"] for event in predictions]
    assert times == ["2026-11-20T12:00:00.000Z", "2026-11-20T12:00:00.010Z"]
    assert [label["timestamp"] for label in labels] == ["2026-11-20T12:01:00.000Z", "2026-11-20T12:01:00.010Z"]


def test_a_label_without_a_time_is_known_with_its_prediction(tmp_path: Path) -> None:
    path = csv(
        tmp_path, "timestamp,prediction,label,label_timestamp\n1763640000.5,a,a,\n1763640000500,a,b,1763640001\n"
    )
    _, labels, _ = read(path)
    assert [label["timestamp"] for label in labels] == ["2025-11-20T12:00:00.500Z", "2025-11-20T12:00:01.000Z"]


def test_labels_can_come_alone(tmp_path: Path) -> None:
    path = csv(tmp_path, "prediction_id,label,label_timestamp\na,1.5,1763640000\n,2,1763640000\nc,,1763640000\nd,1,\n")
    predictions, labels, mistakes = read(path)
    assert predictions == []
    assert labels == [{"prediction_id": "a", "label": 1.5, "timestamp": "2025-11-20T12:00:00.000Z"}]
    assert mistakes == [
        "3: prediction_id: missing, and a label alone can't be without",
        "4: label: missing",
        "5: label_timestamp: missing",
    ]


def test_a_failed_prediction_needs_none(tmp_path: Path) -> None:
    predictions, _, mistakes = read(csv(tmp_path, "prediction,error,x\n,timeout,1\na,,2\n,,3\n"))
    assert [event.get("error") for event in predictions] == ["timeout", None]
    assert "prediction" not in predictions[0]
    assert mistakes == ["4: neither prediction nor error"]


@pytest.mark.parametrize(
    ("column", "cell", "what"),
    [
        ("timestamp", "", "timestamp: missing"),
        ("timestamp", "yesterday", "timestamp: 'yesterday' is no time"),
        ("timestamp", "2026-11-20 12:00", "timestamp: '2026-11-20 12:00' is no time"),
        ("timestamp", "1e300", "timestamp: 1e+300 is no time"),
        ("timestamp", "inf", "timestamp: inf is no time"),
        ("timestamp", "1950-01-01T00:00:00Z", "is before 1970"),
        ("label_timestamp", "soon", "label_timestamp: 'soon' is no time"),
        ("probability", "1.2", "probability: 1.2 should be from 0 to 1"),
        ("probability", "x", "probability: 'x' is no number"),
        ("latency_ms", "-1", "latency_ms: -1.0 should be 0 or more"),
        ("weight", "0", "weight: 0.0 should be above 0"),
        ("income", "inf", "income: inf is no number that JSON has"),
        ("prediction_id", "x" * 600, "prediction_id: 600 characters, and at most 512 are read"),
        ("version", "x" * 300, "version: 300 characters, and at most 200 are read"),
    ],
)
def test_a_mistake_is_told_with_its_row_and_costs_only_that(tmp_path: Path, column: str, cell: str, what: str) -> None:
    good = {
        "prediction_id": "p",
        "timestamp": "2026-11-20T12:00:00Z",
        "version": "1",
        "prediction": "a",
        "probability": "0.5",
        "label": "b",
        "label_timestamp": "2026-11-20T12:00:00Z",
        "latency_ms": "1.5",
        "weight": "1",
        "income": "2.5",
    }
    lines = [",".join(good), ",".join(good.values()), ",".join({**good, column: cell}.values())]
    predictions, _, mistakes = read(csv(tmp_path, "\n".join(lines) + "\n"))
    assert len(predictions) == 1
    assert len(mistakes) == 1
    assert mistakes[0].startswith("3: ")
    assert what in mistakes[0]


def test_features_of_typed_files(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows: list[dict[str, Any]] = [
        {"prediction": True, "x": [1, 2.5], "flag": False, "big": 2**60, "none": None},
        {"prediction": True, "x": {"nested": 1}},
        {"prediction": True, "x": [1, "a"]},
        {"prediction": ["a"], "x": 1},
    ]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    predictions, _, mistakes = read(path)
    assert [event["features"] for event in predictions] == [
        {"x": [1, 2.5], "flag": False, "big": float(2**60), "none": None}
    ]
    assert predictions[0]["prediction"] is True
    assert mistakes == [
        "2: x: {'nested': 1} is no feature (a number, text, true or false, a list of numbers)",
        "3: x: 'a' is no number",
        "4: prediction: ['a'] is no number",
    ]


def test_parquet_becomes_the_same_events(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    at = pa.array([START_MS * 1_000_000 + 123_456_789, None], pa.timestamp("ns"))
    columns = {
        "timestamp": at,
        "prediction_id": pa.array([12, 13]),
        "version": pa.array([3.0, 3.0]),
        "prediction": pa.array([1.5, 2.5]),
        "seen": at,
        "gap": pa.array([float("nan"), 1.0]),
    }
    pq.write_table(pa.table(columns), path)
    predictions, _, mistakes = read(path)
    assert predictions == [
        {
            "prediction_id": "12",
            "model": "credit",
            "version": "3",
            "timestamp": "2026-11-20T12:00:00.123Z",
            "features": {"seen": "2026-11-20T12:00:00.123000+00:00", "gap": None},
            "prediction": 1.5,
        }
    ]
    assert mistakes == ["2: timestamp: missing"]


@pytest.mark.parametrize(
    ("header", "wishes", "why"),
    [
        ("x,y", {}, "no column 'prediction'"),
        ("predictions,y", {}, "did you mean 'predictions'?"),
        ("label,x", {}, "labels alone need the column 'prediction_id'"),
        (
            "prediction,channel",
            {"segments": ("chanel",)},
            r"no column 'chanel' \(--segments\) \(did you mean 'channel'",
        ),
        ("prediction,x", {"ignore": ("z",)}, r"no column 'z' \(--ignore\) \(columns: prediction, x\)"),
        ("prediction,probability,probability_a", {}, "both 'probability' and 'probability_a'"),
        ("prediction,probability", {"task": "regression"}, "a regression has no column 'probability'"),
    ],
)
def test_columns_that_make_no_events_are_refused(tmp_path: Path, header: str, wishes: dict[str, Any], why: str) -> None:
    with pytest.raises(UnreadableFile, match=why):
        laid_out(csv(tmp_path, f"{header}\n"), **wishes)


def test_one_probability_is_not_enough_for_three_classes(tmp_path: Path) -> None:
    path = csv(tmp_path, "prediction,probability\na,0.5\nb,0.5\nc,0.5\n")
    with pytest.raises(UnreadableFile, match=r"there are 3 \(a, b, c\): name the columns probability_<class>"):
        laid_out(path)


def test_an_ignored_column_has_no_meaning(tmp_path: Path) -> None:
    path = csv(tmp_path, "prediction,label,timestamp\na,b,nonsense\n")
    predictions, labels, mistakes = read(path, ignore=("label", "timestamp"))
    assert (len(predictions), labels, mistakes) == (1, [], [])
