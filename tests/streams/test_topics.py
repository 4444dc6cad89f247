"""What is planned for each topic, and what counts as a difference."""

from dataclasses import replace

import pytest

from app.settings import LabelSettings, Settings, TopicSettings
from streams.topics import TopicFacts, TopicPlan, differences, plans, topic_name, unequal

CONTRACT = [
    "predictions",
    "labels",
    "resources",
    "baselines",
    "windows",
    "alerts",
    "retraining-requests",
    "examples",
    "dead-letters",
    "audit",
    "model-versions",
    "panes",
    "state",
]
DAY_MS = 86_400_000


def planned(settings: Settings) -> dict[str, TopicPlan]:
    return {plan.logical: plan for plan in plans(settings)}


def as_planned(settings: Settings) -> dict[str, TopicFacts]:
    return {plan.name: TopicFacts(plan.partitions, plan.replication, dict(plan.config)) for plan in plans(settings)}


def test_all_topics_of_the_contract_are_planned_once() -> None:
    assert sorted(plan.logical for plan in plans(Settings())) == sorted(CONTRACT)


def test_the_prefix_stands_before_each_name() -> None:
    settings = Settings(topic_prefix="team.")
    assert topic_name(settings, "panes") == "team.panes"
    assert all(plan.name == "team." + plan.logical for plan in plans(settings))


def test_sources_outlive_the_horizon() -> None:
    settings = Settings(labels=LabelSettings(horizon_s=30 * 86400))
    for name in ("predictions", "labels", "examples"):
        assert int(planned(settings)[name].config["retention.ms"]) > 30 * DAY_MS


@pytest.mark.parametrize("name", ["baselines", "model-versions", "state"])
def test_the_newest_of_each_key_is_kept_for_ever(name: str) -> None:
    assert planned(Settings())[name].config["cleanup.policy"] == "compact"


def test_joined_topics_have_equal_partition_counts() -> None:
    plan = planned(Settings(topics=TopicSettings(partitions=12)))
    assert {plan[name].partitions for name in ("predictions", "labels", "examples", "panes", "state")} == {12}


def test_the_audit_is_one_chain_without_end() -> None:
    audit = planned(Settings(topics=TopicSettings(partitions=12)))["audit"]
    assert audit.partitions == 1
    assert audit.config["retention.ms"] == "-1"


def test_three_copies_are_written_to_two_at_least() -> None:
    assert "min.insync.replicas" not in planned(Settings())["alerts"].config
    assert planned(Settings(topics=TopicSettings(replication=3)))["alerts"].config.get("min.insync.replicas") == "2"


def test_nothing_differs_from_the_plan_itself() -> None:
    assert differences(plans(Settings()), as_planned(Settings())) == []


def test_every_difference_is_named() -> None:
    settings = Settings(topics=TopicSettings(replication=2))
    found = as_planned(settings)
    del found["audit"]
    config = {**found["labels"].config, "retention.ms": "60000"}
    found["labels"] = TopicFacts(3, 1, config)
    found["state"] = replace(found["state"], config={**found["state"].config, "cleanup.policy": "delete"})
    named = [(one.topic, one.what, one.harmless) for one in differences(plans(settings), found)]
    assert named == [
        ("labels", "3 partitions, planned 4", False),
        ("labels", "replication 1, planned 2", False),
        ("labels", "retention.ms is 60 s, planned 8 days", False),
        ("state", "cleanup.policy is delete, planned compact", False),
        ("audit", "missing", False),
    ]


@pytest.mark.parametrize("kept", [str(90 * DAY_MS), "-1"])
def test_keeping_more_than_planned_is_named_but_no_fault(kept: str) -> None:
    found = as_planned(Settings())
    config = {**found["windows"].config, "retention.ms": kept}
    found["windows"] = TopicFacts(4, 3, config)
    named = differences(plans(Settings()), found)
    assert [one.harmless for one in named] == [True, True]


def test_keeping_less_than_for_ever_is_a_fault() -> None:
    found = as_planned(Settings())
    found["audit"] = replace(found["audit"], config={**found["audit"].config, "retention.ms": str(DAY_MS)})
    assert [(one.what, one.harmless) for one in differences(plans(Settings()), found)] == [
        ("retention.ms is 1 day, planned unlimited", False)
    ]


def test_a_broker_that_tells_no_settings_is_judged_by_what_it_tells() -> None:
    found = {name: TopicFacts(4, 1, None) for name in as_planned(Settings())}
    assert all(one.harmless for one in differences(plans(Settings()), found))


def test_unequal_counts_of_joined_topics_are_refused_with_the_counts() -> None:
    found = as_planned(Settings())
    found["labels"] = replace(found["labels"], partitions=8)
    (line,) = unequal(plans(Settings()), found)
    assert "predictions has 4, labels has 8, examples has 4" in line
    assert unequal(plans(Settings()), as_planned(Settings())) == []
