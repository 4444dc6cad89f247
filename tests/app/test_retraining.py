"""One request per episode: enough labels since it began, and no other request within the cooldown."""

from typing import Any

import pytest

from app.alerts.incidents import Episode
from app.example_index import MOST_ENTRIES, ExampleIndex
from app.retraining import Retraining
from app.settings import RetrainingSettings
from app.windowing.panes import BlockName, Examples
from tests.app.closing import DAY, HOUR, MINUTE, SECOND

PANE = 10 * SECOND


def index_of(*panes: int, rows: int = 100, partition: int = 0) -> ExampleIndex:
    """An index with `rows` more rows in each pane, given by its number; each is one record of the topic."""
    index = ExampleIndex(7 * DAY)
    for count, number in enumerate(panes):
        known(index, number, count, rows * (count + 1), partition)
    return index


def known(index: ExampleIndex, pane: int, last: int, rows: int, partition: int = 0, block: int = 0) -> None:
    examples = Examples(BlockName("labels", partition, block), "1", partition, 0, last, rows)
    index.add(pane * PANE, (pane + 1) * PANE, [examples])


class TestExampleIndex:
    def test_rows_since_a_change(self) -> None:
        # pane      0  1  2  3  4       rows in each: 100
        #                 |change
        index = index_of(0, 1, 2, 3, 4)
        assert index.rows_since(2 * PANE) == 300
        stretch = index.since(2 * PANE)
        assert stretch is not None
        assert stretch.offsets == {"0": [2, 5]}
        assert (stretch.rows, stretch.start, stretch.end) == (300, 2 * PANE, 5 * PANE)

    def test_backwards_until_there_are_enough(self) -> None:
        stretch = index_of(0, 1, 2, 3, 4).since(4 * PANE, at_least=250)
        assert stretch is not None
        assert (stretch.offsets, stretch.rows) == ({"0": [2, 5]}, 300)

    def test_a_block_told_again_is_not_counted_again(self) -> None:
        index = index_of(0)
        known(index, 1, last=0, rows=100)
        assert index.rows_since(0) == 100
        known(index, 1, last=3, rows=150)
        assert index.rows_since(0) == 150
        assert index.rows_since(PANE) == 50

    def test_the_end_of_a_block_after_the_next_one(self) -> None:
        index = index_of(0)
        known(index, 1, last=9, rows=40, block=1)
        known(index, 2, last=4, rows=130)
        assert index.rows_since(0) == 170

    def test_partitions_have_their_own_offsets(self) -> None:
        index = index_of(0, 1)
        known(index, 1, last=7, rows=10, partition=3)
        stretch = index.since(0)
        assert stretch is not None
        assert stretch.offsets == {"0": [0, 2], "3": [0, 8]}

    def test_nothing(self) -> None:
        assert ExampleIndex(DAY).since(0) is None
        assert ExampleIndex(DAY).rows_since(0) == 0

    def test_bounded(self) -> None:
        index = index_of(*range(5000), rows=7)
        assert len(index.entries) <= MOST_ENTRIES
        assert index.rows_since(0) == 35000
        assert index.rows_since(4990 * PANE) == 70, "exact where it matters"
        stretch = index.since(0)
        assert stretch is not None
        assert stretch.offsets == {"0": [0, 5000]}

    def test_what_the_topic_holds_no_longer(self) -> None:
        index = ExampleIndex(keep_ms=HOUR)
        known(index, 0, last=0, rows=100)
        known(index, 361, last=1, rows=101)
        assert index.rows_since(0) == 1

    def test_state(self) -> None:
        index = index_of(0, 1, 2)
        assert ExampleIndex(7 * DAY, index.state()).state() == index.state()


def an_episode(
    since: int, kind: str | None = "performance", retrain: bool = False, version: str = "1", alert_id: str | None = None
) -> Episode:
    alert = {"alert_id": alert_id or f"{kind}-{since}", "rule": "accuracy", "summary": "credit 1: accuracy is 0.5."}
    return Episode(version=version, since=since, kind=kind, retrain=retrain, alert=alert)


def policy(**settings: Any) -> Retraining:
    own = RetrainingSettings(**{"min_labels": 200, "cooldown_s": 3600} | settings)
    return Retraining("credit", own, lambda version, now: "baseline-" + version)


class TestIncidents:
    def test_the_whole_request(self) -> None:
        request = policy().consider(40 * SECOND, [an_episode(20 * SECOND)], index_of(0, 1, 2, 3))
        assert request is not None
        assert request.pop("request_id")
        assert request == {
            "model": "credit",
            "version": "1",
            "trigger": "performance",
            "reason": "accuracy: credit 1: accuracy is 0.5.",
            "alert_ids": ["performance-20000"],
            "requested_at": "1970-01-01T00:00:40.000Z",
            "data": {
                "topic": "examples",
                "offsets": {"0": [2, 4]},
                "start": "1970-01-01T00:00:20.000Z",
                "end": "1970-01-01T00:00:40.000Z",
            },
            "baseline_id": "baseline-1",
        }

    def test_waits_for_labels(self) -> None:
        retraining, index, episode = policy(), index_of(0, 1, 2), an_episode(20 * SECOND)
        assert retraining.consider(30 * SECOND, [episode], index) is None, "100 since it began"
        known(index, 3, last=3, rows=400)
        assert retraining.consider(40 * SECOND, [episode], index) is not None

    def test_once_per_episode(self) -> None:
        retraining, index, episode = policy(cooldown_s=0), index_of(0, 1, 2, 3), an_episode(0)
        assert retraining.consider(40 * SECOND, [episode], index) is not None
        assert retraining.consider(50 * SECOND, [episode], index) is None
        retraining.consider(60 * SECOND, [], index)
        assert retraining.answered == [], "nothing is remembered of what is over"
        assert retraining.consider(70 * SECOND, [an_episode(10 * SECOND)], index) is not None, "another episode"

    def test_the_cooldown(self) -> None:
        retraining, index = policy(), index_of(0, 1, 2, 3)
        assert retraining.consider(MINUTE, [an_episode(0)], index) is not None
        later = [an_episode(0), an_episode(10 * SECOND)]
        assert retraining.consider(HOUR, later, index) is None
        request = retraining.consider(HOUR + MINUTE, later, index)
        assert request is not None
        assert request["alert_ids"] == ["performance-10000"], "it waited, and is still open"

    def test_several_at_once_are_one_request(self) -> None:
        episodes = [an_episode(0, "drift"), an_episode(10 * SECOND, "performance")]
        request = policy(on=["drift", "performance"]).consider(MINUTE, episodes, index_of(0, 1, 2, 3))
        assert request is not None
        assert request["trigger"] == "performance", "what does most harm"
        assert request["alert_ids"] == ["drift-0", "performance-10000"]
        assert request["data"]["start"] == "1970-01-01T00:00:00.000Z"

    @pytest.mark.parametrize(
        ("on", "kind", "retrain", "trigger"),
        [
            (["performance"], "performance", False, "performance"),
            (["performance"], "drift", False, None),  # not in the policy
            (["drift"], "drift", False, "drift"),
            ([], "drift", True, "drift"),  # the rule says so itself
            ([], None, True, "performance"),  # also one of another kind
            (["performance", "drift", "data_quality"], None, False, None),  # latency is nothing to learn from
        ],
    )
    def test_what_asks(self, on: list[str], kind: str | None, retrain: bool, trigger: str | None) -> None:
        request = policy(on=on).consider(MINUTE, [an_episode(0, kind, retrain)], index_of(0, 1, 2, 3))
        assert (request and request["trigger"]) == trigger

    def test_without_a_policy_only_rules_ask(self) -> None:
        index = index_of(0, 1, 2, 3, 4, 5)
        assert Retraining("m", None, lambda *_: None).consider(MINUTE, [an_episode(0)], index) is None
        assert Retraining("m", None, lambda *_: None).consider(MINUTE, [an_episode(0, None, True)], index) is not None

    def test_the_same_id_on_a_replay(self) -> None:
        index, episodes = index_of(0, 1, 2, 3), [an_episode(0)]
        ids = {request["request_id"] for _ in range(2) if (request := policy().consider(MINUTE, episodes, index))}
        assert len(ids) == 1


class TestSchedule:
    # Every hour, on the hour.
    def test_when_labels_have_come(self) -> None:
        retraining, index = policy(schedule="0 * * * *"), index_of(0, 1, 2)
        assert retraining.due() is None
        retraining.labelled(30 * SECOND)
        assert retraining.due() == HOUR
        request = retraining.scheduled(HOUR, "1", index)
        assert request is not None
        assert (request["trigger"], request["alert_ids"]) == ("schedule", [])
        assert request["data"]["offsets"] == {"0": [0, 3]}
        assert retraining.due() is None, "nothing new to learn from"

    def test_too_little(self) -> None:
        retraining = policy(schedule="0 * * * *", min_labels=301)
        retraining.labelled(30 * SECOND)
        assert retraining.scheduled(HOUR, "1", index_of(0, 1, 2)) is None

    def test_not_right_after_another(self) -> None:
        retraining, index = policy(schedule="0 * * * *"), index_of(0, 1, 2)
        retraining.consider(MINUTE, [an_episode(0)], index)
        retraining.labelled(2 * MINUTE)
        assert retraining.scheduled(HOUR, "1", index) is None
        retraining.labelled(HOUR + MINUTE)
        assert retraining.due() == 2 * HOUR
        assert retraining.scheduled(2 * HOUR, "1", index) is not None

    def test_state(self) -> None:
        retraining = policy(schedule="0 * * * *")
        retraining.labelled(MINUTE)
        retraining.consider(MINUTE, [an_episode(0)], index_of(0, 1, 2))
        own = RetrainingSettings(schedule="0 * * * *")
        assert Retraining("credit", own, lambda *_: None, retraining.state()).state() == retraining.state()
