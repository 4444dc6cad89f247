"""Ctrl-C waits for what must not be done by half."""

import signal

import pytest

from streams.interrupts import held_back


def interrupted(done: list[str], fails: bool = False) -> None:
    with held_back():
        signal.raise_signal(signal.SIGINT)
        done.append("in the block")
        if fails:
            raise OSError("full")
    done.append("after it")


@pytest.mark.parametrize(("fails", "error"), [(False, KeyboardInterrupt), (True, OSError)])
def test_an_interrupt_does_not_end_the_block(fails: bool, error: type[BaseException]) -> None:
    before = signal.getsignal(signal.SIGINT)
    done: list[str] = []
    with pytest.raises(error):
        interrupted(done, fails)
    assert done == ["in the block"]
    assert signal.getsignal(signal.SIGINT) is before


def test_without_an_interrupt_nothing_is_raised_and_the_handler_is_that_of_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with held_back():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
