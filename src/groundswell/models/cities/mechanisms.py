"""The mechanisms of the mobilisation model: what each is, its parameters, their units and priors.

A mechanism is a component of `Mobilisation`; `None` leaves it out, so that a comparison of accounts can
say which were at work. Priors are those whose prior predictive was found sane on 425 Iranian cities
(docs/models/mobilisation.md); they are judgements, not estimates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from groundswell.data.setting import Setting
from groundswell.data.window import as_date
from groundswell.errors import DataError, UsageError, nearest
from groundswell.models.triggering import PowerLaw, Reach
from groundswell.params import Component, Effects, Prior, leaves, param

YEAR = 365.0
"""Days; yearly rates are divided by it."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Background(Component):
    """Events that need no other event: rate (N_p / 100,000)^scale exp(x_pt . effects)."""

    rate: float = param(
        "events/day", low=0, prior=Prior(0.002, 1.0), doc="events a day in a place of 100,000 people at covariates 0"
    )
    effects: Effects = param(
        "1", prior=Prior(0.0, 0.5), default=Effects(), doc="log effects of the setting's covariates of the same name"
    )


@dataclass(frozen=True)
class Within(Component):
    """Momentum: events raise later events in the same place."""

    offspring: float = param("1", low=0, prior=Prior(0.3, 0.4), doc="expected later events per event, same place")


@dataclass(frozen=True)
class Between(Component):
    """Diffusion: events raise later events in other places, near and large ones most.

    reach : what is near: PowerLaw, Exponential or Gravity over km, or NeighbourhoodOrder over a network.
    """

    offspring: float = param("1", low=0, prior=Prior(0.3, 0.4), doc="expected later events per event, other places")
    reach: Reach = field(default_factory=PowerLaw)


@dataclass(frozen=True)
class Media(Component):
    """Nationwide attention: events raise later events everywhere, by the places' shares."""

    offspring: float = param("1", low=0, prior=Prior(0.2, 0.4), doc="expected later events per event, whole country")


@dataclass(frozen=True)
class Organised(Component):
    """Events by the organised groups; needs `groups`."""

    rate: float = param(
        "events/day", low=0, prior=Prior(1.0, 1.2), doc="events a day nationwide by the initial groups, without a call"
    )
    call_gain: float = param("1", low=0, default=0.0, doc="relative rise of that rate on the day of a call")


@dataclass(frozen=True)
class Groups(Component):
    """Organised groups that recruit and are broken up, tied to persons by their size."""

    initial: float = param("groups", low=0, prior=Prior(300.0, 1.0), doc="expected groups on the first day, nationwide")
    recruitment: float = param("1/year", low=0, prior=Prior(0.3, 0.8), doc="groups formed per group and year")
    breakup: float = param("1/year", low=0, prior=Prior(0.3, 0.8), doc="rate at which a group is broken up")
    members: float = param("persons/group", low=0, prior=Prior(4.0, 0.4), doc="members of a group")
    warned_per_member_arrested: float = param(
        "1", low=0, prior=Prior(1.0, 1.0), doc="persons warned per member arrested"
    )
    momentum_recruitment: float = param("1/event", low=0, default=0.0, doc="relative rise of recruitment per event")
    exposure: float = param("1/event", low=0, default=0.0, doc="relative rise of break-up per event of the day")
    contact: float = param(
        "1/year", low=0, default=0.0, doc="groups formed in other places per group and year, through `between`'s reach"
    )


@dataclass(frozen=True)
class Call(Component):
    """Calls to protest, whose effect fades over days."""

    rate: float = param("events", low=0, prior=Prior(5.0, 1.0), doc="events on the day of a nationwide call")
    memory: float = param(
        "1/day", low=0, high=1, prior=Prior(0.75, 0.5), doc="share of a call's effect left the day after"
    )


@dataclass(frozen=True)
class Abroad(Component):
    """Events in other countries, as the setting gives them."""

    rate: float = param("1", low=0, prior=Prior(0.05, 1.0), doc="events nationwide per event abroad on the same day")


@dataclass(frozen=True)
class Deterrence(Component):
    """Recent arrests in a place hold its events down: (1 + H_p)^-strength.

    lag_days : the stock of so many days before acts, 1 or more; before the window it is 0.
    """

    strength: float = param("1", low=0, prior=Prior(0.2, 0.7), doc="exponent of 1 + recent arrests per 100,000")
    lag_days: int = 1

    def __post_init__(self) -> None:
        _check_lag(self, self.lag_days)
        super().__post_init__()


@dataclass(frozen=True)
class Backlash(Component):
    """Recent arrests in the country raise events (lower them below 0): (1 + H)^strength.

    lag_days : as for `Deterrence`; the two may differ.
    """

    strength: float = param("1", prior=Prior(0.0, 0.3), doc="exponent of 1 + recent arrests per 100,000, nationwide")
    lag_days: int = 1

    def __post_init__(self) -> None:
        _check_lag(self, self.lag_days)
        super().__post_init__()


def _check_lag(component: Component, days: object) -> None:
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise UsageError(
            f"{type(component).__name__}.lag_days is {days!r}; expected whole days, 1 or more: arrests are made at a "
            "day's events, so they cannot act on that day."
        )


@dataclass(frozen=True)
class RandomPulse(Component):
    """A nationwide random walk of the log level, centred so that it sums to 0 over the window."""

    sd: float = param("1/sqrt(day)", low=0, prior=Prior(0.1, 0.6), doc="sd of the daily step of the log level")


@dataclass(frozen=True)
class CalendarPulse(Component):
    """A log-linear trend from the window's first day, weekday effects and announced dates.

    A day's level does not depend on the window's length, so a fit holds in the longer window of a forecast.
    trend : 0 on the first day, whose level is that of the other parameters: of `background.rate`, and of offspring too.
    weekday : labels mon to sun, against the days not named; then the same is taken from every day, so that the log
    levels of a whole week sum to 0. All seven named, one direction is left to the priors; else name six at most.
    dates : labels are names of the setting's covariates that are the same everywhere (school holidays, Friday prayer,
    an anniversary), or ISO dates inside the window. An announced date stands out from the other days and leaves them
    as they are. Where the window will be cut for forecasts give a covariate, since a date outside it is refused.
    """

    trend: float = param("1/day", prior=Prior(0.0, 0.02), default=0.0, doc="change of the log level a day")
    weekday: Effects = param(
        "1", default=Effects(), prior=Prior(0.0, 0.3), doc="log level of a weekday over that of the days not named"
    )
    dates: Effects = param("1", default=Effects(), prior=Prior(0.0, 0.5), doc="log level of an announced date")

    def __post_init__(self) -> None:
        super().__post_init__()
        if unknown := [label for label in self.weekday if label not in WEEKDAYS]:
            raise UsageError(
                f'CalendarPulse.weekday has the label "{unknown[0]}"; expected of {", ".join(WEEKDAYS)}.'
                + nearest(unknown[0], WEEKDAYS)
            )

    def terms(self, setting: Setting) -> dict[str, np.ndarray]:
        """What each parameter multiplies, (T,) by its name."""
        days = np.arange(setting.window.periods)
        weekday = (setting.window.start.weekday() + days) % 7
        found = {"trend": days.astype(float)}
        found |= {f"weekday.{label}": (weekday == WEEKDAYS.index(label)) - 1 / 7 for label in self.weekday}
        return found | {f"dates.{label}": _announced(setting, label) for label in self.dates}

    def log_level(self, terms: Mapping[str, np.ndarray]) -> np.ndarray:
        """(T,) log pulse from its terms."""
        return sum((leaf.value * terms[leaf.name] for leaf in leaves(self)), start=np.zeros_like(terms["trend"]))


def _announced(setting: Setting, label: str) -> np.ndarray:
    """(T,) a covariate that is the same everywhere, or 1 on a date."""
    if label in setting.covariates:
        values = setting.covariates[label]
        if (values != values[0]).any():
            raise DataError(
                f'CalendarPulse.dates names "{label}", which differs between places, and a pulse is the whole '
                "country's. Give it as (T,), one value a day, or put it in background.effects."
            )
        return values[0]
    try:
        day = setting.window.day(as_date(label))
    except DataError as error:
        raise DataError(
            f'CalendarPulse.dates names "{label}", which is neither a covariate of the setting nor an ISO date such as '
            "2017-12-28." + nearest(label, setting.covariates)
        ) from error
    if not 0 <= day < setting.window.periods:
        raise DataError(
            f"CalendarPulse.dates names {label}, outside the window {setting.window.start} to {setting.window.end}, so "
            "its effect would act on no day. Drop it, or give a covariate, which may be 0 in a part of a window."
        )
    return (np.arange(setting.window.periods) == day).astype(float)


@dataclass(frozen=True)
class Arrests(Component):
    """Persons arrested at a place's events of a day: negative binomial around per_event Y."""

    per_event: float = param("persons/event", low=0, prior=Prior(8.0, 0.8), doc="mean arrests at an event")
    overdispersion: float = param(
        "1", low=0, prior=Prior(2.0, 0.5), doc="psi: variance m + psi m^2 of the day's total in a place"
    )
    memory: float = param(
        "1/day",
        low=0,
        high=1,
        prior=Prior(0.8, 0.5),
        doc="crackdown memory: share of the arrest stock left a day after",
    )


@dataclass(frozen=True)
class Crowds(Component):
    """Participants of an event: log-normal."""

    median: float = param("persons/event", low=0, prior=Prior(150.0, 0.8), doc="median participants of an event")
    spread: float = param("1", low=0, prior=Prior(1.0, 0.3), doc="sd of the log of an event's participants")
