"""What texts say in numbers, against Python row by row."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.relations.texts import FEWEST_TEXTS, TextReference, describe_texts, fit_text


def told(text: str | None) -> dict[str, float | None]:
    """One row, by what Python's strings say. Characters above the blocks with known spaces and digits are neither."""
    if text is None:
        return dict.fromkeys(("length", "words", "word_length", "digits", "non_ascii"))
    words, length = text.split(), len(text)
    return {
        "length": float(length),
        "words": float(len(words)),
        "word_length": sum(map(len, words)) / len(words) if words else None,
        "digits": sum(c.isdecimal() for c in text) / length if length else None,
        "non_ascii": sum(ord(c) > 127 for c in text) / length if length else None,
    }


characters = st.characters(max_codepoint=0x3000) | st.sampled_from("  \t\n aB0123é漢\U0001f600")
texts = st.lists(st.none() | st.text(characters, max_size=30), min_size=1, max_size=20)


@given(texts)
@settings(deadline=None)
def test_figures_are_those_of_each_text(rows: list[str | None]) -> None:
    found = describe_texts(rows)
    for place, row in enumerate(rows):
        own = {name: None if np.isnan(column[place]) else column[place] for name, column in found.items()}
        assert own == pytest.approx(told(row))


def test_what_is_no_text_is_missing() -> None:
    found = describe_texts([1.0, ["a"], True, "ab c"])
    assert [np.isnan(column[:3]).all() for column in found.values()] == [True] * 5
    assert [found[name][3] for name in ("length", "words", "word_length")] == [4.0, 2.0, 1.5]


def test_a_lone_surrogate_is_a_character() -> None:
    assert describe_texts(["\ud800a"])["length"].tolist() == [2.0]


def test_words_of_several_texts_are_known() -> None:
    rows = ["The pump leaks", "the valve leaks!", "THE motor", None, "mystery leaks"]
    reference, shares = fit_text(rows)
    assert reference.vocabulary == ("leaks", "the")
    assert reference.missing == 1
    outside = reference.out_of_vocabulary(["the leaks", "a new pump", "", None, "Leaks, badly"])
    assert outside[[0, 1, 4]].tolist() == [0.0, 1.0, 0.5]
    assert np.isnan(outside[2:4]).all()
    assert shares[[0, 4]].tolist() == [1 / 3, 0.5]


def test_reference_shares_are_as_high_as_those_of_new_texts() -> None:
    """By its own vocabulary every word of a text that occurs once would be known."""
    rng = np.random.default_rng(1)

    def written(rows: int) -> list[str]:
        return [" ".join(f"w{word}" for word in rng.zipf(1.3, 12) if word < 10**9) for _ in range(rows)]

    reference, own = fit_text(written(600))
    new = reference.out_of_vocabulary(written(600))
    assert FEWEST_TEXTS == 2
    assert np.nanmean(own) == pytest.approx(np.nanmean(new), abs=0.02)


def test_the_record_goes_round() -> None:
    reference, _ = fit_text(["a b", "b c", "a", None])
    assert TextReference.from_record(json.loads(json.dumps(reference.record()))) == reference
