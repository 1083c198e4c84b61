"""Claims weighed with the leans and speakers' effects integrated out, given the quantities of a history alone.

Given its quantities, the claims depend on a dozen or two of effects u (`bias`, `bias_by_kind`, `speaker`, and the error
that claims of one origin share) that are normal beforehand and enter log x linearly:

    log x_c = log(q_c + 1/2) + offset_c + a_c . u + own_c eps_c + sign slack,        u ~ N(0, diag(prior))

so p(claims | q), the integral of prod_c p(claim_c | q_c, u) N(u; 0, prior), is estimated without bias in microseconds,
where a search over the parameters would have to learn u together with everything else. A filter meets the claims one
after the other: a `Belief` holds what they have said of u so far, history by history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from groundswell.errors import ParameterError
from groundswell.models.reporting import _claims_loops as loops
from groundswell.models.reporting.claims import BoundGroup, ClaimGroups, Reporting
from groundswell.params import Prior, leaves

INTEGRABLE = ("bias.", "bias_by_kind.", "speaker.")
"""Parameters that shift log x: their priors are normal and what they do to it is linear."""


def integrable(reporting: Reporting) -> tuple[str, ...]:
    """The parameters of a reporting model that can be integrated out."""
    return tuple(leaf.name for leaf in leaves(reporting) if leaf.name.startswith(INTEGRABLE) and leaf.prior is not None)


class Integration:
    """Which effects are integrated out, and how each claim depends on them; fixed for all parameter values.

    names : U effects, each of `integrable`. The values that a reporting model has for them are not looked at: they
    are drawn about the priors' medians. draws : of the effects, over which `Belief.settle` averages for a history.
    priors : other priors than the declared ones, by name.
    """

    def __init__(
        self, groups: ClaimGroups, reporting: Reporting, names: Sequence[str], draws: int = 2,
        priors: Mapping[str, Prior] | None = None,
    ) -> None:  # fmt: skip
        known = {
            leaf.name: replace(leaf, prior=(priors or {}).get(leaf.name, leaf.prior)) for leaf in leaves(reporting)
        }
        if wrong := sorted(set(names) - set(integrable(reporting))):
            raise ParameterError(f'"{wrong[0]}" cannot be integrated out; those that can: {integrable(reporting)}.')
        self.names = tuple(names)
        self.draws = draws
        self.center = np.array([known[name].center for name in names])
        self.sd = np.array([known[name].sd for name in names])
        self._middle = dict(zip(self.names, self.center.tolist(), strict=True))
        self._where = [(*name.split(".", 1), value) for name, value in self._middle.items()]
        base = reporting.replacing(self._middle)
        offset = _offsets(groups, base)
        columns = [_offsets(groups, base.replacing({name: self._middle[name] + 1.0})) - offset for name in self.names]
        self.design = np.array(columns).reshape(len(self.names), len(offset)).T
        self._added = (self.design**2 * self.sd**2).sum(axis=1)
        counts = [len(group.claims) for group in groups]
        group_of = np.repeat(np.arange(len(groups)), counts)
        self.start = np.cumsum([0, *counts])
        heard = [g for g, count in enumerate(counts) if count > 1]
        self.several = np.array([[g == mine for mine in heard] for g in group_of]).reshape(len(group_of), len(heard))
        self.sign = np.concatenate([group.sign for group in groups]) if len(groups) else np.zeros(0, dtype=np.int64)
        self.edges = np.concatenate([group.edges for group in groups]) if len(groups) else np.zeros(0)
        self.weights = np.concatenate([group.weights for group in groups]) if len(groups) else np.zeros(0)
        self.first = np.cumsum([0, *(int(n) for group in groups for n in np.diff(group.first))])

    def middle(self, reporting: Reporting) -> Reporting:
        """The reporting model with the integrated effects at their priors' medians; itself where they are there."""
        there = (getattr(reporting, kind).get(label) == value for kind, label, value in self._where)
        return reporting if all(there) else reporting.replacing(self._middle)

    def pilot(self, bound: Sequence[BoundGroup]) -> tuple[BoundGroup, ...]:
        """The groups, bound at `middle`, each with the variance of its own offsets added to its error."""
        added = self._added
        found, at = [], 0
        for one in bound:
            found.append(_widened(one, 0.0, added[at : at + len(one.offset)]))
            at += len(one.offset)
        return tuple(found)

    def begin(self, bound: Sequence[BoundGroup], rows: int) -> Belief:
        """What is known of the effects before any claim, for so many histories; bound : the groups at `middle`."""
        return Belief(self, bound, rows)


class Belief:
    """What the claims so far say of the effects, history by history: normal, updated claim by claim.

    mean : (S, U). spread : (S, U, U). The effects are those of the integration, about their medians, and behind
    them the error that the claims of one origin share, in sd.
    """

    def __init__(self, integration: Integration, bound: Sequence[BoundGroup], rows: int) -> None:
        self.integration = integration
        offset, own, shared = (
            np.concatenate([np.zeros(0), *(getattr(one, name) for one in bound)])
            for name in ("offset", "own", "shared")
        )
        several = integration.several
        self.bound = bound
        self.offset = offset
        self.own = np.where(several.any(axis=1), own, np.hypot(own, shared))
        self.design = np.ascontiguousarray(np.hstack([integration.design, several * shared[:, None]]))
        self.prior = np.concatenate([integration.sd**2, np.ones(several.shape[1])])
        self.slack = (bound[0].slack, bound[0].vague, bound[0].vague_reach) if bound else (1.0, 0.0, 1.0)
        self.mean = np.zeros((rows, len(self.prior)))
        self.spread = np.tile(np.diag(self.prior), (rows, 1, 1))
        self.logs = np.zeros(rows)
        self.level = np.zeros((rows, len(self.own)))

    def absorb(self, group: int, values: np.ndarray) -> np.ndarray:
        """Take in a group's claims given its quantities, (S,); the log probability (S,) of them given those before."""
        a, b = self.integration.start[group], self.integration.start[group + 1]
        one = self.bound[group].group
        self.level[:, a:b] = np.log(values + one.half)[:, None] + self.offset[a:b]
        gain = np.empty(len(values))
        loops.absorb(
            self.level[:, a:b], self.design[a:b], self.own[a:b], one.sign, *self.slack, one.edges, one.weights,
            one.first, self.mean, self.spread, gain,
        )  # fmt: skip
        self.logs += gain
        return gain

    def absorb_all(self, values: np.ndarray) -> np.ndarray:
        """`absorb` of every group in turn, in one call. values : (S, G); the log probability of all claims, (S,)."""
        made = self.integration
        counts = np.diff(made.start)
        half = np.repeat([one.group.half for one in self.bound], counts)
        self.level[:] = np.log(np.repeat(values, counts, axis=1) + half) + self.offset
        gain = np.empty(len(values))
        loops.absorb(
            self.level, self.design, self.own, made.sign, *self.slack, made.edges, made.weights, made.first,
            self.mean, self.spread, gain,
        )  # fmt: skip
        self.logs += gain
        return gain

    def foresee(self, levels: Mapping[int, np.ndarray]) -> Belief:
        """One row: what groups will say of the effects if the logs of their quantities are about as in `levels`."""
        told = {i: level for i, level in levels.items() if len(level) > 1}
        wider = list(self.bound)
        for i, level in told.items():
            wider[i] = _widened(wider[i], 0.0, float(level.var()) + 0.01)
        belief = Belief(self.integration, wider, 1)
        for i, level in told.items():
            belief.absorb(i, np.exp(level.mean(keepdims=True)) - self.bound[i].group.half)
        return belief

    def offset_of(self, group: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance, (S,) each, of a group's first offset given the claims so far."""
        along = self.design[self.integration.start[group]]
        return self.mean @ along, self.spread @ along @ along

    def combined(self, group: int, foreseen: Belief) -> tuple[np.ndarray, float]:
        """Mean (S,) and variance of a group's first offset, with what is foreseen (one row) taken in."""
        along = self.design[self.integration.start[group]]
        before = float(along**2 @ self.prior)
        (mean, variance), (later, sure) = self.offset_of(group), foreseen.offset_of(group)
        if before <= 0.0:
            return mean, 0.0
        precision = 1 / variance + max(1 / float(sure[0]) - 1 / before, 0.0)
        ahead = float(later[0]) / float(sure[0])  # the prior's own mean is 0
        return (mean / variance + ahead) / precision, float((1 / precision).mean())

    def pilot(self, group: int, mean: float, variance: float) -> BoundGroup:
        """A group with `mean` added to its offsets and `variance` to its error."""
        return _widened(self.bound[group], mean, variance)

    def resample(self, ancestors: np.ndarray) -> None:
        """Keep the histories `ancestors`, (S,) indices with repeats."""
        for name in ("mean", "spread", "logs", "level"):
            setattr(self, name, getattr(self, name)[ancestors])

    def settle(self, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Once every group has been absorbed: what the gains lack of an unbiased log probability, and effects drawn.

        (S,), and (S, U) in the units of the parameters: a draw for every history, given the claims.
        """
        made = self.integration
        logs, effects = np.empty(len(self.mean)), np.empty(self.mean.shape)
        loops.settle(
            rng, self.level, self.prior, self.design, self.own, made.sign, *self.slack, made.edges, made.weights,
            made.first, made.draws, self.mean, self.spread, logs, effects,
        )  # fmt: skip
        return logs - self.logs, made.center + effects[:, : len(made.names)]


def _widened(one: BoundGroup, mean: float, variance: float | np.ndarray) -> BoundGroup:
    """More offset and more error: a single claim's own, or that which several of one origin share."""
    if len(one.offset) == 1:
        return one._replace(offset=one.offset + mean, own=np.sqrt(one.own**2 + variance))
    return one._replace(offset=one.offset + mean, shared=np.sqrt(one.shared**2 + variance))


def _offsets(groups: ClaimGroups, reporting: Reporting) -> np.ndarray:
    """(C,) what is added to log q of every claim."""
    return np.concatenate([one.offset for one in groups.bind(reporting)]) if len(groups) else np.zeros(0)
