"""The system itself: groups, calls, diffusion, arrests, deterrence and backlash, apart from the level it is told at.

What `Mobilisation` (counts of places) and `Recruitment` (persons) have in common: the mechanisms, by the same
names, and what follows from them alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError, UsageError
from groundswell.models.base import Model
from groundswell.models.cities.mechanisms import (
    YEAR,
    Abroad,
    Arrests,
    Background,
    Backlash,
    Between,
    CalendarPulse,
    Call,
    Crowds,
    Deterrence,
    Groups,
    Media,
    Organised,
    RandomPulse,
    Within,
)
from groundswell.models.cities.mobilisation_state import Rates, geometry_of
from groundswell.params import Prior, param


@dataclass(frozen=True)
class System(Model):
    """The mechanisms of mobilisation under repression; None leaves one out.

    max_daily_events : events in the country on one day beyond which a draw ends as exploded.
    """

    background: Background = field(default_factory=Background)
    within: Within | None = field(default_factory=Within)
    between: Between | None = field(default_factory=Between)
    media: Media | None = field(default_factory=Media)
    organised: Organised | None = field(default_factory=Organised)
    groups: Groups | None = field(default_factory=Groups)
    call: Call | None = field(default_factory=Call)
    abroad: Abroad | None = None
    deterrence: Deterrence | None = field(default_factory=Deterrence)
    backlash: Backlash | None = field(default_factory=Backlash)
    pulse: RandomPulse | CalendarPulse | None = None
    arrests: Arrests = field(default_factory=Arrests)
    crowds: Crowds = field(default_factory=Crowds)
    scale: float = param("1", prior=Prior(0.7, 0.2), doc="exponent of population in every share and background")
    keep: float = param(
        "1/day", low=0, high=1, prior=Prior(0.5, 0.8), doc="share of the memory of events left the day after"
    )
    overdispersion: float = param(
        "1", low=0, prior=Prior(1.0, 0.7), doc="psi: variance mu + psi mu^2 of a place's events of a day"
    )
    warnings_per_arrest: float = param(
        "1", low=0, prior=Prior(1.0, 1.0), doc="persons warned at events per person arrested"
    )
    max_daily_events: int = 10_000

    def __post_init__(self) -> None:
        super().__post_init__()
        name = type(self).__name__
        if self.organised is not None and self.groups is None:
            raise UsageError(f"{name} has `organised` but no `groups`; groups act only if there are some.")
        if self.groups is not None and self.groups.contact > 0 and self.between is None:
            raise UsageError(
                f"{name} has groups.contact = {self.groups.contact:g} but no `between`, whose reach says which "
                "places are in contact. Give it, with offspring=0 if events are not to spread, or set contact to 0."
            )

    @property
    def reproduction(self) -> float:
        """Expected later events per event, all channels, without repression; growth above 1."""
        return sum(part.offspring for part in (self.within, self.between, self.media) if part is not None)

    def remarks(self, setting: Setting, history: History | None = None) -> tuple[str, ...]:
        """What a reader of a fit must know of these parameters: that events grow, and what this leaves out."""
        trend = self.pulse.trend if isinstance(self.pulse, CalendarPulse) else 0.0
        largest = self.reproduction * math.exp(max(trend * (setting.window.periods - 1), 0.0))
        if largest <= 1:
            return ()
        when = "" if trend == 0 else " on the last day, the trend counted" if trend > 0 else " on the first day"
        return (
            f"The reproduction number is {largest:.3g}{when}: an event brings forth more than one later event, in its "
            "place, in others and by the news together, so events grow and forecasts beyond a few days may explode. "
            + (
                "Nothing in this model holds them down: it has no deterrence."
                if self.deterrence is None
                else "The number leaves out deterrence, which may hold them down, and backlash, which may raise them."
            ),
        )

    def pulse_levels(self, setting: Setting, histories: int, *, rng: np.random.Generator) -> np.ndarray:
        """(T, S) nationwide factor by day, drawn for each history where it is a random walk."""
        periods = setting.window.periods
        if isinstance(self.pulse, RandomPulse):
            walk = np.cumsum(rng.normal(0.0, self.pulse.sd, (histories, periods)), axis=1)
            return np.exp(walk - walk.mean(axis=1, keepdims=True)).T
        level = np.ones((periods, histories))
        if isinstance(self.pulse, CalendarPulse):
            level[:] = np.exp(self.pulse.log_level(self.pulse.terms(setting)))[:, None]
        return level

    def rates(self, setting: Setting) -> Rates:
        """The scalars of the compiled day."""
        groups, organised = self.groups, self.organised
        return Rates(
            keep=self.keep,
            within=(1 - self.keep) * self.within.offspring if self.within else 0.0,
            between=(1 - self.keep) * self.between.offspring if self.between else 0.0,
            media=(1 - self.keep) * self.media.offspring if self.media else 0.0,
            organised=organised.rate / max(groups.initial, 1.0) if organised and groups else 0.0,
            organised_call=organised.call_gain if organised else 0.0,
            deterrence=self.deterrence.strength if self.deterrence else 0.0,
            backlash=self.backlash.strength if self.backlash else 0.0,
            crackdown_memory=self.arrests.memory,
            late=any(part is not None and part.lag_days > 1 for part in (self.deterrence, self.backlash)),
            overdispersion=self.overdispersion,
            arrests_per_event=self.arrests.per_event,
            arrests_overdispersion=self.arrests.overdispersion,
            participants=math.log(self.crowds.median) if self.crowds.median > 0 else -math.inf,
            participants_spread=self.crowds.spread,
            warnings_per_arrest=self.warnings_per_arrest,
            recruitment=groups.recruitment / YEAR if groups else 0.0,
            breakup=groups.breakup / YEAR if groups else 0.0,
            momentum_recruitment=groups.momentum_recruitment if groups else 0.0,
            exposure=groups.exposure if groups else 0.0,
            contact=groups.contact / YEAR if groups else 0.0,
            members=groups.members if groups else 0.0,
            warned_per_member=groups.warned_per_member_arrested if groups else 0.0,
            population=float(setting.places.population.sum()) / 100_000,
            cap=float(self.max_daily_events),
        )

    def shares(self, setting: Setting, exponent: float | None = None) -> np.ndarray:
        """(P,) s_p = N_p^scale / sum N^scale; with another exponent where one is given."""
        raised = np.exp((self.scale if exponent is None else exponent) * geometry_of(setting).log_population)
        return raised / raised.sum()

    def given_events(self, setting: Setting) -> np.ndarray:
        """(T, P) expected events that do not depend on the past: background, calls, abroad; before the pulse."""
        geometry = geometry_of(setting)
        base = self.background.rate * np.exp(self.scale * geometry.log_population)
        expected = np.repeat(base[None, :], setting.window.periods, axis=0)
        if self.background.effects:
            expected = expected * np.exp(
                sum(value * _covariate(setting, name).T for name, value in self.background.effects.items())
            )
        share = self.shares(setting)
        if self.call is not None:
            expected = expected + self.call.rate * share * geometry.call_memory(self)
        if self.abroad is not None:
            if setting.abroad is None:
                name = type(self).__name__
                raise DataError(f"{name}.abroad needs Setting.abroad, the daily events in other countries.")
            expected = expected + self.abroad.rate * np.outer(setting.abroad, share)
        return expected


def _covariate(setting: Setting, name: str) -> np.ndarray:
    if name not in setting.covariates:
        raise DataError(f'background.effects names "{name}", which is no covariate of the setting.')
    return setting.covariates[name]
