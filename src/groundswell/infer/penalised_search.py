"""The search behind penalised likelihood: effects given the variances, variances given the effects, in turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from groundswell.errors import ParameterError, UsageError
from groundswell.infer.arrow import Blocks, positive
from groundswell.infer.base import Progress
from groundswell.infer.curvature import downhill
from groundswell.infer.density import shortening
from groundswell.infer.windows import Waves, likelihood_of
from groundswell.models.random_effects import Positions, covariance, covariance_slopes, positions
from groundswell.params import leaves, vector

SMALL_SD = 1e-3
"""Random effects with a smaller sd are as good as absent; the search for an sd ends there."""

APART = 1e-2
"""Half the distance of variances, in free units, between which the response of the effects is a difference."""

LARGEST_LOGIT = 8.0
"""The search for a correlation ends at this distance from 0 on its free coordinate, at .9993."""


class Search:
    """The penalised log density of one model and history, on the free coordinates of its parameters."""

    def __init__(self, model: Any, waves: Waves, fixed: Mapping[str, float]) -> None:
        self.likelihood: Any = likelihood_of(model, waves)
        self.leaves = leaves(model)
        self.values = vector(model)
        self.where: Positions = positions(model)
        self.variance_at = np.concatenate([self.where.sd, self.where.partial])
        arrow = self.likelihood.arrow(self.values)
        self.own_at = arrow.own_at
        self.kinds = len(self.where.effects)
        names = [leaf.name for leaf in self.leaves]
        held = {names.index(name) for name in fixed}
        if wrong := sorted(held & set(self.own_at.ravel().tolist())):
            raise ParameterError(
                f"`fixed` holds {names[wrong[0]]}, a parameter of one place, and those are estimated together. "
                "Hold the part's random.sd instead."
            )
        self._check_spread(held)
        inner = held | set(self.variance_at.tolist()) | set(self.own_at.ravel().tolist())
        self.shared_at = np.array([k for k in range(len(names)) if k not in inner], dtype=int)
        self.free_spread = np.array([k for k in self.variance_at if k not in held], dtype=int)
        self._kept = np.searchsorted(arrow.shared_at, self.shared_at)
        self.inner_at = np.concatenate([self.shared_at, self.own_at.ravel()])
        self.bent = [n for n, k in enumerate(self.inner_at) if self.leaves[k].bounded]
        self.start = np.array([self.leaves[k].start for k in self.inner_at])
        self.spread_start = np.array([np.clip(self.leaves[k].to_free(self.values[k]), -2, 2) for k in self.free_spread])
        # an sd has a least value, a correlation (its range is bounded on both sides) a least and a largest one
        sds = np.isin(self.free_spread, self.where.sd)
        self.lowest = np.where(sds, np.log(SMALL_SD), -LARGEST_LOGIT)
        self.highest = np.where(sds, np.inf, LARGEST_LOGIT)
        self.evaluations = 0

    def _check_spread(self, held: set[int]) -> None:
        """Held sds above 0 and held correlations inside (-1, 1), and more than one place to learn an sd from."""
        if self.where.effects.shape[1] < 2 and set(self.where.sd.tolist()) - held:
            raise UsageError(
                "there is one place, and random intercepts are how places differ: leave them out and use "
                "MaximumLikelihood, or hold their sd."
            )
        for k in sorted(held & set(self.variance_at.tolist())):
            leaf = self.leaves[k]
            if leaf.value == 0 and k in self.where.sd:
                raise ParameterError(
                    f"`fixed` holds {leaf.name} at 0, where there are no random intercepts: leave them out."
                )
            if abs(leaf.value) == 1 and k in self.where.partial:
                raise ParameterError(
                    f"`fixed` holds {leaf.name} at {leaf.value:g}, where two intercepts are one; hold it inside."
                )

    def natural(self, at: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """(all,) parameters in natural units."""
        x = self.values.copy()
        x[self.inner_at] = at
        for n in self.bent:
            x[self.inner_at[n]] = self.leaves[self.inner_at[n]].from_free(float(at[n]))
        for k, free in zip(self.free_spread, spread, strict=True):
            x[k] = self.leaves[k].from_free(float(free))
        return x

    def precision(self, x: np.ndarray) -> np.ndarray:
        """(Q', Q') inverse covariance of a place's parameters: 0 for those that are no random effects."""
        size = len(self.own_at)
        out = np.zeros((size, size))
        out[: self.kinds, : self.kinds] = np.linalg.inv(covariance(x[self.where.sd], x[self.where.partial]))
        return out

    def value(self, at: np.ndarray, spread: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the penalised log density and its gradient in `at`; infinite where it is not finite."""
        self.evaluations += 1
        x = self.natural(at, spread)
        effects = x[self.where.effects]
        pulled = self.precision(x)[: self.kinds, : self.kinds] @ effects
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # far points are tried, and refused here
            value, gradient = self.likelihood(x)
            gradient = -gradient
            gradient[self.where.effects] += pulled
            slope = gradient[self.inner_at]
            for n in self.bent:
                slope[n] *= self.leaves[self.inner_at[n]].slope(float(at[n]))
            total = -value + 0.5 * float((effects * pulled).sum())
            if not np.isfinite(total + slope.sum()):
                return np.inf, np.zeros(len(at))
        return total, slope

    def blocks(self, at: np.ndarray, spread: np.ndarray) -> Blocks:
        """The information without the penalty, on free coordinates."""
        x = self.natural(at, spread)
        arrow = self.likelihood.arrow(x)
        shared = arrow.shared[np.ix_(self._kept, self._kept)]
        cross = arrow.cross[:, self._kept].transpose(2, 0, 1).copy()
        own = arrow.own.transpose(2, 0, 1).copy()
        gradient = self.likelihood(x)[1] if self.bent else np.zeros(len(x))
        size, places = len(self.shared_at), self.own_at.shape[1]
        for n in self.bent:
            k = self.inner_at[n]
            slope = self.leaves[k].slope(float(at[n]))
            bend = gradient[k] * self.leaves[k].bend(float(at[n]))
            if n < size:
                shared[n, :] *= slope
                shared[:, n] *= slope
                cross[:, :, n] *= slope
                shared[n, n] -= bend
            else:
                q, p = divmod(n - size, places)
                own[p, q, :] *= slope
                own[p, :, q] *= slope
                cross[p, q, :] *= slope
                own[p, q, q] -= bend
        return Blocks(shared, cross, own)

    def climb(self, at: np.ndarray, spread: np.ndarray, tolerance: float) -> tuple[np.ndarray, bool]:
        """Newton's steps to the maximum given the variances; True if it was reached."""
        value, gradient = self.value(at, spread)
        if not np.isfinite(value):
            raise UsageError("the log density is not finite at the starting values; choose others for the model.")
        for _ in range(100):
            free = self.blocks(at, spread)
            penalised = free._replace(own=free.own + self.precision(self.natural(at, spread)))
            move = -penalised.direction(gradient)
            promise = -0.5 * float(gradient @ move)
            if promise < tolerance:
                return at, True
            whole = np.zeros(len(self.leaves))
            whole[self.inner_at] = move
            move *= shortening(whole, self.likelihood)
            for _ in range(40):
                there, slope = self.value(at + move, spread)
                if there < value + 1e-4 * float(gradient @ move):
                    break
                move = move / 2
            else:
                return at, promise < 1e-11 * abs(value)
            at, value, gradient = at + move, there, slope
        return at, False

    def marginal(self, at: np.ndarray, spread: np.ndarray, free: Blocks) -> tuple[float, np.ndarray]:
        """The marginal log density of the variances, given effects and information, and its slopes in `spread`."""
        x = self.natural(at, spread)
        sd, partial, effects = x[self.where.sd], x[self.where.partial], x[self.where.effects]
        matrix, places, kinds = covariance(sd, partial), self.own_at.shape[1], self.kinds
        inverse = np.linalg.inv(matrix)
        penalised = free._replace(own=free.own + self.precision(x))
        reduced, pulled = penalised.reduced()
        within = downhill(reduced)
        value = (
            -0.5 * float((effects * (inverse @ effects)).sum())
            - 0.5 * places * float(np.linalg.slogdet(matrix)[1])
            - 0.5 * float(np.linalg.slogdet(penalised.own)[1].sum() - np.linalg.slogdet(within)[1])
        )
        # the variances are at rest where S is the mean of b b' plus the uncertainty of b
        unsure = np.linalg.inv(penalised.own) + pulled @ within @ pulled.transpose(0, 2, 1)
        mean = effects @ effects.T / places + unsure.mean(axis=0)[:kinds, :kinds]
        turned = 0.5 * places * inverse @ (mean - matrix) @ inverse
        slopes = np.tensordot(covariance_slopes(sd, partial), turned, axes=([1, 2], [0, 1]))
        kept = np.isin(self.variance_at, self.free_spread)
        by_free = [self.leaves[k].slope(float(f)) for k, f in zip(self.free_spread, spread, strict=True)]
        return value, slopes[kept] * np.array(by_free)

    def rest(self, tolerance: float, rounds: int, progress: Progress) -> tuple[np.ndarray, np.ndarray, bool, int]:
        """Effects and variances at which both are at rest, whether they got there, and in how many rounds.

        The variances' slope, with the effects at their maximum each time, is brought to 0 by Newton's step with the
        curvature at fixed effects, which then learns from each round how the effects respond (Broyden).
        """
        at, spread = self.start, self.spread_start
        known, before, moved = None, np.zeros(0), np.zeros(0)
        for lap in range(1, rounds + 1):
            at, settled = self.climb(at, spread, tolerance)
            free = self.blocks(at, spread)
            slope = self.marginal(at, spread, free)[1]
            stuck = (spread <= self.lowest) & (slope < 0) | (spread >= self.highest) & (slope > 0)
            slope[stuck] = 0.0
            if known is None or np.abs(slope).max(initial=0.0) > 2 * np.abs(before).max(initial=0.0):
                known = -positive(self.spread_information(at, spread, free))
            else:
                known = known + np.outer(slope - before - known @ moved, moved) / float(moved @ moved)
            move = _uphill(known, slope, stuck)
            if slope @ move < 0:
                # not uphill: what was learnt is wrong
                known = -positive(self.spread_information(at, spread, free))
                move = _uphill(known, slope, stuck)
            change = float(np.abs(move).max(initial=0.0))
            progress(min(0.95, lap / 20), f"round {lap}, the variances would move by {change:.1e}")
            if change < np.sqrt(tolerance):
                return at, spread, settled, lap
            moved = np.clip(spread + move, self.lowest, self.highest) - spread
            spread, before = spread + moved, slope
        return at, spread, False, rounds

    def spread_information(self, at: np.ndarray, spread: np.ndarray, free: Blocks) -> np.ndarray:
        """Minus the second derivatives of the marginal log density at fixed effects, from differences of its slopes."""
        rows = []
        for step in 1e-4 * np.eye(len(spread)):
            rows.append((self.marginal(at, spread - step, free)[1] - self.marginal(at, spread + step, free)[1]) / 2e-4)
        information = np.array(rows).reshape(len(spread), len(spread))
        return (information + information.T) / 2

    def response(self, at: np.ndarray, spread: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """How effects (inner,) at rest and slopes (S,) change with one variance's free coordinate, by differences."""
        step, found = APART * np.eye(len(spread))[k], []
        for there in (spread - step, spread + step):
            moved = self.climb(at, there, 1e-10)[0]
            found.append((moved, self.marginal(moved, there, self.blocks(moved, there))[1]))
        (low, down), (high, up) = found
        return (high - low) / (2 * APART), (up - down) / (2 * APART)


def _uphill(known: np.ndarray, slope: np.ndarray, stuck: np.ndarray) -> np.ndarray:
    """Newton's step of the variances, none longer than 1; what is stuck at the end of its range stays."""
    move = np.zeros(len(slope))
    free = ~stuck
    move[free] = np.clip(-np.linalg.solve(known[np.ix_(free, free)], slope[free]), -1.0, 1.0)
    return move
