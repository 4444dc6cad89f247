"""`app/` computes and decides and knows no Kafka; imports run downward only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {"streams", "faust", "mode", "aiokafka", "confluent_kafka", "tests", "bench"}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", sorted((ROOT / "app").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_decides_knows_nothing_of_what_moves(path: Path) -> None:
    assert set(imported(path)) & FORBIDDEN == set()


@pytest.mark.parametrize("path", sorted((ROOT / "streams").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_product_needs_no_tests_and_no_benchmarks(path: Path) -> None:
    assert set(imported(path)) & {"tests", "bench"} == set()
