"""The events on the wire, as in the contract: for schemas and for topics with few records.

Records that come by the thousand are read by the typed structs of `app/records.py`, which one test holds to these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.events.alerts import Alert
from app.events.baselines import BaselineRecord
from app.events.examples import Examples
from app.events.fields import Event
from app.events.labels import Label, LabelBatch
from app.events.predictions import Prediction, PredictionBatch
from app.events.records import AuditEntry, DeadLetter
from app.events.resources import Resource
from app.events.retraining import ModelVersion, RetrainingRequest, TrainingData
from app.events.windows import Drift, Window

__all__ = [
    "TOPICS",
    "Alert",
    "AuditEntry",
    "BaselineRecord",
    "DeadLetter",
    "Drift",
    "Event",
    "Examples",
    "Label",
    "LabelBatch",
    "ModelVersion",
    "Prediction",
    "PredictionBatch",
    "Resource",
    "RetrainingRequest",
    "TopicEvents",
    "TrainingData",
    "Window",
]


@dataclass(frozen=True, slots=True)
class TopicEvents:
    """A topic of the contract. `events`: a record is any of these. `incoming`: others write it, Inferwatch reads."""

    summary: str
    key: str
    events: tuple[type[Event], ...]
    incoming: bool = False


TOPICS: Mapping[str, TopicEvents] = MappingProxyType(
    {
        "predictions": TopicEvents("What models said", "prediction_id", (Prediction, PredictionBatch), incoming=True),
        "labels": TopicEvents("What turned out to be true", "prediction_id", (Label, LabelBatch), incoming=True),
        "resources": TopicEvents("What the models' machines use", "model", (Resource,), incoming=True),
        "baselines": TopicEvents("What is normal", "model", (BaselineRecord,), incoming=True),
        "windows": TopicEvents("What was seen in a stretch of time", "model", (Window,)),
        "alerts": TopicEvents("Incidents that open, change and close", "model", (Alert,)),
        "retraining-requests": TopicEvents("Wishes for a new version", "model", (RetrainingRequest,)),
        "model-versions": TopicEvents("Versions and where they stand", "model", (ModelVersion,)),
        "examples": TopicEvents("Predictions joined with their truth", "model", (Examples,)),
        "dead-letters": TopicEvents("Records that could not be used", "topic", (DeadLetter,)),
        "audit": TopicEvents("What was decided", "model", (AuditEntry,)),
    }
)
