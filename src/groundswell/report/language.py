"""Every sentence of a report, from one Fluent catalogue a language.

`Speaker("en").say("cities-answer", low=3)` finds the message and puts the numbers in; a missing key or
variable is an error at once, never a hole in a report. Numbers come in as text made by `number`, so that
one rule decides how a figure reads.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

from groundswell.errors import UsageError, nearest

RIGHT_TO_LEFT = frozenset({"ar", "fa"})
"""Languages written from right to left."""


class Speaker:
    """The sentences of one language."""

    def __init__(self, language: str = "en") -> None:
        from fluent.runtime import FluentBundle, FluentResource

        folder = resources.files("groundswell.report") / "languages"
        path = folder / f"{language}.ftl"
        if not path.is_file():
            known = sorted(item.name.removesuffix(".ftl") for item in folder.iterdir() if item.name.endswith(".ftl"))
            raise UsageError(f'no report speaks "{language}"; known: {", ".join(known)}.')
        self.language = language
        # isolating marks would break figures inside words of one script
        self._bundle = FluentBundle([language], use_isolating=False)
        self._bundle.add_resource(FluentResource(path.read_text(encoding="utf-8")))

    @property
    def direction(self) -> str:
        """ "ltr" or "rtl", for the page."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def say(self, key: str, **values: Any) -> str:
        """The sentence `key` with its values."""
        if not self._bundle.has_message(key):
            raise UsageError(f'the catalogue "{self.language}" has no sentence "{key}".' + nearest(key, self.keys()))
        pattern = self._bundle.get_message(key).value
        if pattern is None:
            raise UsageError(f'the catalogue "{self.language}" has an empty sentence "{key}".')
        text, errors = self._bundle.format_pattern(pattern, {k: _plain(v) for k, v in values.items()})
        if errors:
            raise UsageError(f'sentence "{key}" ({self.language}): {errors[0]}.')
        return str(text)

    def knows(self, key: str) -> bool:
        """Whether there is such a sentence."""
        return self._bundle.has_message(key)

    def keys(self) -> list[str]:
        """All keys of the catalogue."""
        return sorted(self._bundle._messages)


ENDLESS = 1e12
"""A figure so large is that of an end that the data leave open."""


def number(value: float, digits: int = 2) -> str:
    """A figure as people read it: whole above 100, else to `digits` significant figures; no exponent, ∞ if ENDLESS."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= ENDLESS:
        return "∞" if value > 0 else "-∞"
    if size >= 1000:
        return f"{round(value, -int(len(str(int(size))) - 3)):,.0f}"
    if size >= 100:
        return f"{value:.0f}"
    text = f"{value:.{digits}g}"
    return f"{float(text):f}".rstrip("0").rstrip(".") if "e" in text else text


def percent(share: float) -> str:
    """A share in whole per cent, never a false 0 or 100; the sign does not leave its number at a line's end."""
    if 0 < share < 0.01:
        return "under 1\u00a0%"
    if 0.99 < share < 1:
        return "over 99\u00a0%"
    return f"{100 * share:.0f}\u00a0%"


def _plain(value: Any) -> Any:
    return number(float(value)) if isinstance(value, float) else value


def span(low: float, high: float) -> str:
    """A range of numbers in words."""
    return f"{number(low)}–{number(high)}"
