"""Which code trained a model."""

import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGE = "inferwatch"
SOURCE = Path(__file__).parents[2]


def code_version(users_own: bool) -> str:
    """The git revision of the code that trains, "-dirty" when files differ from it; without one, our package's version.

    The user's own is looked for where the trainer runs, ours where it is installed from.
    """
    directory = Path.cwd() if users_own else SOURCE
    if not users_own and not (SOURCE / ".git").exists():
        return _package()
    command = ["git", "-C", str(directory), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return _package()


def _package() -> str:
    return f"{PACKAGE} {version(PACKAGE)}"
