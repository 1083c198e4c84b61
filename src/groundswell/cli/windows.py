"""Windows of a fit: none counts an event twice, none outruns the file unsaid, what none used is listed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import Any

from groundswell.data import gazetteer
from groundswell.data.window import Window
from groundswell.errors import UsageError
from groundswell.studies.event_comparison import in_country

Cut = tuple[Window | None, str | None]
"""A window, None for the whole file, and its country, None for all."""


def apart(cuts: Sequence[Cut]) -> None:
    """UsageError where two windows of one country overlap."""
    for (a, (first, here)), (b, (second, there)) in combinations(enumerate(cuts, 1), 2):
        if first is None or second is None or first.end < second.start or second.end < first.start:
            continue
        if here is None or there is None or gazetteer.country_name(here) == gazetteer.country_name(there):
            where = here or there
            raise UsageError(
                f"window {a} ({first.start} to {first.end}) and window {b} ({second.start} to {second.end}) share days"
                + (f" of {where}" if where else "")
                + ", whose events would count twice. Let one begin after the other ends, or leave one out."
            )


def beyond(cuts: Sequence[Cut], name: str, starts: Sequence[date]) -> list[str]:
    """A sentence for each window that begins or ends more than a step before the first or after the last event."""
    if not starts:
        return []
    said, first, last = [], min(starts), max(starts)
    for window, _ in cuts:
        if window is None:
            continue
        early, late = (first - window.start).days, (window.end - last).days
        ends = [f"begins {early} days before the first event of {name}, {first}"] * (early > window.step)
        ends += [f"ends {late} days after the last event of {name}, {last}"] * (late > window.step)
        if ends:
            said.append(
                f"The window {window.start} to {window.end} {' and '.join(ends)}: these days count as days without "
                "events. If the file does not cover them, shorten the window."
            )
    return said


def unused(
    cuts: Sequence[Cut],
    left_out: Sequence[Sequence[Mapping[str, Any]]],
    countries: Mapping[tuple[Any, Any], str | None],
) -> list[dict[str, Any]]:
    """The lines of several windows as one list: an event is left out if no window that asks for it used it.

    left_out : a list of lines for each window, with row, id, outcome, reason, remedy. countries : (row, id) -> the
    event's country; what is not in it (a row of a table of covariates) is asked for by every window. An event
    that is left out stands once, with every reason; what was assumed stands once for each reason.
    """
    if len(cuts) == 1:
        return [dict(line) for line in left_out[0]]
    found: dict[tuple[Any, Any, Any], list[tuple[int, Mapping[str, Any]]]] = {}
    lines: list[dict[str, Any]] = []
    for number, each in enumerate(left_out):
        for line in each:
            if line["outcome"] == "assumed":
                if (kept := dict(line)) not in lines:
                    lines.append(kept)
                continue
            unnumbered = line["reason"] if line["row"] is None else ""
            found.setdefault((line["row"], line["id"], unnumbered), []).append((number, line))
    for (row, name, _), mine in found.items():
        asked = sum(in_country(countries.get((row, name)), country) for _, country in cuts)
        if len({number for number, _ in mine}) < asked:
            continue
        texts = [line for _, line in mine]
        reasons, remedies = (list(dict.fromkeys(line[name] for line in texts)) for name in ("reason", "remedy"))
        lines.append({**texts[0], "reason": "; ".join(reasons), "remedy": "; ".join(filter(None, remedies))})
    return sorted(lines, key=lambda line: (line["outcome"] == "not used", line["row"] or 0, str(line["id"])))
