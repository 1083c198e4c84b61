"""Findings put into sentences of a language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from groundswell.evaluate.ranking import Finding
from groundswell.report.language import Speaker, number


def in_words(findings: Iterable[Finding], speaker: Speaker | None = None) -> list[str]:
    """One sentence for each finding, in the speaker's language (English without one)."""
    voice = speaker or Speaker()
    return [voice.say(f.key, **{k: _said(value, voice) for k, value in f.values.items()}) for f in findings]


def listed(names: Sequence[str], speaker: Speaker) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return speaker.say("words-and", first=", ".join(names[:-1]), last=names[-1])


def _said(value: Any, speaker: Speaker) -> Any:
    if isinstance(value, tuple):
        return listed(value, speaker)
    if isinstance(value, Finding):
        return in_words([value], speaker)[0]
    return number(value, 3) if isinstance(value, float) else value


LONG = 300
"""Days of a window from which on a reader needs the years."""


def window(start: str, end: str, speaker: Speaker) -> str:
    """Days of a window of ISO dates: "16 August", "9 to 12 August"; with the year where it is a long one."""
    from babel.dates import format_date

    first, last = date.fromisoformat(start), date.fromisoformat(end)
    pattern = "d MMMM" if (last - first).days < LONG else "d MMMM y"

    def told(day: date, pattern: str = pattern) -> str:
        return format_date(day, pattern, locale=speaker.language)

    if first == last:
        return told(first)
    same = (first.year, first.month) == (last.year, last.month)
    return speaker.say("words-to", first=told(first, "d") if same else told(first), last=told(last))


def parameter_name(name: str, speaker: Speaker) -> str:
    """A parameter of the claims' model in plain words; by its own name where the catalogue has none for it."""
    key = f"parameter-{name.replace('.', '-')}"
    if speaker.knows(key):
        return speaker.say(key)
    head, _, rest = name.removeprefix("reporting.").partition(".")
    key = f"parameter-reporting-{head}-of"
    if name.startswith("reporting.") and rest and speaker.knows(key):
        whose, _, kind = rest.replace("_", " ").partition(":")
        return speaker.say(key, whose=whose, kind=kind)
    return name
