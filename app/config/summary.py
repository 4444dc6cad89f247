"""The settings in words: what will be monitored, and how."""

from app.drift.river_detectors import RUN_LENGTHS
from app.settings import (
    FalseAlarmSettings,
    ModelSettings,
    QualitySettings,
    RetrainingSettings,
    Rule,
    Settings,
    TrainerSettings,
)

Paragraph = dict[str, list[str]]
UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
DEFAULT_RULES = (
    "the defaults: performance, error rate, latency, missing values, drift, new categories, values out of range, "
    "labels that stay away, silence"
)


def summary(settings: Settings) -> list[str]:
    """Lines of text: a paragraph for the service, one for each model, one for models that are not configured."""
    others = "every other model" if settings.models else "every model"
    paragraphs = {"service": _service(settings)}
    paragraphs |= {f"model {name}": _model(model) for name, model in settings.models.items()}
    paragraphs |= {f"{others} (found from its first event)": _model(ModelSettings())}
    return [line for title, paragraph in paragraphs.items() for line in ["", title, *_lines(paragraph)]][1:]


def _lines(paragraph: Paragraph) -> list[str]:
    return [
        f"  {'' if number else subject:<11} {text}"
        for subject, texts in paragraph.items()
        for number, text in enumerate(texts)
    ]


def _service(settings: Settings) -> Paragraph:
    windows = settings.windows
    prefix = f"prefix {settings.topic_prefix}" if settings.topic_prefix else "no prefix"
    return {
        "broker": settings.broker.split(","),
        "topics": [f"{prefix}, {settings.topics.partitions} partitions, replication {settings.topics.replication}"],
        "data": [str(settings.data_dir)],
        "http": [f"{settings.worker.host}:{settings.worker.port}"],
        "windows": [
            *(f"tumbling, {duration(length)}" for length in windows.tumbling_s),
            *(f"hopping, {duration(size)} every {duration(hop)}" for size, hop in windows.hopping_s),
            f"cohorts of {duration(windows.cohort_s)}, each followed for {duration(settings.labels.horizon_s)}",
            f"made of panes of {duration(windows.pane_s)}, which close {duration(windows.allowed_lateness_s)} late",
        ],
        "budget": [_budget(settings.false_alarms)],
    }


def _model(model: ModelSettings) -> Paragraph:
    rules = [_rule(rule) for rule in model.rules] + [DEFAULT_RULES] * model.default_rules
    rules += [_chosen(rule, kind) for rule, kind in model.detectors.items() if model.default_rules]
    found: Paragraph = {
        "task": [_task(model)],
        "segments": [_segments(model)],
        "labels": ["joined to their predictions" if model.join else "not joined"],
        **({"text": model.text} if model.text else {}),
        "rules": rules or ["none"],
        "retraining": _retraining(model.retraining, any(rule.retrain for rule in model.rules)),
    }
    found |= {"quality": quality} if (quality := _quality(model.quality)) else {}
    return found | ({"trainer": [_trainer(model.trainer)]} if model.trainer else {})


def _budget(budget: FalseAlarmSettings) -> str:
    alarms = "false alarm" if budget.alerts == 1 else "false alarms"
    return f"{budget.alerts:g} {alarms} in {duration(budget.days * 86400)} for each model, by the default rules"


def _chosen(rule: str, kind: str) -> str:
    return f"{rule} by {kind}, which knows no budget: a false alarm about every {RUN_LENGTHS[kind]} outcomes"


def _task(model: ModelSettings) -> str:
    positive = "" if model.positive is None else f", positive class {model.positive}"
    return (model.task or "found out from the events") + positive


def _segments(model: ModelSettings) -> str:
    if model.segments is None:
        return f"all that the events name, at most {model.max_segments}"
    return f"{', '.join(model.segments)}, at most {model.max_segments}" if model.segments else "none"


def _rule(rule: Rule) -> str:
    side, bound = ("above", rule.above) if rule.above is not None else ("below", rule.below)
    subject = rule.metric if rule.feature is None else f"{rule.metric} of {rule.feature}"
    where = "".join(f" where {column} is {value}" for column, value in rule.segment.items())
    often = f" in {rule.windows} windows in a row" if rule.windows > 1 else ""
    name = "" if rule.name is None else f"{rule.name}: "
    return f"{name}{subject} {side} {bound:g}{where}{often}: {rule.severity}{', retrains' if rule.retrain else ''}"


def _quality(quality: QualitySettings) -> list[str]:
    ranges = [f"{name} {_range(*limits)}" for name, limits in quality.ranges.items()]
    required = [f"{', '.join(quality.required)} required"] if quality.required else []
    freshness = [f"data as old as {quality.freshness} says"] if quality.freshness else []
    return [*ranges, *quality.rules, *required, *freshness]


def _range(low: float | None, high: float | None) -> str:
    bounds = ([f"from {low:g}"] if low is not None else []) + ([f"to {high:g}"] if high is not None else [])
    return " ".join(bounds)


def _retraining(policy: RetrainingSettings | None, by_rules: bool) -> list[str]:
    if policy is None:
        return ["for rules that say so"] if by_rules else ["none"]
    found = [f"for incidents of {', '.join(policy.on).replace('_', ' ')}"] if policy.on else []
    found += [f"by schedule {policy.schedule} (UTC)"] if policy.schedule else []
    limits = f"from {policy.min_labels} labels up, at most once in {duration(policy.cooldown_s)}"
    serves = "serves at once when it is better" if policy.approval == "automatic" else "waits for approval"
    return [*found, limits, f"a new version {serves}"]


def _trainer(trainer: TrainerSettings) -> str:
    return f"{trainer.entry_point or ' '.join(trainer.command or ())}, at most {duration(trainer.timeout_s)}"


def duration(seconds: float) -> str:
    """In the largest unit that leaves a whole number: `5 min`, `90 s`, `1 d`."""
    for length, unit in UNITS:
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"
