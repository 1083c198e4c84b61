"""Writes docs/quantities.md from the quantities themselves: `.venv/bin/python -m tools.quantities_page`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from groundswell.data.figures import HEDGES
from groundswell.data.files import write_text
from groundswell.data.proofreading import READ_AS
from groundswell.data.quantities import INPUTS, QUANTITIES, UNSPOKEN, Quantity
from groundswell.data.record import QUALIFIERS

PAGE = Path(__file__).parent.parent / "docs" / "quantities.md"

HEAD = """# Quantities: what a claim can be about

Written from `groundswell.data.quantities` by `make docs`. All sentences and figures on this page are made up.

A claim names one of these quantities. Each is a number that can be computed from a history: its *functional* over the
*series* by place and day, over the claim's place and window.

- **distinct**: places whose series is above 0 on some day of the window. A place counts once, however often.
- **sum**: the series added up over the places and days of the window.
- **ratio**: (sum + 1/2) / (sum of another series + 1/2).

The **class** decides which claims share a lean: a stance may inflate arrests and not cities. The **direction** says
whose side gains by a larger figure: +1 the opposition's, -1 the authorities'. It is a judgement, the same for all
cases, and turns only the sign under which a lean is told: a side that claims too few arrests and too many broken-up
groups leans one way in both. A stance that is neither (observers, say) has a lean all the same.

**Persons** are counted once for each event: `participants` of three days may count one person three times. A figure for
the largest march of a week is a claim about its day and place, not about the week.
"""

DIRECTION = {1: "+1: the opposition gains by a larger figure", -1: "-1: the authorities gain by a larger figure"}


class Example(NamedTuple):
    """A made-up sentence of the news, and the cells of the row that it becomes."""

    sentence: str
    cells: str


EXAMPLES: Mapping[str, Example] = {
    "cities_with_protest": Example(
        '"Protests have reached at least 40 towns since Thursday," the governor\'s office said on Sunday.',
        "place the country, start the Thursday, end the Sunday, `at_least`, 40, stance `state`",
    ),
    "cities_with_confrontation": Example(
        '"In nearly 30 cities people were detained at rallies," a lawyers\' group counted.',
        "window of the rallies, `about` (nearly), 30; one arrest makes a city count",
    ),
    "events": Example("The list has 212 rallies in March.", "start 1 March, end 31 March, `exactly`, 212"),
    "participants": Example(
        '"Between 20,000 and 30,000 marched in Alphaville on Saturday," said police.',
        "place Alphaville, start and end the Saturday, `between`, 20000, value_high 30000",
    ),
    "arrests": Example(
        '"More than 150 of our people were arrested in the first week," said the campaign.',
        "seven days, `more_than`, 150, stance `opposition`; charges, sentences and those held at home are not meant",
    ),
    "warnings": Example('"We cautioned 60 persons at the square," said police.', "the day, `exactly`, 60"),
    "teams_arrested": Example(
        '"116 cells were smashed in the past year," said the ministry.', "the year before, `exactly`, 116, teams"
    ),
    "groups_formed": Example(
        'The movement reports "some 200 new local committees" this spring.', "the spring, `about`, 200, teams"
    ),
    "members_arrested": Example(
        '"About 60 members of these cells are in custody," said the provincial office.',
        "place the province, `about`, 60; not `arrests`, which are made at events",
    ),
    "members_warned": Example(
        '"50 more were warned for contacts with them," it said.', "the same window and origin, `exactly`, 50"
    ),
    "joins_per_arrest": Example(
        '"For every one they take, more than one joins," the movement says.', "`more_than`, 1, a ratio"
    ),
}


def render() -> str:
    """The whole page."""
    parts = [HEAD, "## Quantities that are weighed\n", _overview(), *map(_section, QUANTITIES.values())]
    parts.append("## Quantities that are given to the model\n\nA call to protest is an input: it is listed, and what "
                 "`study.toml` says under `[[setting.calls]]` is what the model gets.\n")  # fmt: skip
    parts.append("\n".join(f"- `{name}`: {reason}" for name, reason in INPUTS.items()) + "\n")
    parts.append("## Quantities that no model here speaks of\n\nWrite such claims down all the same: the report lists "
                 "them with the reason.\n")  # fmt: skip
    parts.append("\n".join(f"- `{name}`" for name in UNSPOKEN) + "\n")
    parts.append(_hedges())
    return "\n".join(parts)


def _overview() -> str:
    rows = ["| quantity | counts | functional | unit | class | direction |", "| --- | --- | --- | --- | --- | --- |"]
    rows += [
        f"| `{q.name}` | {q.noun} | {q.functional} of `{q.series}`{f' over `{q.below}`' if q.below else ''} | {q.unit} "
        f"| {q.kind} | {q.direction:+d} |"
        for q in QUANTITIES.values()
    ]
    return "\n".join(rows) + "\n"


def _section(what: Quantity) -> str:
    example = EXAMPLES[what.name]
    until = (
        "May end after the study's daily window: the organised groups run on."
        if what.runs_later
        else "Only inside the study's daily window."
    )
    return (
        f"### {what.name}\n\n{what.doc[:1].upper()}{what.doc[1:]}.\n\n"
        f"- Direction {DIRECTION[what.direction]}. Shares a lean with the class `{what.kind}`.\n"
        f"- {until}\n- {example.sentence} → {example.cells}.\n"
    )


def _hedges() -> str:
    rows = ["| qualifier | words that are read as it | taken as |", "| --- | --- | --- |"]
    for name in QUALIFIERS:
        words = ", ".join(f'"{word}"' for word, meant in HEDGES.items() if meant == name and word != name)
        rows.append(f"| `{name}` | {words} | {READ_AS[name]} |")
    return (
        "## Hedges\n\nThe column `qualifier` may hold the words of the source, or be empty where the cell of the value "
        'has them ("over 1,000", "1,000+", "20-40"); two that contradict each other are a problem of the row.\n\n'
        + "\n".join(rows)
        + '\n\nWords without a figure ("dozens", "hundreds") are refused: `groundswell data check` says what they '
        "could be, by the conventions of [sizes](data.md#sizes), and leaves the choice to you.\n"
    )


if __name__ == "__main__":
    write_text(PAGE, render())
