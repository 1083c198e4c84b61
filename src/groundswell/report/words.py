"""Findings put into sentences of a language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    return number(value, 3) if isinstance(value, float) else value
