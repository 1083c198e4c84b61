"""Published numbers of threshold cascades: windows of mean degree, and which thresholds cross rings and lattices."""

from __future__ import annotations

from collections.abc import Callable

from groundswell.models.agents.cascade import Cascade
from groundswell.models.agents.cascade_parts import Count, Fraction, GivenSeeds
from groundswell.models.agents.cascade_theory import cascade_window
from groundswell.models.agents.networks import Lattice, Network, Ring
from groundswell.rng import generator
from groundswell.studies.published.base import Published

WATTS = "Watts (2002), equation 5, on Poisson random graphs; a single seed among infinitely many persons"
CENTOLA = "Centola and Macy (2007)"


def rows() -> list[Published]:
    """Every number of cascades on networks."""
    return [*_windows(), *_rings(), *_lattices()]


def _windows() -> list[Published]:
    def edge(share: float, which: int) -> Callable[[], float]:
        return lambda: cascade_window(Fraction(share))[0][which]

    edges = {
        (0.18, 0): (1.0207, 5e-5), (0.18, 1): (5.7647, 5e-5), (0.10, 0): (1.0, 5e-6), (0.10, 1): (13.65931, 5e-6),
    }  # fmt: skip
    return [
        *[
            _row(f"cascade window, share {share:.2f}: {('lower', 'upper')[which]} mean degree", WATTS, *number,
                 edge(share, which))
            for (share, which), number in edges.items()
        ],
        _row("cascade window, share 0.30: number of windows", WATTS, 0.0, 0.0,
             lambda: float(len(cascade_window(Fraction(0.30))))),
    ]  # fmt: skip


def _rings() -> list[Published]:
    """From a + 1 persons in a row: the largest a that goes all round, looked for up to k + 3."""

    def largest(side: int) -> Callable[[], float]:
        return lambda: _largest(Ring(100, side), range(1, side + 4), lambda needs: tuple(range(needs + 1)))

    return [
        _row(f"ring, {side} at each side: largest number of neighbours needed that goes round", CENTOLA + ": a <= k",
             float(side), 0.0, largest(side))
        for side in (1, 2, 3, 5)
    ]  # fmt: skip


def _lattices() -> list[Published]:
    block = tuple(30 * row + column for row in (10, 11, 12) for column in (10, 11, 12))
    return [
        _row("Moore lattice, from 3 x 3: largest number of neighbours needed that covers it", CENTOLA + ": a <= 3",
             3.0, 0.0, lambda: _largest(Lattice(30, 30), range(1, 9), lambda _: block)),
    ]  # fmt: skip


def _largest(network: Network, needed: range, seeds: Callable[[int], tuple[int, ...]]) -> float:
    """The largest number needed under which everyone joins; NaN if a larger one does where a smaller one does not."""
    everyone = [
        Cascade(network, Count(float(needs)), GivenSeeds(seeds(needs))).run(rng=generator(1)).final_share == 1.0
        for needs in needed
    ]
    count = sum(everyone)
    return float(needed[count - 1]) if all(everyone[:count]) else float("nan")


def _row(name: str, source: str, expected: float, tolerance: float, compute: Callable[[], float]) -> Published:
    return Published(f"agents/{name}", source, expected, tolerance, lambda _: compute(), tag="computed")
