"""What users say of a model's data: ranges, rules across features, what must be there, how old it may be."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from app.config.sections import Section, distinct, mistake
from app.quality.expressions import Expression, RuleMistake, parse


def _readable(rule: str) -> str:
    try:
        parse(rule)
    except RuleMistake as error:
        raise mistake(str(error)) from error
    return rule


def _within(limits: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    low, high = limits
    if low is None and high is None:
        raise mistake("needs a bound: [lowest, highest], null where there is none")
    if low is not None and high is not None and low > high:
        raise mistake(f"the lowest, {low:g}, is above the highest, {high:g}")
    return limits


Range = Annotated[tuple[float | None, float | None], AfterValidator(_within)]
RuleText = Annotated[str, AfterValidator(_readable)]
FeatureName = Annotated[str, Field(min_length=1)]


class QualitySettings(Section):
    """`ranges`: lowest and highest value of a feature, in place of the baseline's. `rules`: conditions that each row
    keeps. `required`: features that each row has. `freshness`: the feature that says when a row's data was current."""

    ranges: dict[FeatureName, Range] = Field(default={})
    rules: list[RuleText] = Field(default=[], max_length=100)
    required: list[FeatureName] = Field(default=[])
    freshness: FeatureName | None = None

    @field_validator("rules", "required")
    @classmethod
    def _once_each(cls, names: list[str]) -> list[str]:
        return distinct(names)

    @cached_property
    def expressions(self) -> Mapping[str, Expression]:
        """The rules, by their text."""
        return {rule: parse(rule) for rule in self.rules}
