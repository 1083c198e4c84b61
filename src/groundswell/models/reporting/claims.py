"""How a hidden quantity becomes what is said of it: the reporting model for claims.

Claim r by speaker s of stance g about a quantity q of class c, with qualifier k:

    log x = log(q + 1/2) + d (bias_g + bias_gc) + speaker_s + spread_g eps + sign(k) slack

where d = +1 for quantities that the opposition gains by enlarging, -1 for the reverse; sign is -1 for
at_least and more_than, +1 for at_most and less_than, else 0; and the stated value is x rounded to a
grain that depends on the qualifier (`grouping`). slack is exponential or, for a bound that is merely
true, uniform in log. One stance is the anchor: its bias is 0. The level of q is identified only by
that choice, so a result must be shown under each anchor in turn.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from groundswell.data.history import History
from groundswell.data.provenance import counts_with, figure
from groundswell.data.quantities import QUANTITIES
from groundswell.data.record import Claim, Record
from groundswell.data.setting import Setting
from groundswell.errors import DataError, ParameterError
from groundswell.models.reporting.grouping import SIGN, ClaimGroup, Grains, grouped
from groundswell.models.reporting.selection import Listing, Selection
from groundswell.models.reporting.sorting import sort_claims, unknown_label
from groundswell.params import Component, Effects, Prior, Priors, param

SPEAKER_SD = 0.3
"""Sd of a speaker's own effect, in log: of a listed speaker's prior and of an unlisted one's noise."""

DEFAULT_GRAINS = Grains()
"""A judgement about how people round, printed with results and part of the sensitivity table."""

SMALLEST = 1e-6
"""Floor of a spread or slack in log, so that an exact speaker (spread 0) is a limit and no division by 0."""

Said = tuple[float, float | None]
"""A value as stated and, for a range, its upper end."""


@dataclass(frozen=True)
class Reporting(Component):
    """Claims given a history. Make one with `Reporting.for_record`: its labels come from the record.

    The numbers are in logs: a bias of .7 doubles, a spread of .25 is plus or minus a quarter.
    selection : sources that list some places and miss others; None, where all speak of all places. picked : claims on
    arrests or participants of one place on one day are of events that somebody chose to speak of: that there was one
    is given and says nothing of how many there are. Weighed by `ParticleFilter`; `log_density`, given a history, is
    the same either way.
    anchor : the stance whose bias is 0. grains : to what people round. vague : share of bounds that
    are merely true; their slack is uniform on (0, vague_reach). shared_origin : correlation of the
    errors of different figures from one origin. unlisted : sd of the effect of a speaker who is heard
    once and so is no parameter. The defaults of these are judgements, not estimates: print them with a
    result and vary them. priors : other priors than the declared ones, by the parameter's name here; names that these
    claims do not need are passed over (`Account.under` checks them).
    """

    bias: Effects = param(
        "log", prior=Prior(0.0, 0.7), default=Effects(), doc="by how much a stance leans its figures its own way"
    )
    bias_by_kind: Effects = param(
        "log", prior=Prior(0.0, 0.4), default=Effects(), doc="what it adds to that for one class of quantity"
    )
    speaker: Effects = param(
        "log",
        prior=Prior(0.0, SPEAKER_SD),
        default=Effects(),
        doc="by how much one speaker's figures lie above others'",
    )
    spread: Effects = param(
        "log", low=0.0, prior=Prior(0.25, 0.3), default=Effects(), doc="random error of a stance's figures, one sd"
    )
    slack: float = param("log", low=0.0, prior=Prior(0.2, 0.3), doc="mean distance of a bound from what is known")
    selection: Selection | None = None
    picked: bool = False
    anchor: str = ""
    grains: Grains = DEFAULT_GRAINS
    vague: float = 0.2
    vague_reach: float = math.log(100)
    shared_origin: float = 0.95
    unlisted: float = SPEAKER_SD
    priors: Priors = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if (
            not 0 <= self.vague <= 1
            or not 0 <= self.shared_origin < 1
            or self.vague_reach <= 0
            or not 0 <= self.unlisted < math.inf
        ):
            raise ParameterError(
                f"Reporting.vague is {self.vague:g}, vague_reach {self.vague_reach:g}, shared_origin "
                f"{self.shared_origin:g}, unlisted {self.unlisted:g}; expected [0, 1], above 0, [0, 1) and 0 or more: "
                "with a fully shared error two different figures from one origin would be impossible."
            )

    @classmethod
    def for_record(cls, record: Record, anchor: str = "third_party", listing: Iterable[str] = ()) -> Reporting:
        """The reporting model with the labels that these claims need, at the priors' medians.

        record : best the weighed claims of `sort_claims`; quantities that no model speaks of are
        passed over. A speaker gets an effect of its own only if that can be told apart: heard in two
        or more groups (or among others in one group); the rest are integrated into the spread.
        listing : speakers whose numbers of places are those of a list that misses some (`selection`).
        """
        if anchor not in record.stances():
            raise DataError(
                unknown_label("anchor", anchor, record.stances()) + " The anchor is a stance of the record."
            )
        groups = grouped((claim for claim in record if claim.quantity in QUANTITIES), DEFAULT_GRAINS)
        cells = sorted({(claim.stance, group.quantity.kind) for group in groups for claim in group.claims})
        stances = list(dict.fromkeys(label(stance) for stance, _ in cells))
        leaning = [stance for stance in stances if stance != label(anchor)]
        return cls(
            bias=Effects(dict.fromkeys(leaning, 0.0)),
            bias_by_kind=Effects({f"{label(s)}:{kind}": 0.0 for s, kind in cells if s != anchor}),
            speaker=Effects(dict.fromkeys(sorted(_returning(groups)), 0.0)),
            spread=Effects(dict.fromkeys(stances, 0.25)),
            selection=_selection(groups, listing),
            anchor=anchor,
        )

    def prepare(self, record: Record | Iterable[Claim]) -> ClaimGroups:
        """The claims as groups with their cells: done once, then bound to many parameter values."""
        return ClaimGroups(grouped(record, self.grains), self.grains, self.shared_origin)

    def lister(self, group: ClaimGroup) -> Listing | None:
        """How the places that a group counts were listed; None where it counts none, or its source misses none."""
        return self.selection.of(label(group.source)) if self.selection is not None and group.lists else None

    def log_density(self, setting: Setting, history: History, record: Record, given: Iterable[str] = ()) -> float:
        """Log probability of the claims that can be weighed, given the history. 0 with none."""
        bound = self.prepare(sort_claims(record, setting, given).weighed).bind(self)
        return float(sum(one.log_density(setting, history) for one in bound))

    def report(self, setting: Setting, history: History, questions: Record, *, rng: np.random.Generator) -> Record:
        """What the speakers of `questions` would have said of this history: same claims, new values.

        Claims that cannot be weighed keep their value: no model speaks of them. Repeats of one figure
        stay repeats; what changed on its way keeps its ratio to the figure said first. A range keeps its
        ratio high / low and is placed about x at random.
        """
        groups = self.prepare(sort_claims(questions, setting).weighed)
        return self.say(groups, [self.told(one, setting, history, rng=rng) for one in groups], questions, rng=rng)

    def told(self, group: ClaimGroup, setting: Setting, history: History, *, rng: np.random.Generator) -> float:
        """A group's quantity as far as its source knows of it: of places that it lists, how many, drawn."""
        if listing := self.lister(group):
            return float(listing.draw(*group.places(setting, history), setting.places.population, rng=rng))
        return group.value(setting, history)

    def say(
        self, groups: ClaimGroups, hidden: Sequence[float], questions: Record, *, rng: np.random.Generator
    ) -> Record:
        """The same given the groups of `questions` and the quantity of each alone, as its source knows it (`told`)."""
        unlisted = {label(claim.speaker) for group in groups for claim in group.claims} - set(self.speaker)
        everyone = Effects({**self.speaker, **{s: self.unlisted * rng.standard_normal() for s in sorted(unlisted)}})
        said: dict[str, Said] = {}
        stands = counts_with(questions.claims)
        for bound, quantity in zip(groups.bind(replace(self, speaker=everyone)), hidden, strict=True):
            group = bound.group
            level = math.log(quantity + group.half)
            common = rng.standard_normal()
            for claim, offset, own, shared in zip(group.claims, bound.offset, bound.own, bound.shared, strict=True):
                log_x = level + offset + shared * common + own * rng.standard_normal()
                said[claim.id] = self._state(group, claim, log_x, rng)
            for identifier in group.repeats:
                said[identifier] = _repeated(questions[identifier], questions[stands[identifier]], said)
        return Record(
            tuple(
                replace(claim, value=said[claim.id][0], value_high=said[claim.id][1]) if claim.id in said else claim
                for claim in questions
            )
        )

    def _state(self, group: ClaimGroup, claim: Claim, log_x: float, rng: np.random.Generator) -> Said:
        if claim.value_high is not None:
            wide = 0.0 if group.half == 0 else 1.0
            width = math.log(claim.value_high + wide) - math.log(max(claim.value, 0.5))
            low = math.exp(log_x - width * rng.random())
            high = low * math.exp(width)
            return (low, high) if group.half == 0 else (float(round(low)), float(max(round(high - 1), round(low))))
        if group.half == 0:
            return math.exp(log_x), None
        sign = SIGN[claim.qualifier]
        if sign:
            vague = rng.random() < self.vague
            log_x += sign * (self.vague_reach * rng.random() if vague else self.slack * rng.standard_exponential())
        chosen = int(rng.choice(len(self.grains.grains), p=self.grains.of(claim.qualifier)))
        return float(self.grains.rounded(math.exp(log_x), chosen)), None


class ClaimGroups(Sequence[ClaimGroup]):
    """The groups of a record, in order, with what binding them needs to look up, found once."""

    def __init__(self, groups: Iterable[ClaimGroup], grains: Grains, shared_origin: float) -> None:
        self.groups = tuple(groups)
        self.grains = grains
        self.shared_origin = shared_origin
        claims = [(group, claim) for group in self.groups for claim in group.claims]
        self._ids = [claim.id for _, claim in claims]
        self._stances = [label(claim.stance) for _, claim in claims]
        self._cells = [f"{label(claim.stance)}:{group.quantity.kind}" for group, claim in claims]
        self._speakers = [label(claim.speaker) for _, claim in claims]
        self._direction = [group.quantity.direction for group, _ in claims]
        self._returning = _returning(self.groups)
        several = [len(group.claims) > 1 for group in self.groups]
        alone = [len({label(claim.speaker) for claim in group.claims}) == 1 for group in self.groups]
        counts = [len(group.claims) for group in self.groups]
        self._share = np.repeat(np.where(several, shared_origin, 0.0), counts)
        self._together = np.repeat(np.logical_and(several, alone), counts)
        self._first = np.cumsum([0, *counts])

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, index):  # type: ignore[override]
        return self.groups[index]

    def bind(self, reporting: Reporting) -> tuple[BoundGroup, ...]:
        """The groups under one value of the parameters, ready to be weighed.

        An unlisted speaker's effect is added to the claim's own error or, where one such speaker made
        every claim of the group, to the shared one.
        """
        if (reporting.grains, reporting.shared_origin) != (self.grains, self.shared_origin):
            raise ParameterError(
                "these claims were prepared under other grains or another shared_origin; prepare anew."
            )
        listed, anchor = reporting.speaker, label(reporting.anchor)
        if missing := sorted(self._returning - set(listed)):
            raise ParameterError(f"{unknown_label('speaker', missing[0], listed)} {_MAKE}")
        try:
            spread = np.array([reporting.spread[stance] for stance in self._stances])
            lean = [
                0.0 if stance == anchor else reporting.bias[stance] + reporting.bias_by_kind[cell]
                for stance, cell in zip(self._stances, self._cells, strict=True)
            ]
        except KeyError as error:
            known = {*reporting.spread, *reporting.bias, *reporting.bias_by_kind}
            claims = [claim.id for group in self.groups for claim in group.claims]
            whose = next(
                name for name, stance, cell in zip(claims, self._stances, self._cells, strict=True)
                if error.args[0] in (stance, cell)
            )  # fmt: skip
            raise ParameterError(f"claim {whose}: {unknown_label('label', error.args[0], known)} {_MAKE}") from error
        own_way = [listed.get(speaker, 0.0) for speaker in self._speakers]
        unlisted = [0.0 if speaker in listed else reporting.unlisted**2 for speaker in self._speakers]
        variance = np.maximum(spread, SMALLEST) ** 2
        shared = np.sqrt(self._share * variance + np.where(self._together, unlisted, 0.0))
        own = np.sqrt((1 - self._share) * variance + np.where(self._together, 0.0, unlisted))
        offset = np.multiply(self._direction, lean) + own_way
        slack = (max(reporting.slack, SMALLEST), reporting.vague, reporting.vague_reach)
        return tuple(
            BoundGroup(group, offset[a:b], own[a:b], shared[a:b], *slack, reporting.lister(group))
            for group, (a, b) in zip(self.groups, pairwise(self._first), strict=True)
        )


class BoundGroup(NamedTuple):
    """A group of claims under one value of the parameters. Arrays are (C,), one number a claim."""

    group: ClaimGroup
    offset: np.ndarray
    own: np.ndarray
    shared: np.ndarray
    slack: float
    vague: float
    vague_reach: float
    listing: Listing | None = None

    def log_density(self, setting: Setting, history: History) -> float:
        """Log probability of the group's claims given a history, summed over what a list may hold of it."""
        logs = self._of_lists(setting, history)[1]
        return float(logs.max() + np.log(np.exp(logs - logs.max()).sum()))

    def heard(self, setting: Setting, history: History, *, rng: np.random.Generator) -> float:
        """The quantity of which the claims speak, given a history and the claims: of a list what it held, drawn."""
        values, logs = self._of_lists(setting, history)
        if len(values) == 1:
            return float(values[0])
        chance = np.exp(logs - logs.max())
        return float(rng.choice(values, p=chance / chance.sum()))

    def _of_lists(self, setting: Setting, history: History) -> tuple[np.ndarray, np.ndarray]:
        """What the source may know of, and the log probability of that and the claims; one value where it knows all."""
        if self.listing is None:
            values = np.array([self.group.value(setting, history)])
            return values, self.log_likelihood(values)
        chance = self.listing.distribution(*self.group.places(setting, history), setting.places.population)
        values = np.flatnonzero(chance > 0).astype(float)
        return values, self.log_likelihood(values) + np.log(chance[chance > 0])

    def log_likelihood(self, q: np.ndarray) -> np.ndarray:
        """(S,) log probability of the group's claims at the quantities q, (S,) float, 0 or more.

        Where the source lists places, q is the number that it lists. Exact. One claim costs two distribution
        functions a grain and value of q; several claims from one origin add a quadrature of some 20 nodes. Finite
        at any distance: far from every q a claim is improbable, never impossible.
        """
        from groundswell.models.reporting import _claims_loops as loops

        q = np.ascontiguousarray(q, dtype=np.float64)
        out = np.empty(len(q))
        group = self.group
        loops.group(
            q, group.half, self.offset, self.own, self.shared, group.sign, self.slack, self.vague,
            self.vague_reach, group.edges, group.weights, group.first, out,
        )  # fmt: skip
        return out


def label(name: str) -> str:
    """A speaker or stance as a label of the parameters: dots go, since they separate dotted names."""
    return name.replace(".", "")


def _repeated(claim: Claim, first: Claim, said: Mapping[str, Said]) -> Said:
    """What a claim says when the one that it repeats says something new: in the same ratio to it as before."""
    if figure(claim) == figure(first):
        return said[first.id]
    times = said[first.id][0] / first.value if first.value > 0 else 1.0
    whole = QUANTITIES[claim.quantity].functional != "ratio"
    ends = [end if end is None else end * times for end in (claim.value, claim.value_high)]
    low, high = (float(round(end)) if whole and end is not None else end for end in ends)
    return low, high  # type: ignore[return-value]


_MAKE = "Make the reporting model for these claims with Reporting.for_record(record, anchor)."


def _selection(groups: Iterable[ClaimGroup], listing: Iterable[str]) -> Selection | None:
    sources = {label(group.source) for group in groups if group.lists}
    wanted = sorted({label(speaker) for speaker in listing})
    if unknown := [speaker for speaker in wanted if speaker not in sources]:
        raise DataError(
            unknown_label("listing source", unknown[0], sources)
            + " Only who said first how many places there were can have listed them."
        )
    return Selection(listing=Effects(dict.fromkeys(wanted, 0.6))) if wanted else None


def _returning(groups: Iterable[ClaimGroup]) -> frozenset[str]:
    """Labels of the speakers whose effect joins several claims and so must be a parameter.

    Those heard in two groups; and in a group of several speakers, or of one speaker under two
    stances, those heard twice: only then is the effect not part of one shared or one own error.
    """
    heard: dict[str, int] = defaultdict(int)
    for group in groups:
        speakers = [label(claim.speaker) for claim in group.claims]
        simple = len({(label(claim.speaker), claim.stance) for claim in group.claims}) == 1
        for speaker in set(speakers):
            heard[speaker] += 1 if simple else speakers.count(speaker)
    return frozenset(speaker for speaker, times in heard.items() if times > 1)
