"""Apache Kafka as Java archives, fetched once by Maven into the cache directory (XDG_CACHE_HOME, else ~/.cache)."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

POM = Path(__file__).with_name("pom.xml")
VERSION = str(ElementTree.parse(POM).findtext(".//{*}kafka.version"))
JAVA_VERSION = 17
NO_JAVA = f"java is not on the PATH (Java {JAVA_VERSION} or newer runs Kafka)"
NO_MAVEN = "mvn is not on the PATH (Maven fetches Kafka)"


class KafkaUnavailable(RuntimeError):
    """Kafka can't be had or doesn't start here; the text says why."""


def missing() -> str | None:
    """Why no Kafka can be started on this machine, None when one can."""
    if shutil.which("java") is None:
        return NO_JAVA
    said = subprocess.run([java(), "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < JAVA_VERSION:
        is_there = said.partition("\n")[0] or java()
        return f"Kafka {VERSION} needs Java {JAVA_VERSION} or newer, and this is {is_there}"
    return NO_MAVEN if not _cache().exists() and shutil.which("mvn") is None else None


def fetch() -> Path:
    """The directory of Kafka's jars, filled by Maven at the first call. Raises KafkaUnavailable."""
    cache = _cache()
    if cache.exists():
        return cache
    cache.parent.mkdir(parents=True, exist_ok=True)
    # Filled beside its place and renamed: who comes at the same time finds all of it or nothing.
    with tempfile.TemporaryDirectory(prefix=cache.name, dir=cache.parent) as part:
        jars = Path(part) / "jars"
        command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", "-DincludeScope=runtime"]
        try:
            done = subprocess.run(
                [*command, f"-DoutputDirectory={jars}"], capture_output=True, text=True, check=False, cwd=part
            )
        except FileNotFoundError as error:
            raise KafkaUnavailable(NO_MAVEN) from error
        if done.returncode:
            raise KafkaUnavailable(f"Maven could not fetch Kafka {VERSION}:\n{done.stdout}{done.stderr}")
        try:
            jars.rename(cache)
        except OSError:
            if not cache.exists():
                raise
    return cache


def _cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "inferwatch" / f"kafka-{VERSION}"


def java() -> str:
    """The Java to run it with. Raises KafkaUnavailable."""
    found = shutil.which("java")
    if found is None:
        raise KafkaUnavailable(NO_JAVA)
    return found
