"""Participation thresholds (Granovetter 1978): each person joins once enough others have.

    r(t+1) = N F(r(t)),  r(0) = 0

r is the number of participants, F(r) the share of the N persons whose threshold is r or less. Whether
r is a real number, is rounded, or counts persons whose thresholds were drawn decides where, and
whether, the end jumps as the distribution changes; so that choice is the named option `rule`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellError, ParameterError
from groundswell.models.agents.alone import check_one_place
from groundswell.models.base import Likelihood, Model
from groundswell.models.watching import Sampling, Watched
from groundswell.params import Component, Prior, param

Rule = Literal["continuous", "floor", "round", "ceil", "sampled"]

NEARLY_WHOLE = 1e-9
"""100 * (29 / 100) is 28.999999999999996: what is this near to a whole number is that number."""


@dataclass(frozen=True)
class Normal(Component):
    """Normal thresholds; the mass below 0 joins unconditionally, the mass above N never."""

    mean: float = param("persons", prior=Prior(25, 10), doc="mean participation threshold")
    sd: float = param("persons", low=0, prior=Prior(12, 0.5), doc="standard deviation of the participation thresholds")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sd == 0:
            raise ParameterError("Normal.sd is 0; expected more. For one threshold shared by all use Given.")

    def share(self, participants: float) -> float:
        """F: share of persons whose threshold is at most `participants`."""
        return 0.5 * math.erfc((self.mean - participants) / (self.sd * math.sqrt(2)))


@dataclass(frozen=True)
class Uniform(Component):
    """Whole-number thresholds from low to high, equally common: Granovetter's 0, 1, ..., 99."""

    low: float = param("persons", low=0, default=0.0, doc="lowest participation threshold, a whole number")
    high: float = param("persons", low=0, default=99.0, doc="highest participation threshold, a whole number")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low > self.high or self.low % 1 or self.high % 1:
            raise ParameterError(f"Uniform is {self.low:g} to {self.high:g}; expected whole numbers, low first.")

    def share(self, participants: float) -> float:
        """F: share of persons whose threshold is at most `participants`."""
        reached = math.floor(participants + NEARLY_WHOLE) - self.low + 1
        return min(1.0, max(0.0, reached / (self.high - self.low + 1)))


@dataclass(frozen=True)
class Given(Component):
    """The thresholds of the persons themselves, one each."""

    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        values = np.sort(np.array(self.thresholds, dtype=float))
        if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
            raise ParameterError("Given.thresholds must be a list of one finite number a person, and not empty.")
        object.__setattr__(self, "thresholds", tuple(values.tolist()))

    def share(self, participants: float) -> float:
        """F: share of persons whose threshold is at most `participants`."""
        reached = np.searchsorted(self.thresholds, participants + NEARLY_WHOLE, side="right")
        return float(reached) / len(self.thresholds)


Distribution = Normal | Uniform | Given


@dataclass(frozen=True)
class Thresholds(Model):
    """A well-mixed population in which everyone sees how many took part in the last round.

    rule : "continuous", r is a real number; "floor", "round" (halves to even), "ceil", N F(r) is
    made whole each round; "sampled", each of the N persons draws a threshold once and whole persons
    are counted. The first four are deterministic and ignore `rng`.
    """

    title: ClassVar[str] = "participation thresholds: each joins once enough others have"
    paper: ClassVar[str] = "Granovetter (1978), American Journal of Sociology 83(6), 1420-1443"
    summaries: ClassVar[tuple[str, ...]] = ("at active 0", "mean active", "last active")

    distribution: Distribution = Normal()
    population: int = 100
    rule: Rule = "sampled"

    def __post_init__(self) -> None:
        super().__post_init__()
        count = self.population
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
            raise ParameterError(f"Thresholds.population is {count!r}; expected a whole number of persons, 1 or more.")
        if self.rule not in get_args(Rule):
            raise ParameterError(f"Thresholds.rule is {self.rule!r}; expected one of {', '.join(get_args(Rule))}.")
        if isinstance(self.distribution, Given) and len(self.distribution.thresholds) != count:
            raise ParameterError(
                f"Thresholds has {count} persons and {len(self.distribution.thresholds)} given thresholds; "
                "expected one for each person."
            )

    @classmethod
    def of(cls, thresholds: Sequence[float], rule: Rule = "floor") -> Thresholds:
        """Persons with these very thresholds; under them the three whole-number rules agree."""
        return cls(Given(tuple(thresholds)), len(thresholds), rule)

    @classmethod
    def presets(cls) -> dict[str, Model]:
        """Granovetter's two crowds, which differ by one person: without a threshold of 1 nobody follows the first."""
        return {
            "granovetter": cls(Uniform(0.0, 99.0), rule="floor"),
            "granovetter_one_changed": cls.of([0, 2, *range(2, 100)]),
        }

    @classmethod
    def example(cls) -> tuple[Thresholds, Setting]:
        """A hundred persons with normal thresholds near the jump, twelve rounds."""
        from datetime import date

        return cls(Normal(25.0, 13.0)), Setting(Places.single(100), Window(date(2000, 1, 1), 12))

    def lacks(self, verb: str) -> str | None:
        """The likelihood is that of sampled normal thresholds."""
        if verb == "likelihood" and (self.rule != "sampled" or not isinstance(self.distribution, Normal)):
            return 'Only rule="sampled" with Normal thresholds has a density; the other rules are deterministic.'
        return super().lacks(verb)

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """Participants by round, series active, (1, T); the first column is r(1), after r(0) = 0.

        Sampled thresholds need not be drawn one by one: of the persons still out, each joins next
        with chance (F(r) - F(r')) / (1 - F(r')), r' being the round before r, independently of the
        path so far. So a history can be continued exactly from `given`.
        """
        check_one_place(self, setting, "well-mixed crowd")
        path = [] if given is None else [float(r) for r in given["active"][0]]
        _check_path(path, self.population)
        while len(path) < setting.window.periods:
            now = path[-1] if path else 0.0
            if self.rule == "sampled":
                before = path[-2] if len(path) > 1 else (0.0 if path else -math.inf)
                out = int(self.population - now) if path else self.population
                path.append(now + rng.binomial(out, self._chance(before, now)))
            else:
                path.append(self.step_from(now))
        return History(setting.places, setting.window, {"active": np.array([path])})

    def watch(self, setting: Setting, *, rng: np.random.Generator) -> Watched:
        """The history that `simulate` draws, with one cell a person: by threshold, row by row, in the order of joining.

        Of more persons than a picture has cells, the corner shows those who join first.
        """
        history = self.simulate(setting, rng=rng)
        columns = math.ceil(math.sqrt(self.population))
        grid = (math.ceil(self.population / columns), columns)
        kept = Sampling.of(*grid, setting.window.periods)
        steps = kept.steps(setting.window.periods)
        joined = np.round(np.concatenate([[0.0], history["active"][0]]))[steps]
        rank = kept.corner(np.arange(math.prod(grid)).reshape(grid))
        frames = np.where(rank < joined[:, None, None], 2, 1)
        frames[:, rank >= self.population] = 0
        return Watched(history, frames.astype(np.uint8), steps, ("empty", "out", "joined"), grid, ("order",))

    def step_from(self, participants: float) -> float:
        """r(t+1) from r(t), under a deterministic rule; "sampled" answers with the continuous map."""
        reached = self.population * self.distribution.share(participants)
        if self.rule in ("continuous", "sampled"):
            return reached
        nearest = round(reached)
        if abs(reached - nearest) < NEARLY_WHOLE:
            return float(nearest)
        return float({"floor": math.floor, "ceil": math.ceil, "round": round}[self.rule](reached))

    def fixed_point(self, start: float = 0.0, most_rounds: int = 1_000_000) -> float:
        """Where the deterministic rule comes to rest from `start`; from 0, the least fixed point.

        The iteration itself, so that a distribution with several fixed points gives the one that is
        reached. Within a hair of a tangency it creeps; GroundswellError after `most_rounds`.
        """
        now = start
        for _ in range(most_rounds):
            after = self.step_from(now)
            if abs(after - now) <= 1e-14 * self.population:
                return after
            now = after
        raise GroundswellError(
            f"Thresholds.fixed_point did not come to rest in {most_rounds} rounds (now at {now:.6g}). "
            "The distribution is within rounding of the point where two fixed points merge; move it a little."
        )

    def final_distribution(self) -> np.ndarray:
        """(N + 1,) exact probabilities of the final number under "sampled" thresholds.

        The end is the smallest r with exactly r thresholds at or below r. Cost O(N^3).
        """
        from scipy.stats import binom

        count = self.population
        ends, below = np.zeros(count + 1), -math.inf
        going = np.zeros(count + 1)  # going[s]: s thresholds at or below r - 1, and no end so far
        going[0] = 1.0
        for r in range(count + 1):
            chance, below = self._chance(below, r), r
            reached = np.zeros(count + 1)
            for s in np.flatnonzero(going):
                reached[s:] += going[s] * binom.pmf(np.arange(count - s + 1), count - s, chance)
            ends[r] = reached[r]
            reached[: r + 1] = 0.0
            going = reached
        return ends

    def likelihood(self, setting: Setting, history: History) -> Likelihood:
        """Log density of the rounds under sampled normal thresholds, with gradient in (mean, sd).

        A product of binomials, one a round: see `simulate`. Needs whole numbers that never fall.
        """
        from scipy.special import gammaln, log_ndtr

        check_one_place(self, setting, "well-mixed crowd")
        path = history["active"][0].astype(float)
        _check_path(list(path), self.population)
        if (path % 1).any():
            raise DataError("Thresholds.likelihood needs whole numbers of participants; this history has fractions.")
        now = np.concatenate([[0.0], path[:-1]])
        before = np.concatenate([[0.0], now[:-1]])
        joined, out = path - now, self.population - now
        constant = float((gammaln(out + 1) - gammaln(joined + 1) - gammaln(out - joined + 1)).sum())

        def evaluate(at: np.ndarray) -> tuple[float, np.ndarray]:
            mean, sd = at
            out_now, slope_now = _log_survival(now, mean, sd, log_ndtr)
            out_before, slope_before = _log_survival(before, mean, sd, log_ndtr)
            out_before[0], slope_before[:, 0] = 0.0, 0.0  # before the first round no one has been asked
            stay = np.minimum(out_now - out_before, 0.0)
            join = -np.expm1(stay)
            if (joined[join == 0] > 0).any():
                return -math.inf, np.full(2, math.nan)
            asked = join > 0
            gain, left = joined[asked], (out - joined)[asked]
            value = constant + float((gain * np.log(join[asked]) + left * stay[asked]).sum())
            slope = left - gain * np.exp(stay[asked]) / join[asked]
            return value, (slope_now - slope_before)[:, asked] @ slope

        return evaluate

    def _chance(self, before: float, now: float) -> float:
        """Chance that a person who stayed out at `before` participants joins at `now`."""
        out = 1.0 - (0.0 if before == -math.inf else self.distribution.share(before))
        return 0.0 if out <= 0 else min(1.0, max(0.0, 1.0 - (1.0 - self.distribution.share(now)) / out))


def critical_normal(mean: float, population: float = 100) -> tuple[float, float]:
    """(sd, r): where the continuous map of Normal(mean, sd) jumps, and the fixed point that vanishes there.

    The map touches the diagonal: N Phi(z) = r and N phi(z) = sd with z = (r - mean) / sd. Taken
    together, Phi(z) - z phi(z) = mean / N, which rises in z and so has one root.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    if not 0 < mean < population / 2:
        raise ParameterError(
            f"critical_normal was given mean {mean:g} of {population:g} persons; expected more than 0 and less than "
            "half. Elsewhere the end moves without a jump from low to high."
        )

    def density(z: float) -> float:
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    touch = float(brentq(lambda z: ndtr(z) - z * density(z) - mean / population, -40.0, 0.0, xtol=1e-14))  # type: ignore[arg-type]
    return population * density(touch), population * float(ndtr(touch))


def _log_survival(
    participants: np.ndarray, mean: float, sd: float, log_ndtr: np.ufunc
) -> tuple[np.ndarray, np.ndarray]:
    """log(1 - F), (T,), and its slopes in mean and sd, (2, T)."""
    z = (participants - mean) / sd
    survival = log_ndtr(-z)
    hazard = np.exp(-z * z / 2 - 0.5 * math.log(2 * math.pi) - survival)
    return survival, np.stack([hazard / sd, hazard * z / sd])


def _check_path(path: list[float], population: int) -> None:
    if path != sorted(path) or (path and not 0 <= path[0] <= path[-1] <= population):
        raise DataError(
            f'series "active" falls, or leaves 0 to {population}; participants only join in this model, so it cannot '
            "continue from or weigh such a history."
        )
