"""How likely events of several kinds are under `MutuallyExciting`: value, gradient, and what EM needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from groundswell.data.history import Events
from groundswell.models.events.kinds import kinds_of
from groundswell.params import Effects

if TYPE_CHECKING:
    from groundswell.models.events.mutually_exciting import MutuallyExciting


class Layout:
    """Where the parameters stand: from the vector to arrays by kind, and from slopes of those back to the vector."""

    def __init__(self, model: MutuallyExciting) -> None:
        at = {kind: k for k, kind in enumerate(model.kinds)}
        self.kinds = len(at)
        self._background = np.array([at[label] for label in model.background], dtype=int)
        ends = np.array([[at[end] for end in label.split(" > ")] for label in model.offspring], dtype=int)
        self._sender, self._receiver = ends.reshape(-1, 2).T
        paced = model.delay.decay
        self._paced = np.array([at[label] for label in paced], dtype=int) if isinstance(paced, Effects) else None
        self._cuts = np.cumsum([len(self._background), len(self._sender)])

    def arrays(self, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """background (K,), offspring (K, K) with a row for each sender, and decay (K,) by sender."""
        given = np.split(np.asarray(vector, dtype=float), self._cuts)
        background, offspring = np.zeros(self.kinds), np.zeros((self.kinds, self.kinds))
        background[self._background] = given[0]
        offspring[self._sender, self._receiver] = given[1]
        if self._paced is None:
            return background, offspring, np.full(self.kinds, given[2][0])
        decay = np.ones(self.kinds)  # of a kind that sends nothing: never used
        decay[self._paced] = given[2]
        return background, offspring, decay

    def vector(self, background: np.ndarray, offspring: np.ndarray, decay: np.ndarray) -> np.ndarray:
        """Derivatives in the same three, (K,), (K, K) and (K,), as derivatives in the parameters."""
        paced = [decay.sum()] if self._paced is None else decay[self._paced]
        return np.concatenate([background[self._background], offspring[self._sender, self._receiver], paced])


@dataclass(frozen=True, eq=False)
class Parentage:
    """Expected numbers, given the events, of those that needed no parent, and of parents and children by kind.

    orphans : (K,). children : (K, K), row the parent's kind; parents before the window count. waited_days : (K,) days
    from parent to child, summed, by the parent's kind.
    """

    orphans: np.ndarray
    children: np.ndarray
    waited_days: np.ndarray


class MutualDensity:
    """The log density as a function of the parameter vector; what the events fix is computed once."""

    def __init__(self, model: MutuallyExciting, times: np.ndarray, kind: np.ndarray, first: int, days: float) -> None:
        self._layout, self._times, self._kind, self._first, self._days = Layout(model), times, kind, first, days
        self._counts = np.bincount(kind[first:], minlength=len(model.kinds)).astype(float)
        self.observations = len(times) - first

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (all,)."""
        background, offspring, decay = self._layout.arrays(x)
        value, slopes, edges = self._sums(background, offspring, decay)
        lost, of_lost = self._integral(background, offspring, edges)
        return value - lost, self._layout.vector(*(a - b for a, b in zip(slopes, of_lost, strict=True)))

    def attribute(self, x: np.ndarray) -> Parentage:
        """Who may have set off whom at x, in sums. Read off the slopes of the log intensities: no pair is visited."""
        background, offspring, decay = self._layout.arrays(x)
        _, (s_background, s_offspring, s_decay), _ = self._sums(background, offspring, decay)
        children = offspring * s_offspring
        mean_delay = np.divide(1, decay, out=np.zeros(len(decay)), where=decay > 0)
        return Parentage(background * s_background, children, children.sum(axis=1) * mean_delay - s_decay)

    def expected(self, x: np.ndarray, shares: Parentage) -> tuple[float, np.ndarray]:
        """The complete log density at x, expected under `shares`, and its gradient; see `CompleteLikelihood`."""
        from scipy.special import xlogy

        background, offspring, decay = self._layout.arrays(x)
        _, _, edges = self._sums(background, offspring, decay)
        lost, of_lost = self._integral(background, offspring, edges)
        sent = shares.children.sum(axis=1)
        value = xlogy(shares.orphans, background).sum() + xlogy(shares.children, offspring).sum()
        value += xlogy(sent, decay).sum() - float(decay @ shares.waited_days)
        gained = (
            _ratio(shares.orphans, background),
            _ratio(shares.children, offspring),
            _ratio(sent, decay) - shares.waited_days,
        )
        return float(value) - lost, self._layout.vector(*(a - b for a, b in zip(gained, of_lost, strict=True)))

    def _sums(
        self, background: np.ndarray, offspring: np.ndarray, decay: np.ndarray
    ) -> tuple[float, tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
        """Sum of log intensities, its slopes, and the excitations and moments at both edges of the window."""
        from groundswell.models.events._mutually_exciting_loops import sums

        kinds = self._layout.kinds
        slopes = np.zeros(kinds), np.zeros((kinds, kinds)), np.zeros(kinds)
        edges = np.empty((4, kinds))
        value = sums(
            self._times, self._kind, self._first, self._days, background, offspring, decay, *slopes, edges
        )  # fmt: skip
        return value, slopes, edges

    def _integral(
        self, background: np.ndarray, offspring: np.ndarray, edges: np.ndarray
    ) -> tuple[float, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """The integrated intensity of all kinds over the window, and its slopes."""
        released = self._counts + edges[0] - edges[2]  # of each sender: events times the share of their delays inside
        sent = offspring.sum(axis=1)
        value = self._days * float(background.sum()) + float(sent @ released)
        return value, (
            np.full(len(background), self._days),
            np.repeat(released[:, None], len(sent), axis=1),
            sent * (edges[3] - edges[1]),
        )


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, and 0 where there is nothing of either."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(above == 0, 0.0, above / below)


def joined(before: Events | None, events: Events) -> tuple[np.ndarray, np.ndarray, int]:
    """Times and kinds with the earlier events first, and how many those are."""
    parts = [events] if before is None else [before, events]
    times = np.concatenate([part.time_days for part in parts])
    kind = np.concatenate([kinds_of(part) for part in parts])
    return times, kind, len(times) - len(events)
