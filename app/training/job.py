"""A training as files in a directory: what the trainer's process and the training process say to each other.

In: `job.json` (the fields of `Job`), `train.parquet`, `holdout.parquet`. Columns: `prediction_id`, `version`,
`timestamp` (UTC, ms), `segment.<name>`, `feature.<name>` and, in `train.parquet` only, `label`.
Out: `predictions.parquet` with a row for each row of the holdout in its order, `prediction` and optionally
`probability.<class>`; everything that serving needs in the directory `artifact` (one file is taken as it is, several
become one zip file); optionally `report.json`, an object whose `parameters` are kept with the version.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Job:
    """`kinds`: by feature, "number", "boolean", "category" or "vector". `entry_point`, `command`: the user's own."""

    model: str
    current_version: str
    request_id: str
    task: str
    kinds: dict[str, str] = field(default_factory=dict)
    entry_point: str | None = None
    command: list[str] | None = None

    def write(self, directory: Path) -> None:
        (directory / "job.json").write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))


def read_job(directory: Path) -> Job:
    return Job(**orjson.loads((directory / "job.json").read_bytes()))


def write_report(directory: Path, parameters: dict[str, Any]) -> None:
    (directory / "report.json").write_bytes(orjson.dumps({"parameters": parameters}))


def read_report(directory: Path) -> dict[str, Any]:
    """The parameters of `report.json`, empty without one. Raises ValueError when it is not as described."""
    path = directory / "report.json"
    report = orjson.loads(path.read_bytes()) if path.exists() else {}
    parameters = report.get("parameters", {}) if isinstance(report, dict) else None
    if not isinstance(parameters, dict):
        raise ValueError("report.json is no object with an object `parameters`")
    return parameters
