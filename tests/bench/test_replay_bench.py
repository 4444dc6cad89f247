"""`python -m bench.statistics.replay` without NannyML, which would be installed for it."""

import pytest

from bench.statistics.replay import main


def test_a_small_replay_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rows", "400", "--rounds", "1", "--alone"])
    out = capsys.readouterr().out
    assert "replay of 400 rows" in out
    assert "memory, as of a quarter of the rows" in out
    assert "NannyML" not in out
