"""What the claims ask for, window by window: what happened given all of them, and what every side said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.quantities import QUANTITIES, quantity
from groundswell.data.table import Table
from groundswell.report.claims_one_by_one import stances
from groundswell.report.language import Speaker, number
from groundswell.report.page import Picture, Section, Twin
from groundswell.report.svg import svg
from groundswell.report.words import window
from groundswell.studies.answers import KINDS

SHORT = 6
"""Windows of a class in the answers' box."""
KEY = ("quantity", "place", "start", "end")
DRAWN = 30
"""Windows in one picture; the table has all."""


@dataclass(frozen=True)
class Asked:
    """A quantity, a place and days that claims speak of, with those claims. happened : 5, 25, 50, 75, 95 %."""

    quantity: str
    place: str
    start: str
    end: str
    happened: Sequence[float]
    claims: Sequence[Mapping[str, Any]]

    @property
    def key(self) -> tuple[str, ...]:
        """Quantity, place and days."""
        return tuple(getattr(self, name) for name in KEY)

    @property
    def kind(self) -> str:
        """Its class."""
        return quantity(self.quantity).kind

    @property
    def told(self) -> tuple[str, str, str]:
        """Low, middle and high of what happened, counts in whole numbers."""
        ratio = quantity(self.quantity).functional == "ratio"
        low, middle, high = (number(v if ratio else round(v)) for v in np.array(self.happened)[[0, 2, 4]].tolist())
        return low, middle, high

    def about(self, speaker: Speaker, *, quantity: bool = True, lines: bool = False) -> str:
        """ "Participants, Minsk, 16 August", in two lines where asked for."""
        what = f"{self.quantity.replace('_', ' ').capitalize()}, {self.place}" if quantity else self.place
        return f"{what}{chr(10) if lines else ', '}{window(self.start, self.end, speaker)}"


def asked(result: Mapping[str, Any]) -> list[Asked]:
    """Every window that weighed claims speak of, class by class and day by day."""
    heaps: dict[tuple[str, str, str, str], list[Mapping[str, Any]]] = {}
    for claim in result["claims"]:
        heaps.setdefault((claim["quantity"], claim["place"], claim["start"], claim["end"]), []).append(claim)
    found = [Asked(*key, claims[0]["happened"], claims) for key, claims in heaps.items()]
    names = list(QUANTITIES)
    return sorted(
        found, key=lambda one: (KINDS.index(one.kind), names.index(one.quantity), one.end, one.start, one.place)
    )


def answers(result: Mapping[str, Any], speaker: Speaker) -> list[tuple[str, list[str]]]:
    """For each class of quantity of which claims speak, a line a window: those in no other first, then large ones."""
    say, rows = speaker.say, asked(result)
    widest = {tuple(row[name] for name in KEY) for row in result["look"]["asked"].values()}
    made = []
    for kind in KINDS:
        mine = [one for one in rows if one.kind == kind and quantity(one.quantity).functional != "ratio"]
        first = sorted(mine, key=lambda one: (one.key not in widest, -max(claim["value"] for claim in one.claims)))
        shown = [one for one in mine if one in first[:SHORT]]
        lines = [line(one, speaker, approximate=result["size"]["approximate"]) for one in shown]
        if len(shown) < len(mine):
            lines.append(say("claims-asked-more", count=len(mine) - len(shown)))
        if lines:
            made.append((say(f"claims-ask-{kind}"), lines))
    return made


def line(one: Asked, speaker: Speaker, *, approximate: bool = False) -> str:
    """ "Participants, Minsk, 16 August: 102,000 (59,000 to 213,000); said: more than 200,000 (opposition)."."""
    low, middle, high = one.told
    return speaker.say(
        "claims-asked-about" if approximate else "claims-asked", about=one.about(speaker), middle=middle, low=low,
        high=high, said=_said(one),
    )  # fmt: skip


def _said(one: Asked) -> str:
    """Every figure with its side, once each."""
    told = (f"{_figure(claim)} ({claim['stance'].replace('_', ' ')})" for claim in one.claims)
    return ", ".join(dict.fromkeys(told))


def _figure(claim: Mapping[str, Any]) -> str:
    """The figure in its words, without the unit."""
    hedge = "" if claim["qualifier"] == "exactly" else claim["qualifier"].replace("_", " ") + " "
    high = "" if claim["value_high"] is None else f" and {claim['value_high']:,.10g}"
    return f"{hedge}{claim['value']:,.10g}{high}"


def section(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """A picture for each class of quantity, and the table of all windows."""
    from groundswell.report.figures.asked import by_window

    say, rows = speaker.say, asked(result)
    pictures, words = [], [say("claims-words-asked")]
    for kind in KINDS:
        mine = [one for one in rows if one.kind == kind]
        several = len({one.quantity for one in mine}) > 1
        drawn = [
            {
                "label": one.about(speaker, quantity=several, lines=True),
                "happened": one.happened, "claims": list({(_figure(c), c["stance"]): c for c in one.claims}.values()),
                "told": f"{one.told[1]} ({one.told[0]}–{one.told[2]})",
            }
            for one in mine[:DRAWN]
        ]  # fmt: skip
        if not drawn:
            continue
        title = say(f"figure-class-{kind}") if several else mine[0].quantity.replace("_", " ").capitalize()
        axes = by_window(drawn, title=title, words=speaker, stances=stances(result))
        caption = say("claims-caption-asked", what=title)
        if len(drawn) < len(mine):
            caption += " " + say("claims-asked-drawn", drawn=len(drawn), count=len(mine))
        alt = " ".join(line(one, speaker) for one in mine[:DRAWN])
        pictures.append(Picture(svg(axes, f"asked-{kind}"), caption, alt))
    table = Table(
        {
            say("column-quantity"): [one.quantity.replace("_", " ") for one in rows],
            say("column-place"): [one.place for one in rows],
            say("column-window"): [window(one.start, one.end, speaker) for one in rows],
            say("column-middle"): [one.told[1] for one in rows],
            say("column-range"): [f"{one.told[0]}–{one.told[2]}" for one in rows],
            say("column-said"): [_said(one) for one in rows],
        }
    )
    return Section("asked", say("claims-section-asked"), words, pictures, [Twin(table, say("claims-table-asked"))])
