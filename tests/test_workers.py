"""One or several processes: the same answers, also where several functions share them."""

from __future__ import annotations

import os

import pytest

from groundswell.infer.workers import Workers, kept_alive


class Power:
    """x to a power that is fixed when it is built; and the process that did it."""

    def __init__(self, exponent: int) -> None:
        if exponent < 0:
            raise ValueError("no negative powers here")
        self.exponent = exponent

    def __call__(self, x: int) -> tuple[int, int]:
        if x > 1_000:
            raise OverflowError(f"{x} is too large")
        return x**self.exponent, os.getpid()


def results(exponent: int, processes: int) -> tuple[list[int], set[int]]:
    with Workers((Power, (exponent,)), processes) as workers:
        made = workers.map([(x,) for x in range(60)])
    return [value for value, _ in made], {pid for _, pid in made}


def test_several_functions_share_the_same_processes() -> None:
    expected = {exponent: results(exponent, 1)[0] for exponent in (2, 3)}
    with kept_alive(2, __name__):
        seen = set()
        for exponent in (2, 3, 2):
            values, processes = results(exponent, 2)
            assert values == expected[exponent]
            seen |= processes
        # one inside the other: each chunk builds the function that it is sent with
        with Workers((Power, (2,)), 2) as outer, Workers((Power, (3,)), 2) as inner:
            pairs = zip(outer.each([(x,) for x in range(60)]), inner.each([(x,) for x in range(60)]), strict=True)
            assert [(a[0], b[0]) for a, b in pairs] == list(zip(expected[2], expected[3], strict=True))
        with pytest.raises(OverflowError, match="2000 is too large"), Workers((Power, (2,)), 2) as workers:
            workers.map([(2_000,)])
        with pytest.raises(ValueError, match="no negative powers"), Workers((Power, (-1,)), 2) as workers:
            workers.map([(1,)])
        values, processes = results(3, 2)
        assert values == expected[3], "an error of one function does not spoil the processes for the next"
        assert len(seen | processes) <= 2
        assert os.getpid() not in seen
    fresh, others = results(2, 2)
    assert fresh == expected[2]
    assert not others & seen
