"""Animations of a grid: as many pictures as steps, in the colours of the states, each file whole."""

from __future__ import annotations

import os
import stat
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import GroundswellError, UsageError
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.watching import Watched
from groundswell.report import animation
from groundswell.report.animation import write_animation
from groundswell.report.figures.style import STATES
from groundswell.rng import generator


@pytest.fixture(scope="module")
def watched() -> Watched:
    setting = Setting(Places.single(100), Window(date(2000, 1, 1), 9))
    return CivilViolence.netlogo(rows=20, columns=24, vision_cells=3.0).watch(setting, rng=generator(3))


def of_cells(image: Image.Image, watched: Watched) -> np.ndarray:
    """The colour in the middle of each cell."""
    _, rows, columns = watched.frames.shape
    scale = animation.SIDE // max(rows, columns)
    return np.asarray(image.convert("RGB"))[scale // 2 : rows * scale : scale, scale // 2 : columns * scale : scale]


def colours(watched: Watched) -> np.ndarray:
    """(K, rows, columns, 3) the colours that each picture must show."""
    table = np.array([[int(STATES[s][i : i + 2], 16) for i in (1, 3, 5)] for s in watched.states])
    return table[watched.frames]


def test_a_gif_shows_every_step(watched: Watched, tmp_path: Path) -> None:
    path, every = write_animation(watched, tmp_path)
    assert (path.name, every) == ("animation.gif", 1)
    with Image.open(path) as file:
        assert file.n_frames == 10  # type: ignore[attr-defined]
        for index, wanted in enumerate(colours(watched)):
            file.seek(index)
            assert np.array_equal(of_cells(file, watched), wanted), index


def test_frames_are_numbered_pictures_that_replace_older_ones(watched: Watched, tmp_path: Path) -> None:
    folder, _ = write_animation(watched, tmp_path, "frames")
    (folder / "00099.png").write_bytes(b"of an earlier, longer run")
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    write_animation(watched, tmp_path, "frames")
    assert sorted(p.name for p in folder.iterdir()) == [*(f"{k:05d}.png" for k in range(10)), "notes.txt"]
    with Image.open(folder / "00004.png") as file:
        assert np.array_equal(of_cells(file, watched), colours(watched)[4])


def test_a_long_run_is_thinned_and_says_so(watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animation, "MOST_PICTURES", 4)
    path, every = write_animation(watched, tmp_path)
    with Image.open(path) as file:
        assert (file.n_frames, every) == (4, 3)  # type: ignore[attr-defined]


def test_webm_needs_ffmpeg_and_gives_it_raw_pictures(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="needs ffmpeg"):
        write_animation(watched, tmp_path, "webm")
    program = tmp_path / "ffmpeg"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1], 'wb').write(sys.stdin.buffer.read())\n", encoding="utf-8"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path, _ = write_animation(watched, tmp_path, "webm")
    wide, tall = 24 * 16, 20 * 16 + animation.WORDS + animation.STRIP
    raw = np.frombuffer(path.read_bytes(), np.uint8).reshape(10, tall, wide, 3)
    assert np.array_equal(raw[3, 8:320:16, 8::16], colours(watched)[3])
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no such codec')\n", encoding="utf-8")
    os.unlink(path)
    with pytest.raises(GroundswellError, match="no such codec"):
        write_animation(watched, tmp_path, "webm")
    assert not path.exists()
