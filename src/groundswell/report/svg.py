"""A matplotlib figure as SVG text for a page: text as paths, the same bytes for the same figure."""

from __future__ import annotations

import io
import re
from typing import Any


def svg(axes: Any, name: str) -> str:
    """Inline SVG of the figure that holds `axes` (or of a figure); ids begin with `name`, so pages can hold many.

    No clock, no random ids, no fixed size: the width follows the page.
    """
    import matplotlib

    figure = axes if hasattr(axes, "savefig") else axes.figure
    out = io.StringIO()
    settings = {"svg.fonttype": "path", "svg.hashsalt": name, "path.simplify": True}
    with matplotlib.rc_context(settings):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'(\bid="|href="#|url\(#)', lambda found: found.group(1) + name + "-", text)
    return re.sub(
        r'<svg([^>]*?) width="[^"]*"', r"<svg\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1), count=1
    )
