"""The baselines that features are counted against: the newest record of each model version, as every worker has it."""

import logging
from collections.abc import Callable

import orjson

from app.drift.baseline import Baseline
from app.settings import Settings
from streams.following import Follower

log = logging.getLogger(__name__)


class Baselines:
    """Follows the topic `baselines`. A record that can't be read is said and left out."""

    def __init__(self, settings: Settings) -> None:
        self.listeners: list[Callable[[Baseline], None]] = []
        self._known: dict[tuple[str, str], Baseline] = {}
        self._follower = Follower(settings, "baselines", self._receive)

    async def start(self) -> None:
        await self._follower.start()

    async def stop(self) -> None:
        await self._follower.stop()

    def get(self, model: str, version: str) -> Baseline | None:
        return self._known.get((model, version))

    def of(self, model: str) -> list[Baseline]:
        return [baseline for (name, _), baseline in self._known.items() if name == model]

    def _receive(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            return
        try:
            baseline = Baseline.from_record(orjson.loads(value))
        except (ValueError, KeyError, TypeError) as error:
            log.warning("A record on `baselines` with key %r can't be used: %r", key, error)
            return
        self._known[baseline.model, baseline.version] = baseline
        for tell in self.listeners:
            tell(baseline)
