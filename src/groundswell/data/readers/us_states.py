"""Where in the United States: what "CA", "California" or "PR" stands for in the gazetteer."""

from __future__ import annotations

from functools import lru_cache

from groundswell.data import gazetteer

TERRITORIES = {
    "PR": "Puerto Rico",
    "GU": "Guam",
    "VI": "U.S. Virgin Islands",
    "AS": "American Samoa",
    "MP": "Northern Mariana Islands",
}
"""Postal codes that stand beside the states and that the gazetteer lists as countries."""


def region_and_country(state: str) -> tuple[str, str] | None:
    """(region, country) of a state by postal code or name; a territory has no region; None for anything else."""
    return _known().get(_key(state))


@lru_cache(maxsize=1)
def _known() -> dict[str, tuple[str, str]]:
    states = {text: (name, "United States") for item in gazetteer.regions("US").items() for text, name in _both(*item)}
    others = {text: ("", name) for item in TERRITORIES.items() for text, name in _both(*item)}
    return states | others


def _both(code: str, name: str) -> list[tuple[str, str]]:
    return [(_key(code), name), (_key(name), name)]


def _key(text: str) -> str:
    return gazetteer.fold(text.replace(".", ""))
