"""Prints the table of all trials when the run ends."""

import pytest

from tests.chaos.table import ROWS, lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ROWS:
        terminalreporter.section("windows and cohorts against the truth")
        for line in lines(ROWS):
            terminalreporter.line(line)
