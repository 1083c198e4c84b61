"""What the histories of a mobilisation model carry from day to day, and what a setting fixes for all of them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.cities import _arrest_loops, _group_loops, _guide_loops
from groundswell.models.cities.mechanisms import RandomPulse
from groundswell.models.cities.scattered import past_of
from groundswell.models.day_by_day import Guide
from groundswell.models.triggering import Reach

if TYPE_CHECKING:
    from groundswell.models.cities.system import System

COLUMNS = (
    "events", "arrests", "participants", "warned", "formed", "broken_up", "members_arrested", "members_warned",
)  # fmt: skip
"""What is noted of a place on a day, in the order of the columns of `noted`."""


MOST_EVENTS = 12
"""Events of a guided place-day whose arrests are weighed one by one."""
MOST_ARRESTS = 4_096
"""Arrests up to which the laws for so many events are tabulated; almost none is above."""

SINGLE, WIDER = 24, 1.08
"""Arrests up to which each number is a block of its own; ratio of the edges of the wider blocks."""


class Rates(NamedTuple):
    """The scalar parameters in the units of the loop (per day, per event)."""

    keep: float
    within: float  # times 1 - keep, as the next two
    between: float
    media: float
    organised: float  # events a day by one group
    organised_call: float
    deterrence: float
    backlash: float
    crackdown_memory: float
    late: bool  # whether arrests join a stock after more than a day
    overdispersion: float
    arrests_per_event: float
    arrests_overdispersion: float
    participants: float  # log of the median at one event
    participants_spread: float
    warnings_per_arrest: float
    recruitment: float
    breakup: float
    momentum_recruitment: float
    exposure: float
    contact: float
    members: float
    warned_per_member: float
    population: float  # 100,000 persons, the whole country
    cap: float  # events on one day in the country


class Reaching(NamedTuple):
    """What the loop makes rows of w_qp from, and those made so far.

    index, part (P, P) : where each pair stands in `value`, f at the nodes of a `Lookup`. weight (P,) : of the
    receivers. row (P, P) : w_qp with sender q in rows, where ready (P,) says so.
    """

    index: np.ndarray
    part: np.ndarray
    value: np.ndarray
    weight: np.ndarray
    row: np.ndarray
    ready: np.ndarray


class Guided(NamedTuple):
    """A `Guide` as the compiled day reads it.

    marks : (P,) whether a place is guided. given : (G,) whether an event there is given. laws : (Y + 1, A + 1)
    P(A = a | Y = y). mass : (Y + 1, B) the same in blocks, from edge[b] to before edge[b + 1] arrests. The other arrays
    are those of the guide, and `known` is -1 where nobody looked.
    """

    marks: np.ndarray
    place: np.ndarray
    log_g: np.ndarray
    table: np.ndarray
    first: np.ndarray
    wide: np.ndarray
    coming: np.ndarray
    days_left: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    stands: np.ndarray
    given: np.ndarray
    laws: np.ndarray
    mass: np.ndarray
    edge: np.ndarray
    known: np.ndarray
    detection: float


class Laws(NamedTuple):
    """Arrests at so many events: `laws`, `mass` and `edge` of a `Guided`."""

    laws: np.ndarray
    mass: np.ndarray
    edge: np.ndarray


@lru_cache(maxsize=64)
def blocks(width: int) -> np.ndarray:
    """(B + 1,) edges of blocks of 0 .. width - 1 arrests."""
    edges = list(range(min(SINGLE, width) + 1))
    while edges[-1] < width:
        edges.append(min(max(edges[-1] + 1, int(edges[-1] * WIDER)), width))
    return np.array(edges, dtype=np.int64)


NO_LAWS = Laws(np.ones((1, 1)), np.ones((1, 1)), blocks(1))


class Taken(NamedTuple):
    """A given past whose counts (P, t) were found to be counts of this setting, once for all its days."""

    given: History
    events: np.ndarray
    arrests: np.ndarray


class State:
    """Everything that S histories carry from day to day; `step` changes it in place.

    hurt, hurt_total : the stocks of arrests that act tomorrow; arrests that act only after a lag wait, by day, in
    hurt_waiting (S, lag - 1, P) and total_waiting (S, lag - 1), which are empty at a lag of one day.
    noted : (S, P, 8) what happened today at the noted places (`noted_place`, `noted_count` rows a history),
    in the columns of `COLUMNS`. warns : whether persons warned are drawn with the rest; nothing depends on them.
    """

    carried = (
        "drive", "momentum_total", "momentum", "hurt", "hurt_day", "hurt_total", "hurt_waiting", "total_waiting",
        "groups", "groups_total", "exploded",
    )  # fmt: skip

    shared = ("model", "setting", "geometry", "rates", "share", "given", "reach", "unguided", "_laws")

    def __init__(
        self, model: System, setting: Setting, geometry: Geometry, histories: int, beside: State | None = None
    ) -> None:
        """`beside` : a state of the same model and setting, whose tables serve here too."""
        count, periods = setting.shape
        if beside is not None:
            for name in self.shared:
                setattr(self, name, getattr(beside, name))
        else:
            self.model, self.setting, self.geometry = model, setting, geometry
            self.rates = model.rates(setting)
            self.share = model.shares(setting)
            self.given = model.given_events(setting)
            self.reach = self._reaching(model, setting)
            self._laws: Laws | None = None
            self.unguided = self.guided(Guide.active((), 1))
        self.drive = np.zeros((histories, count))
        self.momentum_total = np.zeros(histories)
        uses_momentum = self.rates.momentum_recruitment > 0
        self.momentum = np.zeros((histories, count if uses_momentum else 1))
        self.hurt = np.zeros((histories, count))
        self.hurt_day = np.zeros((histories, count))
        self.hurt_total = np.zeros(histories)
        late, late_total = (part.lag_days - 1 if part else 0 for part in (model.deterrence, model.backlash))
        self.hurt_waiting = np.zeros((histories, late, count))
        self.total_waiting = np.zeros((histories, late_total))
        self.groups = np.zeros((histories, count))
        self.groups_total = np.zeros(histories)
        self.exploded = np.zeros(histories, dtype=np.bool_)
        self.pulse = np.ones((periods, histories))
        self.noted_count = np.zeros(histories, dtype=np.int64)
        self.noted_place = np.empty((histories, count), dtype=np.int64)
        self.noted = np.empty((histories, count, len(COLUMNS)))
        self.warns = True
        self._taken: Taken | None = None

    def _reaching(self, model: System, setting: Setting) -> Reaching:
        count = len(self.share)
        row, ready = np.empty((count, count)), np.zeros(count, dtype=np.bool_)
        if model.between is None:
            return Reaching(np.zeros((1, 1), np.int32), np.zeros((1, 1)), np.zeros(2), self.share, row, ready)
        reach = model.between.reach
        lookup = self.geometry.lookup(reach)
        weight = self.share if reach.own_exponent is None else model.shares(setting, reach.exponent(model.scale))
        return Reaching(lookup.index, lookup.part, reach.value(lookup.nodes), weight, row, ready)

    def reach_weights(self) -> np.ndarray:
        """(P, P) w_qp with sender q in rows, as the compiled loop makes it row by row; zeros without `between`."""
        reach = self.reach
        if self.model.between is None:
            return np.zeros_like(reach.row)
        weights = reach.weight * (
            reach.value[reach.index] + reach.part * (reach.value[reach.index + 1] - reach.value[reach.index])
        )
        np.fill_diagonal(weights, 0.0)
        total = weights.sum(axis=1, keepdims=True)
        return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)

    def guided(self, guide: Guide) -> Guided:
        """A guide for the compiled day, with the laws of arrests that it needs."""
        count = len(self.share)
        marks = np.zeros(count, dtype=np.bool_)
        marks[guide.place] = True
        known = np.full(count, -1, dtype=np.int64) if guide.known is None else guide.known
        given = np.zeros(len(guide.place), dtype=np.bool_) if guide.given is None else guide.given
        laws = self.laws_of_arrests() if (guide.first >= 0).any() else NO_LAWS
        return Guided(
            marks, guide.place, guide.log_g, guide.table, guide.first, guide.wide, guide.coming, guide.days_left,
            guide.scale, guide.offset, guide.stands, given, *laws, known, guide.detection,
        )  # fmt: skip

    def laws_of_arrests(self) -> Laws:
        """Made once for all days, y up to MOST_EVENTS."""
        if self._laws is None:
            mean, psi = self.rates.arrests_per_event, self.rates.arrests_overdispersion
            most = MOST_EVENTS * mean
            width = min(MOST_ARRESTS, int(most + 30 * (psi * most + math.sqrt(most))) + 20)
            edge = blocks(width)
            made = Laws(np.empty((MOST_EVENTS + 1, width)), np.empty((MOST_EVENTS + 1, len(edge) - 1)), edge)
            _guide_loops.arrests_laws(mean, psi, edge, made.laws, made.mass)
            self._laws = made
        return self._laws

    @property
    def today(self) -> dict[str, np.ndarray]:
        """The day just made: {series: (S, P)}."""
        history, row = np.nonzero(np.arange(self.noted.shape[1]) < self.noted_count[:, None])
        days = np.zeros((len(COLUMNS), *self.drive.shape))
        days[:, history, self.noted_place[history, row]] = self.noted[history, row].T
        return dict(zip(COLUMNS, days, strict=True))

    def resample(self, ancestors: np.ndarray) -> None:
        """Keep the histories `ancestors`, (S,) indices with repeats."""
        for name in self.carried:
            setattr(self, name, getattr(self, name)[ancestors])
        if isinstance(self.model.pulse, RandomPulse):
            self.pulse = np.ascontiguousarray(self.pulse[:, ancestors])

    def take(self, day: int, given: History, *, rng: np.random.Generator) -> None:
        """Carry one observed day into the memories instead of drawing it; what its groups did is drawn.

        DataError for a past of other places or dates, and for events and arrests that are not whole: a missing one
        would leave every later mean missing, and no draw of a mean that is missing has an event.
        """
        rates = self.rates
        if self._taken is None or self._taken.given is not given:
            self._taken = Taken(given, *self._counts(given))
        events, arrests = self._taken.events[:, day], self._taken.arrests[:, day]
        self.noted_count[:] = 0
        self.drive *= rates.keep
        self.momentum_total *= rates.keep
        self.momentum_total += events.sum()
        if rates.momentum_recruitment > 0:
            self.momentum = self.momentum * rates.keep + events
        self.drive += rates.within * events
        active = np.flatnonzero(events > 0)
        if rates.between > 0 and active.size:
            self.drive += rates.between * (events[active] @ self.reach_weights()[active])
        rows = np.flatnonzero((events > 0) | (arrests > 0))
        self.noted_count[:] = len(rows)
        self.noted_place[:, : len(rows)] = rows
        self.noted[:, : len(rows)] = 0.0
        for column, name in enumerate(COLUMNS[: COLUMNS.index("formed")]):
            if name in given.series:
                self.noted[:, : len(rows), column] = given[name][rows, day]
        self.hurt_total *= rates.crackdown_memory
        self.arrested(day)
        self.groups_today(rng=rng)

    def _counts(self, given: History) -> tuple[np.ndarray, np.ndarray]:
        """(P, t) events and arrests of a past of this setting; DataError says what is wrong with it."""
        events = past_of(self.setting, given)
        if "arrests" in given.series:
            return events, given.counts("arrests")
        if self.model.deterrence is not None or self.model.backlash is not None:
            raise DataError(
                "the given past has no arrests, on which deterrence and backlash act. Give a series of arrests, or "
                "leave both components out: Mobilisation(deterrence=None, backlash=None, ...)."
            )
        return events, np.zeros_like(events)

    def groups_today(self, *, rng: np.random.Generator) -> None:
        """Groups formed and broken up on the day whose events are noted, added to its notes."""
        _group_loops.groups_today(
            rng, self.rates, self.exploded, self.groups, self.groups_total, self.momentum, *self.reach,
            self.noted_count, self.noted_place, self.noted,
        )  # fmt: skip

    def arrested(self, day: int) -> None:
        """Arrests noted today into the stocks, or among those that wait."""
        _arrest_loops.arrested(
            day, self.rates, self.geometry.per_100k, self.hurt, self.hurt_day, self.hurt_total, self.hurt_waiting,
            self.total_waiting, self.noted_count, self.noted_place, self.noted,
        )  # fmt: skip


GRID_NODES = 4096
"""Nodes of the reach table, even in log(1 + km); at 650 km linear interpolation errs by 4e-5 of an exponential
of scale 60 km, and by less for a power law or nearer."""


class Lookup(NamedTuple):
    """Where each pair of places stands in a table of f over `nodes`: f = value[i] + part (value[i + 1] - value[i])."""

    nodes: np.ndarray
    index: np.ndarray
    part: np.ndarray

    @classmethod
    def by_distance(cls, distance: np.ndarray) -> Lookup:
        """Interpolated between `GRID_NODES` distances."""
        low, high = math.log(1.0), math.log(2.0 + distance.max())
        nodes = np.linspace(low, high, GRID_NODES)
        grid = np.exp(nodes) - 1.0
        at = (np.log1p(distance) - low) / (nodes[1] - nodes[0])
        index = np.minimum(at.astype(np.int64), GRID_NODES - 2).astype(np.int32)
        return cls(grid, index, (distance - grid[index]) / (grid[index + 1] - grid[index]))

    @classmethod
    def by_step(cls, steps: np.ndarray) -> Lookup:
        """Exact; a node a step, and infinity for what no path joins."""
        joined = np.isfinite(steps)
        most = int(steps[joined].max())
        nodes = np.concatenate([np.arange(most + 1.0), [np.inf, np.inf]])
        return cls(nodes, np.where(joined, steps, most + 1).astype(np.int32), np.zeros(steps.shape))


class Geometry:
    """What a setting fixes for every parameter value: logs of population, how far apart places are, the first day."""

    def __init__(self, setting: Setting) -> None:
        places = setting.places
        self.setting = setting
        self.per_100k = places.population / 100_000
        self.log_population = np.log(self.per_100k)
        self.first = np.zeros(len(places), dtype=np.bool_)
        self.first[[places.index(name) for name in setting.active_on_day0]] = True
        self._lookups: dict[bool, Lookup] = {}
        self._calls: dict[float, np.ndarray] = {}

    def lookup(self, reach: Reach) -> Lookup:
        """Where the places stand in a table of this sort of reach."""
        if reach.whole_steps not in self._lookups:
            make = Lookup.by_step if reach.whole_steps else Lookup.by_distance
            self._lookups[reach.whole_steps] = make(reach.apart(self.setting))
        return self._lookups[reach.whole_steps]

    def call_memory(self, model: System) -> np.ndarray:
        """(T, P) K: today's call plus what is left of earlier ones."""
        memory = model.call.memory if model.call is not None else 0.0
        setting = self.setting
        if setting.calls is None:
            return np.zeros((setting.window.periods, len(setting.places)))
        if memory not in self._calls:
            self._calls.clear()
            out = setting.calls.T.copy()
            for day in range(1, len(out)):
                out[day] += memory * out[day - 1]
            self._calls[memory] = out
        return self._calls[memory]


@lru_cache(maxsize=8)
def geometry_of(setting: Setting) -> Geometry:
    """The setting's geometry, kept for the last few settings."""
    return Geometry(setting)
