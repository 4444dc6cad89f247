import orjson

from app.sources.marks import MOST_RAISES, Mark, Raise, mark_of

NOW = 1_795_176_000_000
# offset.metadata.max.bytes of a broker
LARGEST_METADATA = 4096


def test_what_a_commit_carries_is_read_again() -> None:
    for mark in (
        Mark(),
        Mark(NOW),
        Mark(NOW, NOW - 5, NOW + 7, (Raise(12, NOW + 10), Raise(90, NOW + 20)), 7 << 20, "worker-1"),
    ):
        assert mark_of(mark.metadata()) == mark
    assert Mark().metadata() == ""


def test_the_first_version_wrote_a_lone_number() -> None:
    assert mark_of("100") == Mark(100, 100)


def test_a_slow_partition_keeps_the_newest_raises_that_a_broker_takes() -> None:
    raises = tuple(Raise(10**12 + offset, NOW + offset * 10_000) for offset in range(1000))
    metadata = Mark(NOW, NOW, NOW, raises, NOW << 20, "w" * 100).metadata()
    assert len(metadata) <= LARGEST_METADATA
    assert mark_of(metadata).raises == raises[-MOST_RAISES:]
    assert orjson.loads(metadata)[0] == NOW
