"""What a model's instances use: CPU, memory and GPU."""

from collections.abc import Sequence

import numpy as np

from app.decoding.columns import Floats, ResourceColumns
from app.statistics.classes import class_codes
from app.statistics.groups import Groups, first_come

FIGURES = ("cpu_percent", "memory_bytes", "gpu_percent", "gpu_memory_bytes")
MAX_INSTANCES = 500
OTHER = "(other)"
# Beyond this no reading is real, and its sum could leave the range of a float.
_LARGEST = 1e100


class Resources:
    """Per instance the sums and counts of each figure: (8,) floats. Beyond 500 instances the rest is "(other)"."""

    __slots__ = ("instances",)

    def __init__(self) -> None:
        self.instances: dict[str, Floats] = {}

    @staticmethod
    def update(members: Sequence["Resources"], groups: Groups, columns: ResourceColumns) -> None:
        names, codes = class_codes(columns.instances)
        figures = np.array([getattr(columns, name) for name in FIGURES])
        present = np.abs(figures) <= _LARGEST
        values = [*np.where(present, figures, 0.0), *present.astype(np.float64)]
        for group, member in enumerate(members):
            rows = np.flatnonzero(groups.index == group)
            order = first_come(codes[rows])
            own = [member._of(names[code]) for code in order]
            places = np.zeros(len(names), np.int64)
            # Several instances may share "(other)"'s sums, which must then be carried as one.
            distinct = list({id(sums): sums for sums in own}.values())
            for code, sums in zip(order, own, strict=True):
                places[code] = next(i for i, one in enumerate(distinct) if one is sums)
            Groups(places[codes[rows]], len(distinct)).carry(distinct, [value[rows] for value in values])

    def _of(self, instance: str) -> Floats:
        if instance not in self.instances and len(self.instances) >= MAX_INSTANCES:
            instance = OTHER
        return self.instances.setdefault(instance, np.zeros(2 * len(FIGURES)))

    @property
    def seen(self) -> bool:
        return bool(self.instances)

    def merge(self, other: "Resources") -> None:
        for instance, sums in sorted(other.instances.items()):
            self._of(instance)[:] += sums

    def by_instance(self) -> dict[str, dict[str, float]]:
        """Instance -> the mean of each figure that it told."""
        return {
            instance: {
                name: sums[i] / sums[i + len(FIGURES)] for i, name in enumerate(FIGURES) if sums[i + len(FIGURES)] > 0
            }
            for instance, sums in sorted((name, sums.tolist()) for name, sums in self.instances.items())
        }

    def metrics(self) -> dict[str, float]:
        """The mean over the instances' means, so that one that reports more often weighs no more."""
        means = self.by_instance().values()
        told = {name: [one[name] for one in means if name in one] for name in FIGURES}
        return {name: sum(values) / len(values) for name, values in told.items() if values}

    def state(self) -> dict[str, list[float]]:
        return {instance: sums.tolist() for instance, sums in sorted(self.instances.items())}

    @classmethod
    def from_state(cls, state: dict[str, list[float]]) -> "Resources":
        resources = cls()
        resources.instances = {instance: np.array(sums, np.float64) for instance, sums in state.items()}
        return resources
