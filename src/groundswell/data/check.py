"""What a file is, what was read of it, what was left out and why: `groundswell data check`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from groundswell.data.claims_table import check_claims
from groundswell.data.proofreading import proofreading
from groundswell.data.provenance import told_again
from groundswell.data.quantities import INPUTS, QUANTITIES
from groundswell.data.readers import Raw, ReadEvents, read_events, read_raw, reader_for
from groundswell.data.readers.table import CHOICES
from groundswell.data.record import COLUMNS, Record, is_claims_table
from groundswell.data.sizes import read_size, size_rule
from groundswell.data.table import Table, show
from groundswell.errors import UsageError

SHOWN = 30
"""Rows of a table that are printed; files and JSON have them all."""

PROOFREAD = 100
"""Claims that are printed as sentences."""

REASONS = 8
"""Reasons that are counted below a list of rows that is cut."""


@dataclass(frozen=True, eq=False)
class Check:
    """The answer to "what is in this file?".

    kind : "events" or "claims". what : the format in words. rows = read + left out.
    table : the events or claims that stand. left_out : row, reason and remedy (claims: also id and
    column; one line for each problem). sizes : how each size text was read. facts : what the table
    spans, name by name. usable : whether a study takes the table as it stands. warnings : of the notes, those
    that every command says. remarks : how many events have each remark. header : whether row 1 is the header.
    read_as : of claims, each in a sentence for proofreading.
    """

    name: str
    kind: str
    what: str
    rows: int
    read: int
    table: Table
    left_out: Table
    sizes: Table
    facts: Mapping[str, Any]
    notes: tuple[str, ...]
    usable: bool = True
    warnings: tuple[str, ...] = ()
    remarks: Mapping[str, int] = field(default_factory=dict)
    header: bool = True
    read_as: tuple[str, ...] = ()

    @property
    def rows_left_out(self) -> int:
        """Rows of the file that gave nothing."""
        return self.rows - self.read

    def as_dict(self) -> dict[str, Any]:
        """Everything but the table itself, for JSON."""
        return {
            "file": self.name,
            "kind": self.kind,
            "what": self.what,
            "rows": self.rows,
            "read": self.read,
            "left_out": self.rows_left_out,
            "facts": dict(self.facts),
            "left_out_rows": list(self.left_out.rows()),
            "sizes": list(self.sizes.rows()),
            "remarks": dict(self.remarks),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "read_as": list(self.read_as),
        }

    def words(self) -> str:
        """The same for people."""
        parts = [
            f"{self.name}: {self.what}",
            f"{self.rows:,} rows: {self.read:,} read, {self.rows_left_out:,} left out",
            *(f"  {name}: {show(value)}" for name, value in self.facts.items() if value not in (None, "", 0)),
        ]
        parts += [f"Warning: {warning}" for warning in self.warnings]
        if len(self.left_out):
            numbered = "its header is row 1" if self.header else "its first row of data is row 1"
            parts += ["", f"Left out, with the row of the file ({numbered}):", _head(self.left_out)]
            if len(self.left_out) > SHOWN:
                parts += ["Most often:", *most_often(Counter(self.left_out["reason"]), "rows")]
        if self.remarks:
            parts += ["", "Remarks, the most frequent first:", *most_often(self.remarks, "events")]
        if self.read_as:
            parts += ["", "How each claim is read; compare with where you read it:", *self.read_as[:PROOFREAD]]
            if len(self.read_as) > PROOFREAD:
                parts.append(f"... and {len(self.read_as) - PROOFREAD:,} more; --out or --json has them all")
        if len(self.sizes):
            parts += ["", "Sizes as intervals (no upper end: at least; neither end: no size):", _head(self.sizes)]
        if notes := [note for note in self.notes if note not in self.warnings]:
            parts += ["", "Notes:", *(f"- {note}" for note in notes)]
        return "\n".join(parts)


@dataclass(frozen=True)
class Verdict:
    """What a study makes of a table of claims. first : its first day, for which an empty start stands; None if unknown.

    fates : by id, why a claim is not weighed. notes : what is to be said of the study as a whole.
    """

    first: date | None
    fates: Mapping[str, str]
    notes: tuple[str, ...]


def check(
    path: Any,
    mapping: Mapping[str, str] | None = None,
    source: str | None = None,
    rule: str = "wide",
    study: Verdict | None = None,
) -> Check:
    """Read a file of events or claims as far as it can be read, and tell all about it.

    The columns decide which it is, unless a mapping or a source says that it holds events. study : of claims, what
    the study that they are for makes of them. DataError where the file as a whole cannot be read.
    """
    raw = read_raw(path)
    if is_claims_table(raw.columns) and not set(mapping or ()) - set(CHOICES) and source in (None, "claims"):
        if mapping:
            raise UsageError(
                f"{raw.name} is a table of claims, and --map speaks of events: {', '.join(mapping)} says nothing here. "
                "Write dates that could be two as 2020-08-09 or 9 August 2020."
            )
        return _claims(raw, study)
    if source == "claims":
        raise UsageError(
            f"{raw.name} lacks the columns of a claims table, such as speaker and value; it is no table of claims."
        )
    what = reader_for(raw, source, mapping).title
    return check_events(read_events(raw, mapping, source, rule), what, rule)


def check_events(read: ReadEvents, what: str, rule: str = "wide") -> Check:
    """The same for events that were read already."""
    events = list(read.events.rows())
    scopes = Counter(event["scope"] for event in events)
    precisions = Counter(event["precision"] for event in events)
    facts: dict[str, Any] = {"events": len(events)}
    if read.period is not None:
        facts["rows of 0 events"] = len(set(read.quiet["row"]))
    if events:
        first, last = read.covers or (min(event["start"] for event in events), max(event["end"] for event in events))
        facts |= {
            "first day": first.isoformat(),
            "last day": last.isoformat(),
            "countries": len({event["country"] for event in events if event["country"]}),
            "places by name": len({(e["country"], e["region"], e["place"]) for e in events if e["place"]}),
            "events with a position": sum(event["latitude"] is not None for event in events),
            "events nationwide or placed no closer": scopes["national"],
            "events placed to a region": scopes["region"],
            "events dated less closely than a day": len(events) - precisions["day"],
            "events over several days": sum(e["end"] > e["start"] and e["precision"] == "day" for e in events),
            "events with a size": sum(e["size_low"] is not None or e["size_high"] is not None for e in events),
            "events with arrests": sum(bool(e["arrests"]) or e["arrests_any"] is True for e in events),
            "events with a remark": sum(bool(event["remark"]) for event in events),
        }
    sizes = _sizes([event["size_text"] for event in events if event["size_text"]], rule)
    rule_note = f'sizes in words are read by the rule "{rule}": {size_rule(rule).doc}'
    return Check(
        read.name,
        "events",
        what,
        read.rows,
        read.rows_read,
        read.events,
        read.left_out,
        sizes,
        facts,
        (*read.notes, *([rule_note] if len(sizes) else [])),
        warnings=read.warnings,
        remarks=dict(Counter(event["remark"] for event in events if event["remark"]).most_common()),
        header=read.header,
    )


def _claims(raw: Raw, study: Verdict | None) -> Check:
    checked = check_claims(raw, first=study.first if study else None)
    claims = checked.claims
    facts: dict[str, Any] = {"claims": len(claims)}
    if claims:
        stances = Counter(claim.stance for claim in claims)
        facts |= {
            "stances": ", ".join(f"{stance} {count}" for stance, count in sorted(stances.items())),
            "speakers": len({claim.speaker for claim in claims}),
            "origins": len({claim.origin for claim in claims}),
            "first day": min(claim.start for claim in claims).isoformat(),
            "last day": max(claim.end for claim in claims).isoformat(),
            "claims that a model can weigh": sum(claim.quantity in QUANTITIES for claim in claims),
            "claims that tell another again and do not count": told_again(claims),
            "claims used as setting only": sum(claim.quantity in INPUTS for claim in claims),
            "claims no model speaks to": sum(claim.quantity not in {*QUANTITIES, *INPUTS} for claim in claims),
        }
    bad = len({row["row"] for row in checked.refusals})
    what = "a table of claims" + (
        f"; {bad} rows have problems, and a study takes the table only when they are solved" if bad else ""
    )
    table = Record(claims).table() if claims else Table({name: [] for name in COLUMNS})
    return Check(
        checked.name,
        "claims",
        what,
        checked.rows,
        len(claims),
        table,
        checked.problems,
        Table({}),
        facts,
        tuple(dict.fromkeys((*checked.notes, *(study.notes if study else ())))),
        usable=not bad,
        header=raw.header,
        read_as=tuple(proofreading(claims, checked.told, study.fates if study else {})),
    )


def most_often(counts: Mapping[str, int], what: str) -> list[str]:
    """Lines on the most frequent sentences. Where there are many, those that differ by numbers and names are one."""
    grouped = [(text, count, 1) for text, count in counts.items()]
    for varies in (r'(?<!")\b\w*\d[\w.:/-]*', r'"[^"]*"|\b\w*\d[\w.:/-]*'):
        if len(grouped) <= REASONS:
            break
        alike: dict[str, list[tuple[str, int]]] = {}
        for text, count in counts.items():
            alike.setdefault(re.sub(varies, "*", text), []).append((text, count))
        grouped = [(group[0][0], sum(count for _, count in group), len(group)) for group in alike.values()]
    grouped.sort(key=lambda line: -line[1])
    more = sum(count for _, count, _ in grouped[REASONS:])
    lines = [
        f"  {count:,} {what}{', such as' if kinds > 1 else ''}: {text}" for text, count, kinds in grouped[:REASONS]
    ]
    return lines + ([f"  {more:,} {what}: other reasons"] if more else [])


def _sizes(texts: list[str], rule: str) -> Table:
    """Each size text, how often it occurs, and its interval; the frequent first, plain numbers as one line."""
    counts = Counter(texts)
    plain = {text for text in counts if text.replace(",", "").isdigit() and read_size(text, rule).known}
    rows: list[dict[str, Any]] = []
    if plain:
        values = [read_size(text, rule) for text in plain]
        total = sum(counts[text] for text in plain)
        lows, highs = [v.low or 0.0 for v in values], [v.high or 0.0 for v in values]
        rows.append({"text": "(plain numbers)", "events": total, "low": min(lows), "high": max(highs), "reason": ""})
    for text, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if text not in plain:
            size = read_size(text, rule)
            rows.append({"text": text, "events": count, "low": size.low, "high": size.high, "reason": size.reason})
    return Table.from_rows(rows, ("text", "events", "low", "high", "reason"))


def _head(table: Table) -> str:
    rows = list(table.rows())
    shown = Table.from_rows(rows[:SHOWN], list(table.columns))
    more = f"\n... and {len(rows) - SHOWN:,} more; --out or --json has them all" if len(rows) > SHOWN else ""
    return str(shown) + more
