"""Moments on the command line: a time, or how long ago."""

import re
import time

import typer

AGO = re.compile(r"(\d+)([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def moment_ms(option: str, text: str) -> int:
    """RFC 3339, epoch seconds or milliseconds, or 30s, 15m, 2h, 3d ago. Raises BadParameter, which names `option`."""
    from app.timestamps import milliseconds

    if ago := AGO.fullmatch(text):
        return time.time_ns() // 1_000_000 - int(ago[1]) * SECONDS[ago[2]] * 1000
    try:
        return milliseconds(float(text) if text.replace(".", "", 1).isdecimal() else text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from error
