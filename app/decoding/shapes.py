"""What a model's single prediction records look like, learned from its traffic, as types that decode much faster.

A dictionary for each record's features is the dearest part of decoding. Where the names are known they are the fields
of a type made for the model. It takes in only what the general type takes in, and means the same; a record that it
refuses is decoded the general way.
"""

from collections.abc import Iterable, Mapping
from types import NoneType
from typing import Any

import msgspec
from msgspec import UNSET

from app.decoding.records import Failure, Identity, Name, PredictionRecord, Scalar, Share, Weight
from app.decoding.tabulate import ABSENT
from app.segments import MOST_COLUMNS
from app.settings import Settings

# Models whose records a worker knows; those beyond are decoded the general way.
MOST_SHAPES = 64
KINDS: dict[type, Any] = {float: float, str: str, bool: bool, NoneType: None}
BATCH_COLUMNS = ("prediction_ids", "timestamps", "predictions", "errors", "weights")


class Shape:
    """The records of one model: the kinds of value seen of each feature, of each segment and of the prediction.

    `classes`: of the probabilities, empty while there were none. `irregular`: no type can be made for these records.
    """

    def __init__(self, model: str, max_features: int) -> None:
        self.model = model
        self.max_features = max_features
        self.features: dict[str, frozenset[type]] = {}
        self.segments: dict[str, frozenset[type]] = {}
        self.prediction: frozenset[type] = frozenset()
        self.classes: tuple[str, ...] = ()
        self.irregular = False

    def learn(self, record: PredictionRecord) -> bool:
        """Widens the shape so that the single record `record` fits; says whether that changed it."""
        before = dict(self.features), dict(self.segments), self.prediction, self.classes, self.irregular
        _widen(self.features, record.features)
        _widen(self.segments, record.segments or {})
        self.prediction |= {type(record.prediction)}
        classes = tuple(record.probabilities or ())
        # Which classes have a column depends on the rows at hand, so all rows must name the same.
        self.irregular |= bool(self.classes and classes and set(self.classes) != set(classes))
        self.classes = self.classes or classes
        kinds = frozenset[type]().union(*self.features.values(), *self.segments.values())
        self.irregular |= not kinds <= KINDS.keys()
        self.irregular |= len(self.features) > self.max_features or len(self.segments) > MOST_COLUMNS
        return before != (self.features, self.segments, self.prediction, self.classes, self.irregular)

    @property
    def numeric(self) -> bool:
        """Whether each feature is a number or missing in all records of the type."""
        return all(kinds <= {float, NoneType} for kinds in self.features.values())

    def record(self) -> type[msgspec.Struct]:
        """The type of the records seen so far. Its fields are those that `app/decoding/gathered.py` takes apart."""
        kinds = {name: _either(own) for name, own in self.features.items()}
        features = _fields("Features", kinds, ABSENT if self.numeric else UNSET)
        shares = _fields("Probabilities", dict.fromkeys(self.classes, Share | None))
        segments = _fields("Segments", {name: _either(kinds) for name, kinds in self.segments.items()}, None)
        return msgspec.defstruct(
            "ShapedRecord",
            [
                ("version", Name),
                ("prediction_id", Identity),
                ("timestamp", str | float),
                ("features", features, msgspec.field(default_factory=features)),
                ("prediction", _either(self.prediction), None),
                ("probabilities", shares | None if self.classes else None, None),
                ("latency_ms", float | None, None),
                ("segments", segments | None if self.segments else None, None),
                ("error", Failure, None),
                ("weight", Weight | None, None),
                *((name, None, None) for name in BATCH_COLUMNS),
            ],
            tag_field="model",
            tag=self.model,
            gc=False,
        )


def _widen(known: dict[str, frozenset[type]], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        known[name] = known.get(name, frozenset()) | {type(value)}


def _either(kinds: frozenset[type]) -> Any:
    """The type of a value of these kinds, or none; of several kinds any scalar."""
    given = kinds - {NoneType}
    return Scalar if len(given) > 1 else KINDS[next(iter(given))] | None if given else None


def field_name(place: int) -> str:
    """The attribute of the name at `place`, whatever that name is."""
    return f"field_{place}"


def _fields(name: str, kinds: Mapping[str, Any], *default: Any) -> type[msgspec.Struct]:
    """A type with these fields, whatever their names are; others are refused. Without a default all are required."""
    plain = [field_name(place) for place in range(len(kinds))]
    fields = [(one, kind, *default) for one, kind in zip(plain, kinds.values(), strict=True)]
    rename = dict(zip(plain, kinds, strict=True))
    return msgspec.defstruct(name, fields, rename=rename, forbid_unknown_fields=True, gc=False)


class Shapes:
    """The shapes of a worker's models, and one decoder for the records of all of them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.of_type: dict[type, Shape] = {}
        self.decode: Any = None
        """Bytes -> a record of one of the types, None while there are none. Raises what msgspec raises."""
        self._of_model: dict[str, Shape] = {}

    def learn(self, records: Iterable[PredictionRecord]) -> None:
        """Widens the shapes to the single ones of these records."""
        changed = [self._learn(record) for record in records if record.prediction_ids is None]
        if any(changed):
            self.of_type = {shape.record(): shape for shape in self._of_model.values() if not shape.irregular}
            self.decode = msgspec.json.Decoder(_union(tuple(self.of_type))).decode if self.of_type else None

    def _learn(self, record: PredictionRecord) -> bool:
        shape = self._of_model.get(record.model)
        if shape is None:
            if len(self._of_model) == MOST_SHAPES:
                return False
            shape = self._of_model[record.model] = Shape(record.model, self.settings.model(record.model).max_features)
        return not shape.irregular and shape.learn(record)


def _union(types: tuple[Any, ...]) -> Any:
    whole = types[0]
    for one in types[1:]:
        whole |= one
    return whole
