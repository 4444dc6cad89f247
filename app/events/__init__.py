"""The events on the wire, as in the contract: for schemas and for topics with few records.

Records that come by the thousand are read by typed structs (`app/decoding/records.py`), which one test holds to these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

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


Action = Literal["receive", "send"]
READ: tuple[Action, ...] = ("receive",)
WRITTEN: tuple[Action, ...] = ("send",)
BOTH: tuple[Action, ...] = ("receive", "send")


@dataclass(frozen=True, slots=True)
class TopicEvents:
    """A topic of the contract. `events`: a record is any of these. `actions`: what Inferwatch does with the topic."""

    summary: str
    key: str
    actions: tuple[Action, ...]
    events: tuple[type[Event], ...]


TOPICS: Mapping[str, TopicEvents] = MappingProxyType(
    {
        "predictions": TopicEvents("What models said", "prediction_id", READ, (Prediction, PredictionBatch)),
        "labels": TopicEvents("What turned out to be true", "prediction_id", READ, (Label, LabelBatch)),
        "resources": TopicEvents("What the models' machines use", "model", READ, (Resource,)),
        "baselines": TopicEvents("What is normal", "model@version", BOTH, (BaselineRecord,)),
        "windows": TopicEvents("What was seen in a stretch of time", "model", WRITTEN, (Window,)),
        "alerts": TopicEvents("Incidents that open, change and close", "model", WRITTEN, (Alert,)),
        "retraining-requests": TopicEvents("Wishes for a new version", "model", BOTH, (RetrainingRequest,)),
        "model-versions": TopicEvents("Versions and where they stand", "model@version", BOTH, (ModelVersion,)),
        "examples": TopicEvents("Predictions joined with their truth", "model", BOTH, (Examples,)),
        "dead-letters": TopicEvents("Records that could not be used", "topic", WRITTEN, (DeadLetter,)),
        "audit": TopicEvents("What was decided", "model", WRITTEN, (AuditEntry,)),
    }
)
