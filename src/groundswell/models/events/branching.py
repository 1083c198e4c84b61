"""Who may have set off whom: what a self-exciting model says of each event at its own parameters.

A self-exciting process is a forest of clusters: an event either needed no parent or was set off by one earlier event.
Given its parameters each possibility has a probability, its part of the intensity at the event; declustering, residuals
and expectation-maximisation are read off these parts. Zhuang, Ogata and Vere-Jones (2002), Journal of the American
Statistical Association 97, 369-380, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Branching:
    """The intensity at each of E events in the window, taken apart.

    background : (E,) the part that needs no parent. from_before : (E,) the part set off by events before the window.
    later, earlier, triggered : (N,) pairs of events in the window by their rows, `later` never falling, and what the
    earlier adds to the intensity at the later. Units are those of the model's intensity, and cancel in the shares.
    """

    background: np.ndarray
    from_before: np.ndarray
    later: np.ndarray
    earlier: np.ndarray
    triggered: np.ndarray

    @cached_property
    def rate(self) -> np.ndarray:
        """(E,) the whole intensity at the events."""
        raised = np.bincount(self.later, self.triggered, len(self.background))
        return self.background + self.from_before + raised

    @property
    def background_probability(self) -> np.ndarray:
        """(E,) that the event needed no parent; its sum is the expected number of such events."""
        return self.background / self.rate

    @property
    def parent_probability(self) -> np.ndarray:
        """(N,) that `earlier` set off `later`."""
        return self.triggered / self.rate[self.later]

    @property
    def offspring(self) -> np.ndarray:
        """(E,) expected direct offspring of each event among the events of the window."""
        return np.bincount(self.earlier, self.parent_probability, len(self.background))


class CompleteLikelihood(Protocol):
    """The log density if it were known who set off whom, averaged over who may have: what EM climbs.

    `attribute(x)` gives, at a parameter vector, the shares of every event's intensity (an object that only this
    likelihood reads); `expected(x, shares)` the expected complete log density at x under these shares, with its
    gradient. By Jensen's inequality a rise of `expected` over its value at the shares' own x is at most the rise of
    the log density, which therefore never falls.
    """

    def attribute(self, x: np.ndarray) -> Any:
        """The shares at x."""
        ...

    def expected(self, x: np.ndarray, shares: Any) -> tuple[float, np.ndarray]:
        """Value and gradient (K,) at x, under these shares."""
        ...
