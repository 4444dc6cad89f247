"""The model registry (MLflow): what was trained, from what, and which version serves. Every call blocks."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from app.training.versions import Record

EXPERIMENT = "inferwatch"
CHAMPION = "champion"
SQLITE = "sqlite:///"
SHOWN = ("version", "status", "request_id", "artifact_sha256", "data_sha256", "code_version", "decision")


class Registry:
    """Registered models and versions of one MLflow server or database.

    A version keeps its whole `model-versions` record as the tag `record`, and the tag `announced` once that record is
    known to be on the topic. MLflow counts versions itself; the tag `version` is the one that serving knows.
    """

    def __init__(self, uri: str, artifacts: Path) -> None:
        """`uri`: as for MLflow, for example sqlite:////path/registry.db. Takes seconds where the database is new."""
        # Before the import: MLflow would look up where to send usage data to ("1" as a value does not stop it).
        os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true")
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        if uri.startswith(SQLITE):
            _make_database(Path(uri.removeprefix(SQLITE)))
        self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        found = self._client.get_experiment_by_name(EXPERIMENT)
        location = (artifacts / "runs").absolute().as_uri()
        self._experiment = found.experiment_id if found else self._client.create_experiment(EXPERIMENT, location)

    def find(self, model: str, request_id: str) -> tuple[Record, bool] | None:
        """The record that answers a request, and whether it is known to be announced; None when there is none."""
        for entry in self._entries(model):
            if entry.tags.get("request_id") == request_id:
                return orjson.loads(entry.tags["record"]), "announced" in entry.tags
        return None

    def versions(self, model: str) -> list[str]:
        """All versions ever registered, as serving knows them."""
        return [str(entry.tags["version"]) for entry in self._entries(model)]

    def champion(self, model: str) -> Record | None:
        """The record of the version that serves: accepted and announced. None when there never was one."""
        for entry in self._entries(model):
            if entry.tags["status"] == CHAMPION and "announced" in entry.tags:
                record: Record = orjson.loads(entry.tags["record"])
                return record
        return None

    def add(self, record: Record) -> Record:
        """Registers a version with a run of its metrics and parameters; the record with its `registry_uri`.

        One that answers no request served before it was registered, and so counts as announced.
        """
        name = registered_name(record["model"])
        if not self._client.search_registered_models(f"name = '{name}'"):
            self._client.create_registered_model(name)
        run = self._run(record)
        # The number is MLflow's next one: one trainer answers a model's requests, one after the other.
        number = 1 + max((int(entry.version) for entry in self._entries(record["model"])), default=0)
        complete = {**record, "registry_uri": f"models:/{name}/{number}"}
        tags = {field: str(complete[field]) for field in SHOWN if complete.get(field) is not None}
        if complete.get("request_id") is None:
            tags["announced"] = "true"
        source = record.get("artifact_uri") or "none"
        self._client.create_model_version(name, source, run, tags={**tags, "record": orjson.dumps(complete).decode()})
        return complete

    def _run(self, record: Record) -> str:
        run = self._client.create_run(self._experiment, run_name=f"{record['model']} {record['version']}")
        for key, value in (record.get("parameters") or {}).items():
            self._client.log_param(run.info.run_id, quote(key, safe=" "), str(value)[:500])
        for key, value in (record.get("metrics") or {}).items():
            self._client.log_metric(run.info.run_id, quote(key, safe=" "), value)
        self._client.set_terminated(run.info.run_id)
        return str(run.info.run_id)

    def announced(self, records: Iterable[Record]) -> None:
        """Notes that these are on the topic: their status, the alias `champion`, and that no more need be said."""
        for record in records:
            self._announce(record)

    def _announce(self, record: Record) -> None:
        for entry in self._entries(record["model"]):
            if entry.tags["version"] != record["version"] or record.get("registry_uri") != uri_of(entry):
                continue
            for key, value in (
                ("status", record["status"]),
                ("record", orjson.dumps(record).decode()),
                ("announced", "true"),
            ):
                self._client.set_model_version_tag(entry.name, str(entry.version), key, value)
            if record["status"] == CHAMPION:
                self._client.set_registered_model_alias(entry.name, CHAMPION, str(entry.version))

    def _entries(self, model: str) -> list[Any]:
        found: list[Any] = []
        token: str | None = None
        while token != "":
            page = self._client.search_model_versions(f"name = '{registered_name(model)}'", page_token=token)
            found, token = found + list(page), page.token or ""
        return found


def _make_database(path: Path) -> None:
    """Makes a new database under another name first: MLflow refuses one that a crash left half made."""
    from mlflow import MlflowClient

    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    MlflowClient(f"{SQLITE}{unfinished}", f"{SQLITE}{unfinished}").search_registered_models()
    unfinished.replace(path)


def uri_of(entry: Any) -> str:
    return f"models:/{entry.name}/{entry.version}"


def registered_name(model: str) -> str:
    """MLflow takes no / and : in a name, and its search no quotes."""
    return quote(model, safe="-_. ")
