"""Text in numbers: how long it is, what it is made of, and how many of its words the reference does not know."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats, Ints, Kind

# Words are looked up in its beginning, which is all that is kept of the rows that a reference is fitted from.
LOOKED_UP = 256
VOCABULARY = 2_000
# A word in one text alone may be a name; whoever has a baseline should not read it there.
FEWEST_TEXTS = 2
LONGEST_WORD = 40
_WORD = re.compile(r"\w+")
# Above it lie scripts whose spaces and digits are none of ours.
_TABLE = 0x3001


@dataclass(frozen=True)
class TextReference:
    """A feature that is text: the words, at most 2,000, that most texts have, and at least two."""

    missing: int
    vocabulary: tuple[str, ...]
    kind: Kind = Kind.TEXT

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.vocabulary)

    def out_of_vocabulary(self, texts: Sequence[Any]) -> Floats:
        """(n,) share of the words of each text that are not in the vocabulary; NaN where there is no word."""
        return np.array([_share_outside(words_of(text), self._known) for text in texts])

    def record(self) -> dict[str, Any]:
        return {"type": "text", "vocabulary": list(self.vocabulary), "missing": self.missing}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "TextReference":
        return cls(int(record["missing"]), tuple(map(str, record["vocabulary"])))


def fit_text(texts: Sequence[Any]) -> tuple[TextReference, Floats]:
    """The reference of texts, and (n,) the share of words out of the vocabulary of each.

    Each share is by the vocabulary of the other texts: its own words would make it look better known than a new one.
    """
    words = [words_of(text) for text in texts]
    times = Counter(word for own in words for word in set(own) if len(word) <= LONGEST_WORD)
    ranked = sorted((word for word, n in times.items() if n >= FEWEST_TEXTS), key=lambda word: (-times[word], word))
    reference = TextReference(sum(text is None for text in texts), tuple(ranked[:VOCABULARY]))
    of_others = frozenset(word for word in reference.vocabulary if times[word] > FEWEST_TEXTS)
    return reference, np.array([_share_outside(own, of_others) for own in words])


def words_of(text: Any) -> list[str]:
    """Runs of letters and digits of the text's beginning, in lower case; none where it is no text."""
    if type(text) is not str:
        return []
    words: list[str] = _WORD.findall(text[:LOOKED_UP].lower())
    return words


def _share_outside(words: Sequence[str], known: frozenset[str]) -> float:
    return (len(words) - sum(map(known.__contains__, words))) / len(words) if words else float("nan")


def describe_texts(texts: Sequence[Any]) -> dict[str, Floats]:
    """Figures of each text, (n,), NaN where it is no text or there is nothing to take a share of.

    `length` in characters, `words` between white space, `word_length` their mean length in characters, `digits` and
    `non_ascii` as shares of the characters.
    """
    own = [text if type(text) is str else None for text in texts]
    present = np.array([text is not None for text in own], np.bool_)
    lengths = np.array([0 if text is None else len(text) for text in own], np.int64)
    codes = np.frombuffer("".join(filter(None, own)).encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    low = np.minimum(codes, _TABLE - 1)
    space, digit = (table[low] & (codes < _TABLE) for table in _tables())
    first = np.zeros(len(codes), np.bool_)
    first[starts[lengths > 0]] = True
    begins = ~space & (first | np.concatenate([[True], space[:-1]])[: len(codes)])
    words, spaces, digits, foreign = (_sums(flags, starts, ends) for flags in (begins, space, digit, codes > 127))
    return {
        "length": np.where(present, lengths.astype(np.float64), np.nan),
        "words": np.where(present, words.astype(np.float64), np.nan),
        "word_length": _ratio(lengths - spaces, words),
        "digits": _ratio(digits, lengths),
        "non_ascii": _ratio(foreign, lengths),
    }


def _sums(flags: NDArray[np.bool_], starts: Ints, ends: Ints) -> Ints:
    """(n,) how many flags each stretch has; stretches may be empty."""
    sums = np.concatenate([[0], np.cumsum(flags)])
    counts: Ints = sums[ends] - sums[starts]
    return counts


def _ratio(above: Ints, below: Ints) -> Floats:
    shares: Floats = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return shares


@cache
def _tables() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    characters = [chr(code) for code in range(_TABLE)]
    return np.array([c.isspace() for c in characters]), np.array([c.isdecimal() for c in characters])
