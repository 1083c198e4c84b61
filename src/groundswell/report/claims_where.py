"""The section of the report of a study of claims on where there was protest: maps by date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from groundswell.data.quantities import quantity
from groundswell.data.table import Table
from groundswell.errors import DataError
from groundswell.report.language import Speaker, percent
from groundswell.report.page import Picture, Section, Twin
from groundswell.report.svg import svg
from groundswell.report.words import listed, window

MAP_DAYS = (1, 3, 6, 13, 20)
"""Days of the small maps before the last one, as positions in the window."""
APART = 0.15
"""Share of the window by which a map lies before the last one at least: neighbouring days look alike."""


def sections(result: Mapping[str, Any], speaker: Speaker) -> list[Section]:
    """The section, where a claim speaks of cities or events and there is more than one place."""
    spoken = any(quantity(claim["quantity"]).kind == "cities" for claim in result["claims"])
    return [places(result, speaker)] if spoken and len(result["places"]) > 1 else []


def map_days(count: int) -> list[int]:
    """Positions of the maps in a window of so many days."""
    last = count - 1
    return [day for day in MAP_DAYS if day <= (1 - APART) * last] + [last]


def places(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """Maps by date."""
    say, places, dates = speaker.say, result["places"], result["dates"]
    seen = np.array([place["seen"] for place in places])
    order = np.lexsort((-np.array([p["population"] for p in places]), -seen[:, -1]))
    table = Table(
        {
            say("column-place"): [places[i]["place"] for i in order],
            say("column-region"): [places[i]["region"] for i in order],
            say("column-population"): [round(places[i]["population"]) for i in order],
            say("column-share"): [percent(float(seen[i, -1])) for i in order],
        }
    )
    pictures = []
    if places[0]["latitude"] is not None:
        from groundswell.report.figures.maps import country_maps

        days = map_days(len(dates))
        titles = [window(dates[day], dates[day], speaker) for day in days]
        axes = country_maps(
            _rings(result["case"].get("country", "")),
            [p["longitude"] for p in places], [p["latitude"] for p in places],
            seen[:, days], titles, names=[p["place"] for p in places],
            population=[p["population"] for p in places], label=say("figure-share-active"), percent=True,
        )  # fmt: skip
        alt = say(
            "claims-alt-map", dates=listed(titles, speaker),
            places=listed([places[i]["place"] for i in order[:8]], speaker),
        )  # fmt: skip
        pictures.append(Picture(svg(axes, "map"), say("claims-caption-map"), alt))
    return Section(
        "map", say("claims-section-map"), [say("claims-words-map")], pictures, [Twin(table, say("claims-table-places"))]
    )


def _rings(country: str) -> list[np.ndarray]:
    from groundswell.data.gazetteer import outline

    if not country:
        return []
    try:
        return outline(country)
    except DataError:
        return []
