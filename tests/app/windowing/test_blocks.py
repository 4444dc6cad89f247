"""Running totals of a block are the same however its records are cut into chunks."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding.chunks import RawChunk
from app.decoding.decode import decode_predictions
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.drift.timeline import NOTHING
from app.settings import Settings
from app.sources.watermarks import earlier_maximum
from app.windowing.blocks import Block
from tests.traffic import binary_traffic

SETTINGS = Settings(models={"credit": {"segments": ["channel", "f0"]}})
RECORDS = [record.value for record in binary_traffic(300, rate=20).of("predictions")]
ROWS = ReferenceData({"f1": [i / 100 for i in range(100)]}, ["approve"] * 100)
BASELINE = fit("credit", "1", ROWS, created_at=0, origin="file")


def fed(block: Block, records: list[bytes], edges: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Counts the records, cut at `edges`: after each chunk the offset behind it, and the watermark."""
    watermark = None
    for start, stop in pairwise(edges):
        stamps = np.full(stop - start, 1_800_000_000_000)
        raw = RawChunk(np.arange(start, stop), stamps, [None] * (stop - start), records[start:stop])
        decoded = decode_predictions(raw, SETTINGS)
        watermarks = earlier_maximum(decoded.times, decoded.offsets, watermark)
        for run in decoded.runs:
            block.count_predictions(run.columns, watermarks[run.rows], None)
        watermark = int(max(decoded.times.max(), watermark or 0))
        yield stop, watermark


def count(cuts: list[int], baseline: Baseline | None) -> bytes:
    """The parts of the block after its records came in chunks cut at `cuts`."""
    timeline = NOTHING if baseline is None else NOTHING.heard(baseline)
    block = Block(("predictions", 0), 0, SETTINGS, lambda model, version: timeline)
    assert [stop for stop, _ in fed(block, RECORDS, sorted({0, *cuts, len(RECORDS)}))][-1] == len(RECORDS)
    parts = [message.value for message in block.parts(len(RECORDS) - 1)]
    return orjson.dumps(parts, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize("baseline", [None, BASELINE], ids=["without baseline", "with baseline"])
@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, len(RECORDS) - 1), max_size=20))
def test_a_part_says_the_same_however_its_records_were_fetched(cuts: list[int], baseline: Baseline | None) -> None:
    assert count(cuts, baseline) == count([], baseline)


def test_only_what_changed_is_sent_and_it_is_the_whole_total() -> None:
    block = Block(("predictions", 0), 0, SETTINGS, lambda model, version: NOTHING)
    raw = RawChunk(np.arange(2), np.full(2, 1_800_000_000_000), [None] * 2, RECORDS[:2])
    for _ in range(2):
        for run in decode_predictions(raw, SETTINGS).runs:
            block.count_predictions(run.columns, np.full(run.columns.size, np.iinfo(np.int64).min), None)
        parts = block.parts(1)
    totals = [part for message in parts for part in message.value["totals"] if part["segment"] == {}]
    assert sum(part["state"]["traffic"][0] for part in totals) == 4
    assert block.parts(1) == []


IN_TIME = [record.value for record in binary_traffic(300, rate=1, late_share=0.1).of("predictions")]
# One a second, up to five seconds late, and some of them too late.
SLOW = [IN_TIME[place] for place in np.argsort(np.arange(300) + np.random.default_rng(1).uniform(0, 6, 300))]


def told(size: int, forgets: bool) -> tuple[dict[str, object], int]:
    """The newest part of each group of a slow source, sent after every `size` records; the most groups at once."""
    block = Block(("predictions", 0), 0, SETTINGS, lambda model, version: NOTHING)
    newest: dict[str, object] = {}
    most = 0
    for stop, watermark in fed(block, SLOW, [*range(0, len(SLOW), size), len(SLOW)]):
        most = max(most, sum(len(totals.groups) for totals in block.versions.values()))
        for message in block.parts(stop - 1):
            for part in message.value["totals"]:
                group = {name: value for name, value in part.items() if name != "state"} | {
                    "v": message.value["version"]
                }
                newest[orjson.dumps(group).decode()] = orjson.loads(
                    orjson.dumps(part["state"], option=orjson.OPT_SERIALIZE_NUMPY)
                )
        if forgets:
            block.forget(watermark)
    return newest, most


@pytest.mark.parametrize("size", [1, 7, 60])
def test_of_a_slow_source_only_open_panes_are_kept_and_the_parts_say_the_same(size: int) -> None:
    (told_so, kept), (as_ever, all_of_them) = told(size, forgets=True), told(size, forgets=False)
    assert told_so == as_ever
    assert any(orjson.loads(group)["late"] for group in as_ever)
    assert all_of_them == len(as_ever) > 100
    # Two versions of each segment in the panes of one step, of the lateness, and the one that is open.
    assert kept < all_of_them * (size + 25) / len(SLOW)


def test_many_segments_are_sent_in_several_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.windowing.blocks.BYTES_A_MESSAGE", 50_000)
    block = Block(("predictions", 0), 0, Settings(), lambda model, version: NOTHING)
    events = [orjson.loads(RECORDS[0]) | {"segments": {"user": f"u{i}"}, "prediction_id": str(i)} for i in range(450)]
    raw = RawChunk(np.arange(450), np.full(450, 1_800_000_000_000), [None] * 450, [orjson.dumps(e) for e in events])
    for run in decode_predictions(raw, Settings()).runs:
        block.count_predictions(run.columns, np.full(450, np.iinfo(np.int64).min), None)
    parts = block.parts(449)
    sizes = [len(orjson.dumps(message.value["totals"], option=orjson.OPT_SERIALIZE_NUMPY)) for message in parts]
    assert sum(len(message.value["totals"]) for message in parts) == 451
    assert len(sizes) > 3
    assert max(sizes) < 51_000
    assert {message.value["offset"] for message in parts} == {449}


def test_a_baseline_that_arrives_within_a_block_counts_from_the_next_pane() -> None:
    #  panes    |--- a ---|--- b ---|--- c ---
    #  chunks   1111111 2222222222 33333333333     the baseline comes after chunk 1
    known = [NOTHING]
    block = Block(("predictions", 0), 0, SETTINGS, lambda model, version: known[-1])
    for _ in fed(block, RECORDS, (0, 100, 200, len(RECORDS))):
        if known == [NOTHING]:
            begun = max(group.pane for totals in block.versions.values() for group in totals.groups)
            known.append(NOTHING.heard(BASELINE))
    whole = block.versions["credit", "1"].groups
    drifts = {group.pane: bool(totals.drift(BASELINE)) for group, totals in whole.items() if group.segment == ()}
    assert len(drifts) >= 2
    assert drifts == {pane: pane > begun for pane in drifts}
    rows = sum(totals.predictions for group, totals in whole.items() if group.segment == ())
    assert rows == sum(orjson.loads(record)["version"] == "1" for record in RECORDS)
