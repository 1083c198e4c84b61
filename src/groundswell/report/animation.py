"""A run on a grid as an animation file: GIF, numbered PNG pictures, or WebM where ffmpeg is installed.

Each picture is the grid, a line of words, and the active agents (or the first series) up to the step shown.
"""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.data.files import replacing_contents, replacing_file
from groundswell.errors import GroundswellError, UsageError
from groundswell.models.watching import Watched
from groundswell.report.figures.style import INK, PRIOR, STATES
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 400
"""Points, about, of the longer side of a grid."""

STRIP = 64
"""Points of height of the series under it."""

WORDS = 26
"""Points of height of the line of words between them."""

MOST_PICTURES = 400
"""Of an animation; of more, every so many are kept: viewers hold all of them in memory."""

A_SECOND = 8.0
"""Pictures a second."""

KINDS = ("gif", "frames", "webm")


def write_animation(
    watched: Watched, folder: Path, kind: str = "gif", words: Speaker | None = None
) -> tuple[Path, int]:
    """Write animation.gif, animation.webm or the folder frames/ into `folder`; its path, and steps a picture.

    UsageError for another kind, and for "webm" without ffmpeg on the path.
    """
    check_kind(kind)
    thin = math.ceil(len(watched.steps) / MOST_PICTURES)
    images = _images(watched, thin, words or Speaker())
    path = folder / ("frames" if kind == "frames" else f"animation.{kind}")
    {"gif": _gif, "frames": _frames, "webm": _webm}[kind](path, images)
    return path, thin * watched.every


def check_kind(kind: str) -> None:
    """UsageError for a kind of animation that there is not, or not on this machine."""
    if kind not in KINDS:
        raise UsageError(f'an animation of kind "{kind}"; expected one of {", ".join(KINDS)}, or none.')
    if kind == "webm" and shutil.which("ffmpeg") is None:
        raise UsageError(
            "a WebM animation needs ffmpeg, which is not on the path. Install it, or use --animation gif, or "
            "--animation frames for numbered PNG pictures."
        )


def _images(watched: Watched, thin: int, words: Speaker) -> Iterator[Image]:
    """Pictures with a common palette: the states, then ink, paper, and two inks for the series."""
    from PIL import Image, ImageDraw

    colours = [STATES[state] for state in watched.states] + [INK, "#ffffff", PRIOR, STATES["active"]]
    ink, paper, soft, strong = range(len(watched.states), len(colours))
    palette = [int(colour[i : i + 2], 16) for colour in colours for i in (1, 3, 5)]
    _, rows, columns = watched.frames.shape
    scale = max(1, SIDE // max(rows, columns))
    wide = max(columns * scale, 240)
    series = watched.history.series
    values = np.asarray(series["active"] if "active" in series else next(iter(series.values())))[0]
    heights = np.rint(values / max(values.max(initial=0), 1) * (STRIP - 4)).astype(int)
    at = np.minimum(np.arange(wide) * len(values) // wide, len(values) - 1)
    under = np.arange(STRIP)[::-1, None] < heights[at][None, :]
    for index in range(0, len(watched.steps), thin):
        step = int(watched.steps[index])
        grid = watched.frames[index].repeat(scale, axis=0).repeat(scale, axis=1)
        picture = np.full((len(grid) + WORDS + STRIP, wide), paper, np.uint8)
        picture[: len(grid), : grid.shape[1]] = grid
        picture[len(grid) + WORDS :][under] = soft
        picture[len(grid) + WORDS :][under & (at < step)] = strong
        image = Image.fromarray(picture)
        image.putpalette(palette)
        said = words.say("replay-step", step=step, last=len(values)) if step else words.say("replay-before")
        ImageDraw.Draw(image).text((2, len(grid) + 4), said, fill=ink, font=_font())
        yield image


def _font() -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(13)


def _gif(path: Path, images: Iterator[Image]) -> None:
    first = next(images)
    with replacing_file(path) as temporary:
        first.save(
            temporary, format="GIF", save_all=True, append_images=images, duration=round(1000 / A_SECOND), loop=0,
            optimize=False, disposal=1,
        )  # fmt: skip


def _frames(path: Path, images: Iterator[Image]) -> None:
    before = [file.name for file in path.glob("[0-9]*.png")] if path.is_dir() else []
    with replacing_contents(path, before) as folder:
        for index, image in enumerate(images):
            image.save(folder / f"{index:05d}.png")


def _webm(path: Path, images: Iterator[Image]) -> None:
    first = next(images)
    wide, tall = (side - side % 2 for side in first.size)  # encoders want even sides
    with replacing_file(path) as temporary:
        command = [
            "ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{wide}x{tall}",
            "-r", f"{A_SECOND:g}", "-i", "-", "-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p", "-f", "webm", str(temporary),
        ]  # fmt: skip
        raw = b"".join(image.convert("RGB").crop((0, 0, wide, tall)).tobytes() for image in (first, *images))
        done = subprocess.run(command, input=raw, capture_output=True, check=False)
        if done.returncode:
            raise GroundswellError(f"ffmpeg could not write {path}: {done.stderr.decode(errors='replace').strip()}")
