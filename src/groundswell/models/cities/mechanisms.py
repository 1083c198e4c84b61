"""The mechanisms of the mobilisation model: what each is, its parameters, their units and priors.

A mechanism is a component of `Mobilisation`; `None` leaves it out, so that a comparison of accounts can
say which were at work. Priors are those whose prior predictive was found sane on 425 Iranian cities
(docs/models/mobilisation.md); they are judgements, not estimates.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from groundswell.models.triggering import Exponential, PowerLaw
from groundswell.params import Component, Effects, Prior, param

YEAR = 365.0
"""Days; yearly rates are divided by it."""


@dataclass(frozen=True)
class Background(Component):
    """Events that need no other event: rate (N_p / 100,000)^scale exp(x_pt . effects)."""

    rate: float = param(
        "events/day", low=0, prior=Prior(0.002, 1.0), doc="events a day in a place of 100,000 people at covariates 0"
    )
    effects: Effects = param("1", default=Effects(), doc="log effects of the setting's covariates of the same name")


@dataclass(frozen=True)
class Within(Component):
    """Momentum: events raise later events in the same place."""

    offspring: float = param("1", low=0, prior=Prior(0.3, 0.4), doc="expected later events per event, same place")


@dataclass(frozen=True)
class Between(Component):
    """Diffusion: events raise later events in other places, near and large ones most."""

    offspring: float = param("1", low=0, prior=Prior(0.3, 0.4), doc="expected later events per event, other places")
    reach: PowerLaw | Exponential = field(default_factory=PowerLaw)


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
    """Recent arrests in a place hold its events down: (1 + H_p)^-strength."""

    strength: float = param("1", low=0, prior=Prior(0.2, 0.7), doc="exponent of 1 + recent arrests per 100,000")


@dataclass(frozen=True)
class Backlash(Component):
    """Recent arrests in the country raise events (lower them below 0): (1 + H)^strength."""

    strength: float = param("1", prior=Prior(0.0, 0.3), doc="exponent of 1 + recent arrests per 100,000, nationwide")


@dataclass(frozen=True)
class RandomPulse(Component):
    """A nationwide random walk of the log level, centred so that it sums to 0 over the window."""

    sd: float = param("1/sqrt(day)", low=0, prior=Prior(0.1, 0.6), doc="sd of the daily step of the log level")


@dataclass(frozen=True)
class CalendarPulse(Component):
    """A log-linear trend and weekday effects (labels mon to sun), centred to sum to 0 over the window."""

    trend: float = param("1/day", prior=Prior(0.0, 0.02), default=0.0, doc="change of the log level a day")
    weekday: Effects = param("1", default=Effects(), prior=Prior(0.0, 0.3), doc="log level of a weekday")


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


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
