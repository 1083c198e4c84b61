"""What study.toml may state, table by table, with what is wrong with it in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from groundswell.params import flat
from groundswell.studies.counts import LOOKED


class Strict(BaseModel):
    """A table of the TOML file: frozen, and a wrong name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CallOf(Strict):
    """One call to protest. Without names or number it is to the whole country.

    largest, random : where only a number is known, so many of the largest places, or so many drawn at random (the same
    ones every time), stand for them; at most one of the three.
    """

    date: date
    places: tuple[str, ...] | None = None
    largest: int | None = Field(default=None, ge=1)
    random: int | None = Field(default=None, ge=1)
    claim: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> CallOf:
        if sum(given is not None for given in (self.places, self.largest, self.random)) > 1:
            raise ValueError("a call names places, or a number of the largest, or a number at random: give one of them")
        return self


class Given(Strict):
    """What the study takes as given, and from which claims."""

    active_on_day0: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    calls: tuple[CallOf, ...] = ()


class CountsOf(Strict):
    """A source's own counts of events, weighed beside the claims.

    events : a table of events, or of counts by place and day. places : where the source looked, of `counts.LOOKED`, or
    names of places and regions. start, end : when; the daily window without them. detection : the share of the events
    there that it lists, given and not learnt. map : field -> column, where the table's names are unusual.
    """

    events: str
    places: tuple[str, ...] | str = ""
    start: date | None = None
    end: date | None = None
    detection: float = Field(default=1.0, gt=0, le=1)
    map: dict[str, str] = {}

    @model_validator(mode="after")
    def _said(self) -> CountsOf:
        if not self.places or (isinstance(self.places, str) and self.places not in LOOKED):
            given = f'places is "{self.places}"' if self.places else "places is missing"
            raise ValueError(
                f'{given}: say where the source looked, for elsewhere no row says nothing. "all": every place of the '
                'study. "listed": those that the table names. "rows": the place-days that it has a row of, rows of 0 '
                "too. Or a list of places and regions"
            )
        return self


class PriorOf(Strict):
    """A prior in the place of the declared one: its median, and its sd on the parameter's free coordinate."""

    median: float
    sd: float

    @model_validator(mode="before")
    @classmethod
    def _both(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            raise ValueError(
                "a prior is { median = ..., sd = ... }; to hold the parameter at a value, write it under [fixed]"
            )
        return given


def by_parameter(nested: Any) -> Any:
    """Tables of a TOML file by dotted name; one with an `sd` that is no table is a prior."""
    return flat(nested, whole=lambda table: not isinstance(table.get("sd", table), Mapping))
