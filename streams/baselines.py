"""The baselines that features are counted against: the newest of each model version, as every worker has them."""

import logging
from collections.abc import Callable

import orjson

from app.drift.baseline import Baseline
from app.drift.timeline import NOTHING, Timeline
from app.settings import Settings
from streams.baselinetext import origin, since
from streams.following import Follower

log = logging.getLogger(__name__)


class Baselines:
    """Follows the topic `baselines`. A record that can't be read is said and left out."""

    def __init__(self, settings: Settings) -> None:
        self.listeners: list[Callable[[Baseline], None]] = []
        self._known: dict[tuple[str, str], Timeline] = {}
        self._follower = Follower(settings, "baselines", self._receive)

    async def start(self) -> None:
        await self._follower.start()

    async def stop(self) -> None:
        await self._follower.stop()

    def get(self, model: str, version: str) -> Timeline:
        return self._known.get((model, version), NOTHING)

    def of(self, model: str) -> list[Baseline]:
        """Those of each version in the order in which they count."""
        return [own for (name, _), timeline in self._known.items() if name == model for own in timeline.baselines]

    def _receive(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            return
        try:
            baseline = Baseline.from_record(orjson.loads(value))
        except (ValueError, KeyError, TypeError) as error:
            log.warning("A record on `baselines` with key %r can't be used: %r", key, error)
            return
        name = baseline.model, baseline.version
        self._known[name] = self._known.get(name, NOTHING).heard(baseline)
        text = "Baseline %s of %s %s (%s) counts from %s"
        log.info(text, baseline.baseline_id, *name, origin(baseline), since(baseline))
        for tell in self.listeners:
            tell(baseline)
