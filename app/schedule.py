"""When a cron expression matches next."""

from datetime import UTC, date, datetime, time, timedelta

from app.cron import Cron

# 29 February on a given weekday comes back after 28 years, or 40 across a century without a leap year.
FURTHEST_DAYS = 41 * 366


def next_match(cron: Cron, after_ms: int) -> int | None:
    """The first minute (ms, UTC) later than `after_ms` that matches; None where no date ever does."""
    after = datetime.fromtimestamp(after_ms // 60_000 * 60, UTC) + timedelta(minutes=1)
    times = [time(hour, minute, tzinfo=UTC) for hour in sorted(cron.hours) for minute in sorted(cron.minutes)]
    for days in range(FURTHEST_DAYS):
        day = after.date() + timedelta(days=days)
        if _matches(cron, day):
            for at in times:
                moment = datetime.combine(day, at)
                if moment >= after:
                    return int(moment.timestamp()) * 1000
    return None


def _matches(cron: Cron, day: date) -> bool:
    if day.month not in cron.months:
        return False
    by_day, by_weekday = day.day in cron.days, day.isoweekday() % 7 in cron.weekdays
    return (by_day and by_weekday) if cron.any_day or cron.any_weekday else (by_day or by_weekday)
