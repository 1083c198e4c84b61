"""What was said beside what the model holds to have been so: claims on a fan, claim by claim, and lean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.report.figures import style
from groundswell.report.figures.timeline import Bands, days, draw_bands, draw_prior
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ARROW = {"at_least": 1, "more_than": 1, "at_most": -1, "less_than": -1}
"""Where the speaker says that the truth lies: above a lower bound, below an upper one."""

ROW = 0.145
"""Inches that one line of a label needs."""
ROOM = 3.6
"""Inches beside the names of claims."""
MARGIN = 1.3
"""Factor by which an axis of figures reaches beyond them."""


@style.styled
def claims_on_fan(
    dates: Sequence[date | str],
    bands: Bands,
    claims: Sequence[Mapping[str, Any]],
    *,
    prior: Bands | None = None,
    title: str = "",
    log: bool = False,
    axes: Axes | None = None,
    words: Speaker | None = None,
    stances: Sequence[str] | None = None,
    until: date | str | None = None,
) -> Axes:
    """A series by day with every claim as an interval over its window, at the height of its figure.

    claims : mappings with id, start, end, qualifier, value, value_high, said, speaker, stance. Pass only
    claims that this series answers: one-day claims on a daily series, claims from the first day on a
    cumulative one. The colour and marker is the stance, an arrow points to where a bound says the truth lies,
    a range is drawn as a bar. Labels stand beside the picture, in the order of their figures, with a
    thin line to their claim, so that none hides another.
    stances : all stances of the study, so that colours agree between pictures. until : the last day of which a claim
    speaks; what comes after is drawn pale.
    """
    from matplotlib.dates import date2num

    words = words or Speaker()
    axes = axes if axes is not None else style.panel(max(3.2, 0.9 + ROW * 1.6 * len(claims)))
    when = days(dates)
    if prior is not None:
        draw_prior(axes, when, prior)
    draw_bands(axes, when, bands, style.POSTERIOR, words.say("figure-posterior"))
    values = [v for claim in claims for v in (claim["value"], claim.get("value_high")) if v is not None]
    top = max([float(np.max(bands[max(bands, key=float)])), *values, 1.0])
    style.days_axis(axes, when, words.language)
    if log:
        floor = min([max(float(np.min(bands[min(bands, key=float)])), 1.0), *[max(v, 1.0) for v in values]])
        axes.set_ylim(floor / 1.6, top * 1.8)  # first: a fan of zeros has nothing to scale by
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, top * 1.12)
    style.plain_counts(axes.yaxis)
    axes.grid(axis="y")
    axes.set_title(title)
    if until is not None and days([until])[0] < when[-1]:
        _pale(axes, days([until])[0], when[-1], words)
    look = style.colours(stances or [claim["stance"] for claim in claims])
    ends = [(float(date2num(days([claim["end"]])[0])), _height(claim, log)) for claim in claims]
    for claim, aside in zip(claims, style.beside(axes, ends), strict=True):
        _interval(axes, claim, *look[claim["stance"]], float(aside), log=log)
    _labels(axes, claims, words)
    _key(axes, claims, look, words, prior is not None)
    return axes


@style.styled
def listed_on_fan(
    dates: Sequence[date | str], bands: Bands, listed: Sequence[float], *, title: str = "", axes: Axes | None = None,
    words: Speaker | None = None,
) -> Axes:  # fmt: skip
    """What a source listed by day, as points, on the band of what it would have listed of histories drawn anew."""
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(2.6)
    when = days(dates)
    draw_bands(axes, when, bands, style.POSTERIOR, words.say("figure-listed-anew"))
    axes.plot(when, listed, "o", color=style.INK, markersize=4, label=words.say("figure-listed-by-source"), zorder=4)
    style.days_axis(axes, when, words.language)
    axes.set_ylim(0, 1.12 * max(float(np.max(bands[max(bands, key=float)])), *listed, 1.0))
    style.plain_counts(axes.yaxis)
    axes.grid(axis="y")
    axes.set_title(title)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.1), ncols=2, borderaxespad=0.3)
    return axes


def _height(claim: Mapping[str, Any], log: bool) -> float:
    return max(float(claim["value"]), 1.0) if log else float(claim["value"])


def _pale(axes: Axes, last: date, end: date, words: Speaker) -> None:
    """A veil over what comes after the last day of which a claim speaks."""
    from babel.dates import format_date

    axes.axvspan(last, end, color="white", alpha=0.55, linewidth=0, zorder=2.5)  # type: ignore[arg-type]
    axes.axvline(last, color=style.SOFT, linewidth=0.8, linestyle=(0, (4, 3)), zorder=2.6)  # type: ignore[arg-type]
    day = format_date(last, "d MMM", locale=words.language)
    axes.annotate(
        words.say("figure-no-claim-after", day=day), (last, 1.0), xycoords=("data", "axes fraction"),  # type: ignore[arg-type]
        xytext=(3, -2), textcoords="offset points", va="top", fontsize=7, color=style.SOFT, zorder=3,
    )  # fmt: skip


def _interval(axes: Axes, claim: Mapping[str, Any], colour: str, marker: str, aside: float, *, log: bool) -> None:
    from matplotlib.dates import date2num
    from matplotlib.transforms import ScaledTranslation

    start, end = days([claim["start"], claim["end"]])
    height = _height(claim, log)
    high = claim.get("value_high")
    if high is not None:
        axes.vlines(end, height, high, color=colour, linewidth=3, alpha=0.7)
    axes.hlines(height, start, end, color=colour, linewidth=1.2)
    figure: Any = axes.figure
    moved = axes.transData + ScaledTranslation(aside / 72, 0, figure.dpi_scale_trans)
    axes.plot([end], [height], marker, color=colour, markersize=5.5, markeredgecolor="white", markeredgewidth=0.6,
              clip_on=False, zorder=4, transform=moved)  # fmt: skip
    side = ARROW.get(claim["qualifier"], 0)
    if side:
        axes.annotate(
            "", (date2num(end), height), xycoords=moved, xytext=(0, 15 * side), textcoords="offset points",
            arrowprops={"arrowstyle": "<|-", "color": colour, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 2},
            annotation_clip=False,
        )  # fmt: skip


def _labels(axes: Axes, claims: Sequence[Mapping[str, Any]], words: Speaker) -> None:
    """Labels in a column to the right, in points of the axes' height, joined to their claims."""
    if not claims:
        return
    figure = axes.figure
    height = axes.get_position().height * figure.get_size_inches()[1]  # type: ignore[union-attr]
    low, high = axes.get_ylim()
    scale = np.log if axes.get_yscale() == "log" else np.asarray

    def share(value: float) -> float:
        return float((scale(max(value, low)) - scale(low)) / (scale(high) - scale(low)))

    heights = style.spread([share(claim["value"]) for claim in claims], ROW / height, 0.0, 1.0)
    for claim, at in zip(claims, heights, strict=True):
        end = days([claim["end"]])[0]
        text = words.say("figure-claim-cell", id=claim["id"], said=claim["said"], speaker=_short(claim["speaker"]))
        axes.annotate(
            text, (end, max(float(claim["value"]), low)), xycoords="data",
            xytext=(1.03, at), textcoords="axes fraction", va="center", ha="left",
            fontsize=7, color=style.INK, annotation_clip=False,
            # grey and dotted, lest the way to a label pass for a claim's window
            arrowprops={"arrowstyle": "-", "color": style.SOFT, "linewidth": 0.6, "linestyle": (0, (1, 2)),
                        "shrinkA": 1, "shrinkB": 3, "relpos": (0, 0.5)},
        )  # fmt: skip


def _short(text: str, most: int = 34) -> str:
    """The first words of a speaker's label; the table beside the picture has it whole."""
    if len(text) <= most:
        return text
    cut = text[:most].rsplit(" ", 1)[0]
    return cut.rstrip(" ,(") + "…"


def _key(
    axes: Axes, claims: Sequence[Mapping[str, Any]], look: Mapping[str, tuple], words: Speaker, with_prior: bool
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color=style.POSTERIOR, alpha=0.5, label=words.say("figure-posterior"))]
    if with_prior:
        handles.append(Patch(color=style.PRIOR_BANDS[1], label=words.say("figure-prior")))
    for stance in sorted({claim["stance"] for claim in claims}):
        colour, marker = look[stance]
        handles.append(Line2D([], [], color=colour, marker=marker, markersize=5, label=stance.replace("_", " ")))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.02, -0.08), ncols=len(handles), borderaxespad=0.3)


@style.styled
def said_and_expected(
    claims: Sequence[Mapping[str, Any]], *, axes: Axes | None = None, words: Speaker | None = None,
    stances: Sequence[str] | None = None,
) -> Axes:  # fmt: skip
    """Each claim beside the model's own range for it.

    claims : mappings with id, said, speaker, stance, value, and `predicted`, five quantiles (5, 25, 50,
    75, 95 %) of what the model expects this speaker to say. Bars: 90 and 50 per cent; marker: as said. An axis of logs
    has no 0: what begins there begins at the left end, and where all is 0 a short bar stands there.
    """
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(0.9 + 0.235 * len(claims))
    look = style.colours(stances or [claim["stance"] for claim in claims])
    for row, claim in enumerate(claims):
        low, quarter, middle, three, high = (max(float(v), 0.5) for v in claim["predicted"])
        begin, inner = (end / MARGIN if end == 0.5 else end for end in (low, quarter))
        axes.hlines(row, begin, high, color=style.PRIOR, linewidth=3.5)
        axes.hlines(row, inner, three, color="#8f9bab", linewidth=6.5)
        axes.vlines(middle, row - 0.28, row + 0.28, color="white", linewidth=1.2)
        colour, marker = look[claim["stance"]]
        value = max(float(claim["value"]), 0.5)
        axes.plot([value], [row], marker, color=colour, markersize=6.5, markeredgecolor="white", markeredgewidth=0.8)
        side = ARROW.get(claim["qualifier"], 0)
        if side:
            axes.annotate(
                "", (value, row), xytext=(15 * side, 0), textcoords="offset points",
                arrowprops={"arrowstyle": "<|-", "color": colour, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 3},
            )  # fmt: skip
    ends = [max(float(v), 0.5) for c in claims for v in (c["value"], *c["predicted"])]
    low, high = (0.5, 1.0) if not ends else (min(ends) / MARGIN, max(ends) * MARGIN)
    style.log_counts(axes, low, high, room=ROOM, language=words.language)
    axes.set_xlim(low, high)
    axes.set_yticks(
        range(len(claims)), [f"{claim['id']}  {claim['said']}, {_short(claim['place'], 18)}" for claim in claims]
    )
    axes.tick_params(axis="y", length=0, labelsize=7.5)
    axes.set_ylim(len(claims) - 0.4, -0.6)
    axes.grid(axis="x")
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=style.PRIOR, linewidth=5, label=words.say("figure-expected"))]
    for stance in sorted({claim["stance"] for claim in claims}):
        colour, marker = look[stance]
        text = f"{words.say('figure-said')}: {stance.replace('_', ' ')}"
        handles.append(Line2D([], [], color=colour, marker=marker, linewidth=0, markersize=6, label=text))
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.3, 1.0), ncols=len(handles))
    return axes


@style.styled
def lean(
    rows: Sequence[Mapping[str, Any]], *, axes: Axes | None = None, words: Speaker | None = None,
    stances: Sequence[str] | None = None,
) -> Axes:  # fmt: skip
    """By what factor each stance's figures exceed what happened, by class of quantity.

    rows : mappings with stance, kind, factor (5, 25, 50, 75, 95 %) and prior (5, 50, 95 %).
    """
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(0.9 + 0.27 * len(rows))
    look = style.colours(stances or [row["stance"] for row in rows])
    for at, row in enumerate(rows):
        colour, marker = look[row["stance"]]
        low, quarter, middle, three, high = row["factor"]
        axes.hlines(at + 0.22, row["prior"][0], row["prior"][-1], color=style.PRIOR, linewidth=2.5)
        axes.hlines(at, low, high, color=colour, linewidth=1.3)
        axes.hlines(at, quarter, three, color=colour, linewidth=4, alpha=0.6)
        axes.plot([middle], [at], marker, color=colour, markersize=6, markeredgecolor="white", markeredgewidth=0.7)
    axes.axvline(1, color=style.SOFT, linewidth=0.9)
    style.factors_axis(axes.xaxis)
    axes.set_yticks(range(len(rows)), [f"{row['stance'].replace('_', ' ')}: {row['kind']}" for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.3, -0.6)
    axes.set_xlabel(words.say("figure-factor"))
    axes.grid(axis="x")
    for at, row in enumerate(rows):
        axes.annotate(
            f"×{row['factor'][2]:.1f}" if row["factor"][2] >= 1 else f"×{row['factor'][2]:.2f}",
            (1.01, at),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=7.5,
        )
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=style.SOFT, linewidth=3, label=words.say("figure-posterior")),
        Line2D([], [], color=style.PRIOR, linewidth=3, label=words.say("figure-prior")),
    ]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    return axes
