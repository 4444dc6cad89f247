"""What can happen to workers and their broker. Each does one thing, waits until it is done, and says what it did."""

import asyncio
from random import Random

from deploy.kafka.server import KafkaServer
from tests.chaos.fleet import Fleet
from tests.chaos.trial import Fault
from tests.kafka.harness import grown

MOST_WORKERS = 3


async def kill(fleet: Fleet, random: Random) -> str:
    """`kill -9`; the same worker starts again at once."""
    instance = random.choice(sorted(fleet.members))
    fleet.restart(instance)
    return f"kill {instance}"


async def rebalance(fleet: Fleet, random: Random) -> str:
    """A worker joins or leaves, told to or killed; then the group has its partitions shared out anew."""
    can_leave = len(fleet.members) > 1
    ways = ["join"] * 2 * (len(fleet.members) < MOST_WORKERS) + ["leave", "die"] * can_leave
    way = random.choice(ways)
    if way == "join":
        instance = fleet.join()
    else:
        instance = random.choice(sorted(fleet.members))
        await fleet.leave(instance, politely=way == "leave")
    await fleet.settled()
    return f"{way} {instance}"


async def pause(fleet: Fleet, random: Random) -> str:
    """A worker stands still until the others have its partitions, and then goes on as if it had them still.

    On one disk it holds its stores locked meanwhile, and the others wait for them; on disks of their own they go on.
    """
    instance = random.choice(sorted(fleet.members))
    with fleet.stopped(instance):
        await fleet.settled(without=instance)
        if not fleet.one_disk:
            await grown(fleet.settings, "panes", random.randint(20, 100), fleet)
    await fleet.settled()
    return f"pause {instance}"


def broker_restart(server: KafkaServer) -> Fault:
    """The broker stops, politely or not, and comes back with its data."""

    async def restart(_: Fleet, random: Random) -> str:
        way = random.choice([server.stop, server.kill])
        await asyncio.to_thread(way)
        await asyncio.to_thread(server.start)
        return f"broker {way.__name__}"

    return restart
