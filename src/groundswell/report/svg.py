"""A matplotlib figure as SVG text for a page: text as paths, the same bytes for the same figure."""

from __future__ import annotations

import io
import re
from typing import Any

from groundswell.errors import UsageError
from groundswell.report.figures.style import WIDTH

_REFERENCE = re.compile(r'(\bid="|href="#|url\(#)')
_COORDINATES = re.compile(r'\b(d|x|y|points)="([^"]*)"')
_SURPLUS = re.compile(r"(\.\d\d)\d+")
_WIDE = re.compile(r'viewBox="\S+ \S+ (\S+) ')
NEARLY = 0.9
"""Of the page's width: a picture trimmed of its margins is drawn out to it."""
_CLUTTER = re.compile(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*|<style.*?</style>\s*", re.DOTALL)
"""A style element inside a picture would rule the whole page."""


def svg(axes: Any, name: str) -> str:
    """Inline SVG of the figure that holds `axes` (or of a figure).

    name : begins every id inside, so that a page can hold many pictures; letters, digits, - and _. No
    clock, no random ids, coordinates to a hundredth of a point, no fixed size: the width follows the page, and is less
    than the page's where the picture was drawn smaller than `style.WIDTH`, so that letters are as large as elsewhere.
    """
    import matplotlib

    if not re.fullmatch(r"[A-Za-z][\w-]*", name):
        raise UsageError(f'picture name "{name}": expected letters, digits, - and _, beginning with a letter.')
    figure = axes if hasattr(axes, "savefig") else axes.figure
    out = io.StringIO()
    settings: Any = {"svg.fonttype": "path", "svg.hashsalt": name, "path.simplify": True}
    with matplotlib.rc_context(settings):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    text = _CLUTTER.sub("", out.getvalue())
    text = text[text.index("<svg") :].strip()
    text = _REFERENCE.sub(lambda found: found[1] + name + "-", text)
    text = _COORDINATES.sub(lambda found: _SURPLUS.sub(r"\1", found[0]), text)
    head, rest = text.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    found = _WIDE.search(head)
    assert found is not None
    share = float(found[1]) / (72 * WIDTH)
    narrow = f"max-width: {100 * share:.0f}%; " if share < NEARLY else ""
    return f'{head} style="{narrow}stroke-linejoin: round; stroke-linecap: butt">{rest}'
