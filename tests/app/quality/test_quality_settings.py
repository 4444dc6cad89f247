"""What can be said of a model's data, and where a mistake in it is."""

from pathlib import Path

import pytest

from app.settings import ConfigurationError, Settings, load


def read(tmp_path: Path, quality: str) -> Settings:
    file = tmp_path / "inferwatch.yaml"
    file.write_text(f"models:\n  credit:\n    quality:\n{quality}")
    return load(file, {})


def test_all_of_it(tmp_path: Path) -> None:
    quality = (
        read(
            tmp_path,
            """
      ranges: {income: [0, null], age: [18, 120.5]}
      rules:
        - income >= 0
        - 'country in ["DE", "FR"]'
      required: [income, country]
      freshness: as_of
""",
        )
        .models["credit"]
        .quality
    )
    assert quality.ranges == {"income": (0, None), "age": (18, 120.5)}
    assert list(quality.expressions) == quality.rules == ["income >= 0", 'country in ["DE", "FR"]']
    assert quality.required == ["income", "country"]
    assert quality.freshness == "as_of"


@pytest.mark.parametrize(
    ("quality", "place", "why"),
    [
        ("      ranges:\n        income: [1, 0]\n", ":5:17: models.credit.quality.ranges.income", "above the highest"),
        ("      ranges: {income: [null, null]}\n", ":4:24: models.credit.quality.ranges.income", "needs a bound"),
        ("      ranges: {income: [0]}\n", "models.credit.quality.ranges.income", "is missing"),
        ("      ranges: {income: [a, 1]}\n", "models.credit.quality.ranges.income[0]", "should be a number"),
        (
            "      rules:\n        - income >= 0\n        - income >=\n",
            ":6:11: models.credit.quality.rules[1]",
            "'income >=' ends too soon",
        ),
        ("      rules: [a > 1, a > 1]\n", ":4:14: models.credit.quality.rules", "names the same one twice"),
        ("      required: [a, a]\n", ":4:17: models.credit.quality.required", "names the same one twice"),
        ("      requred: [a]\n", ":4:7: models.credit.quality.requred", "did you mean required?"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, quality: str, place: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, quality)
    [line] = str(caught.value).splitlines()
    assert place in line
    assert why in line
