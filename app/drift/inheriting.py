"""A version that is compared with what another one was: the same content under its own name, and said so."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.drift.baseline import Baseline

ORIGIN = "inherited"


@dataclass(frozen=True, slots=True)
class Inherited:
    """Of which version a baseline was at first."""

    version: str
    baseline_id: str

    def record(self) -> dict[str, Any]:
        return {"version": self.version, "baseline_id": self.baseline_id}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Inherited":
        return cls(str(record["version"]), str(record["baseline_id"]))


def inherit(baseline: "Baseline", version: str, created_at: int, effective_from: int | None) -> "Baseline":
    """`baseline` for another version of its model. Of one that is inherited itself, its first version is told.

    What the old version's answers were worth says nothing of the new one's: its performance stays behind.
    """
    first = baseline.inherited or Inherited(baseline.version, baseline.baseline_id)
    return replace(
        baseline,
        version=version,
        created_at=created_at,
        origin=ORIGIN,
        effective_from=effective_from,
        inherited=first,
        performance=None,
    )
