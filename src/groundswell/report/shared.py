"""What reports on a file of events share: folded tables, outlines around places."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundswell.data.gazetteer import outline
from groundswell.data.places import Places
from groundswell.data.table import Table
from groundswell.errors import DataError
from groundswell.report.language import Speaker
from groundswell.report.page import Twin

MOST_ROWS = 200
"""Rows of a table in the page; the whole table is beside it as CSV."""


def folded(table: Table, title: str, file: str, speaker: Speaker) -> Twin:
    """A folded table, cut where it is long, with the file that holds the rest."""
    if len(table) > MOST_ROWS:
        cut: dict[str, Any] = {column: list(values[:MOST_ROWS]) for column, values in table.columns.items()}
        said = speaker.say("compare-first-rows", shown=MOST_ROWS, count=len(table), file=file)
        return Twin(Table(cut), f"{title}. {said}")
    return Twin(table, title)


def outlines(places: Places) -> list[np.ndarray]:
    """Outlines of the countries of the places, without the parts far from any place; the places have positions.

    A ring over the 180th meridian is drawn in one piece, on the side of the places, and not across the map.
    """
    assert places.latitude is not None
    assert places.longitude is not None
    kept: list[np.ndarray] = []
    east, north = places.longitude, places.latitude
    for country in sorted(set(places.country) - {""}):
        try:
            rings = outline(country)
        except DataError:
            continue  # a state that is no more has no outline; its places are drawn all the same
        for ring in rings:
            length = np.unwrap(ring[:, 0], period=360)
            length += 360 * round((float(np.median(east)) - float(length.mean())) / 360)
            ring = np.column_stack([length, ring[:, 1]])
            (west, south), (far_east, far_north) = ring.min(axis=0), ring.max(axis=0)
            apart = west > east.max() + 2 or far_east < east.min() - 2
            if not (apart or south > north.max() + 2 or far_north < north.min() - 2):
                kept.append(ring)
    return kept
