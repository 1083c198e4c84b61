"""Persons, ties and organised groups in cities: the agent twin of the mobilisation model.

Every mechanism of `Mobilisation` acts by the same name, but on persons who can be in one place only: they start
events or are asked to them, are warned, arrested and jailed, join a group once, and are missing while in jail.

    a person starts    Poisson(luck_pt mu_pt / N_p) events a day, mu_pt as in Mobilisation without `organised`
    a group starts     Poisson(luck_pt organised / groups0 ...) more; luck gamma, mean 1, variance overdispersion
    who is asked       anyone in the city, or with chance ties.turnout a tie of someone who came
    who comes          whoever is neither in jail, nor at another event today, nor stays away after a warning or arrest

In large cities, with small crowds and nobody missing, the counts have the law of Mobilisation's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.models.cities.system import System
from groundswell.params import Component, Prior, param

if TYPE_CHECKING:
    from groundswell.models.agents.society import Society


@dataclass(frozen=True)
class Ties(Component):
    """Whom a person asks: `number` ties to neighbours on a ring of the city's persons, some of them rewired.

    A tie is rewired with chance `random` to anyone in the city, once for all (the small world of Watts and Strogatz
    1998, here of directed ties: who would ask whom). Ties are not stored, they are found again from the run's key.

    number : ties of a person, a whole number that belongs to the model's form.
    """

    random: float = param("1", low=0, high=1, prior=Prior(0.1, 1.0), doc="share of ties to anyone in the city")
    turnout: float = param(
        "1", low=0, high=1, prior=Prior(0.5, 1.0), doc="share of those asked to an event who are ties of some who came"
    )
    number: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.number < 1:
            raise UsageError(f"Ties.number is {self.number}; expected 1 or more. Without ties, leave the part out.")


@dataclass(frozen=True)
class Jail(Component):
    """Persons arrested are away for a uniform time up to the longest, counted in days begun."""

    longest: float = param("days", low=0, prior=Prior(30.0, 1.0), doc="longest jail term; 0 frees them the next day")


@dataclass(frozen=True)
class SpecificDeterrence(Component):
    """Persons who were themselves warned or arrested keep away; `deterrence` acts on all, this on them alone.

    Drawn anew for a person each day. Who was both counts as arrested.
    """

    warned: float = param(
        "1", low=0, high=1, prior=Prior(0.2, 1.0), doc="chance that a person warned before stays away on a day"
    )
    arrested: float = param(
        "1", low=0, high=1, prior=Prior(0.4, 1.0), doc="chance that a person arrested before stays away on a day"
    )


@dataclass(frozen=True)
class Recruitment(System):
    """Mobilisation told of persons: who takes part, joins a group, is warned, arrested and jailed.

    The parameters are those of `Mobilisation`, per city and per group, with three parts more. They mean the same while
    few are missing; beyond, this model has what the other cannot have: crowds and recruits run out.

    A group has `groups.members` seats (a fraction is drawn for each group), filled by asking one person for each; it is
    formed if anyone joins, and does less the fewer of its members are free. A person joins a group once in a run.

    ties : None, anyone in the city is asked. jail : None, whoever is arrested is free the next day.
    specific_deterrence : None, nobody stays away for what happened to themselves.
    max_daily_events : counts the events that would be started if everyone were free.

    Cost of a day: some 50 ns a participant on one thread, and nothing for persons to whom nothing happens.
    Memory: 1 byte a person.
    """

    title: ClassVar[str] = "persons, ties and organised groups in cities: the agent twin of mobilisation"
    paper: ClassVar[str] = "groundswell, docs/models/recruitment.md (this project's own model)"

    ties: Ties | None = field(default_factory=Ties)
    jail: Jail | None = field(default_factory=Jail)
    specific_deterrence: SpecificDeterrence | None = field(default_factory=SpecificDeterrence)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups is not None and self.groups.members < 1:
            raise UsageError(
                f"groups.members is {self.groups.members:g}; expected 1 or more: a group of persons has some."
            )
        if self.ties is not None and self.groups is not None and self.ties.number < self.seats:
            raise UsageError(
                f"Ties.number is {self.ties.number} and groups.members {self.groups.members:g}; expected as many ties "
                "as a group has members at least, since who forms one fills its seats from among their own ties."
            )

    @classmethod
    def example(cls) -> tuple[Recruitment, Setting]:
        """A million persons in the four lopsided places of `Mobilisation.example`."""
        from groundswell.models.cities.mobilisation import Mobilisation

        return cls(), Mobilisation.example()[1]

    @property
    def seats(self) -> int:
        """Seats of the largest groups."""
        return math.ceil(self.groups.members) if self.groups is not None else 1

    def populate(self, setting: Setting, *, rng: np.random.Generator) -> Society:
        """The country before the first day, with its groups; draws nothing but its 64-bit key from `rng`."""
        from groundswell.models.agents.society import populate

        return populate(self, setting, rng=rng)

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """One history by place and day: the series of `Mobilisation`, and joined, members and jailed.

        groups, members and jailed are those at the day's start; a member in jail counts as both. With `given`, events,
        arrests, participants and warnings of its days are taken from it, and drawn is to whom they happen; the groups
        are drawn from the first day on. To go on with the same persons keep a `Society`, and `run` that.
        """
        from groundswell.models.agents.society import run

        done = run(self.populate(setting, rng=rng), given=given)
        return History(setting.places, setting.window, done.series, exploded=done.society.exploded)
