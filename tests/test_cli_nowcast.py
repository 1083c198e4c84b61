"""nowcast from the command line: what it writes, that it repeats, other forms of input, and bad input."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from groundswell.cli import main as cli
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.infer.hamiltonian import Hamiltonian
from groundswell.models.reporting.growing import GrowingRecord
from groundswell.report.language import Speaker
from groundswell.rng import generator
from groundswell.studies import growing_list, growing_tables

Run = Callable[..., tuple[int, str, str]]
START = date(2024, 3, 1)
TOWNS = 40


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer draws of the parameters: what is written, not how good it is."""
    real = growing_list.nowcast
    method = Hamiltonian(draws=80, warm_up=30)
    monkeypatch.setattr(growing_list, "nowcast", lambda *a, **k: real(*a, **k, method=method))
    monkeypatch.setattr("groundswell.infer.hamiltonian.LARGEST_RHAT", 2.0)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def go(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return go


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """list.csv, a list as it stood on days 4, 5 and 12, and towns.csv."""
    made = tmp_path_factory.mktemp("growing")
    rng = generator(0)
    places = Places(
        tuple(f"town {i}" for i in range(TOWNS)), np.exp(rng.normal(11, 1, TOWNS)), 35 + rng.normal(size=TOWNS),
        50 + rng.normal(size=TOWNS), tuple(("North", "South")[i % 2] for i in range(TOWNS)),
    )  # fmt: skip
    setting = Setting(places, Window(START, 13))
    model = GrowingRecord.for_setting(setting).replacing({"process.rate": 0.3, "delay.daily": 0.4})
    vintages = np.array([4, 5, 12])
    _, listings = model.simulate(setting, vintages, rng=generator(4), stated=0.8)
    with (made / "list.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["as_of", "state", "town", "first_date"])
        for unit, seen, day in zip(listings.unit, listings.first_seen, listings.day, strict=True):
            first = "" if day < 0 else START + timedelta(int(day))
            for at in vintages[seen:].tolist():
                rows.writerow([START + timedelta(at), places.region[unit], places.name[unit], first])
    with (made / "towns.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["town", "state", "population", "lat", "lon"])
        assert places.latitude is not None
        assert places.longitude is not None
        rows.writerows(
            zip(places.name, places.region, places.population, places.latitude, places.longitude, strict=True)
        )
    return made


AT = ("--at", "2024-03-05", "--at", "2024-03-06", "--draws", "200")


def test_it_writes_everything_that_it_promises(folder: Path, run: Run) -> None:
    out = folder / "out"
    code, text, _ = run("nowcast", folder / "list.csv", *AT, "--places", folder / "towns.csv", "--out", out, "--json")
    assert code == 0
    result = json.loads(text)
    for name in ("by_day", "by_region", "by_place", "scores", "delay", "parameters", "vintages", "left_out", "assumed"):
        with (out / f"{name}.csv").open() as file:
            lines = list(csv.reader(file))
        assert pyarrow.parquet.read_table(out / f"{name}.parquet").num_rows == len(lines) - 1
        assert str(out / f"{name}.csv") in result["files"]
    assert [one["vintage"] for one in result["nowcasts"]] == ["2024-03-05", "2024-03-06"]
    assert result["nowcasts"][0]["listed_by"] == "2024-03-13"
    assert any("By 2024-03-05 the list had held" in words for words in result["words"])
    assert any("the list had been seen once" in words for words in result["words"])
    stored = (out / "result.json").read_text()
    assert str(folder) not in stored
    html = (out / "report.html").read_text(encoding="utf-8")
    assert html.count("<svg") == 3
    assert not re.search(r'(src|href)="(https?:)?//', html)
    assert "<script" not in html
    for words in ("What is not on the list yet?", "Against the later list", "What this cannot tell", "Place by place"):
        assert words in html


def test_the_written_configuration_repeats_the_run(folder: Path, run: Run) -> None:
    first, again = folder / "first", folder / "again"
    assert run("nowcast", folder / "list.csv", *AT, "--hold", "delay.late=0.1", "--seed", "5", "--out", first)[0] == 0
    written = tomllib.loads((first / "configuration.toml").read_text())
    assert written["hold"] == {"delay.late": 0.1}
    assert written["at"] == ["2024-03-05", "2024-03-06"]
    assert run("nowcast", "--config", first / "configuration.toml", "--out", again)[0] == 0
    for name in ("result.json", "report.html", "by_day.csv"):
        assert (first / name).read_bytes() == (again / name).read_bytes()
    assert "Place by place" not in (first / "report.html").read_text()


def test_the_last_vintage_without_a_later_one(folder: Path, run: Run) -> None:
    out = folder / "last"
    code, text, _ = run("nowcast", folder / "list.csv", "--draws", "100", "--out", out)
    assert code == 0
    assert "had had a first event and were not listed" in text
    assert not (out / "scores.csv").exists()
    assert "Against the later list" not in (out / "report.html").read_text()


def test_files_of_a_day_each(folder: Path, run: Run) -> None:
    with (folder / "list.csv").open() as file:
        rows = list(csv.DictReader(file))
    days = sorted({row["as_of"] for row in rows})
    paths = []
    for name, day in zip("abc", days, strict=True):
        paths.append(folder / f"{name}.csv")
        with paths[-1].open("w", newline="") as file:
            table = csv.DictWriter(file, ["state", "town", "first_date"], extrasaction="ignore")
            table.writeheader()
            table.writerows(row for row in rows if row["as_of"] == day)
    told = [part for day in days for part in ("--as-of", day)]
    assert run("nowcast", *paths, *told, *AT, "--out", folder / "files")[0] == 0
    assert run("nowcast", folder / "list.csv", *AT, "--out", folder / "table")[0] == 0
    for name in ("by_day.csv", "scores.csv"):
        assert (folder / "files" / name).read_bytes() == (folder / "table" / name).read_bytes()


def test_a_fit_that_does_not_converge_is_flagged_and_written(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundswell.infer.hamiltonian.LARGEST_RHAT", 1.0)
    out = folder / "rough"
    code, _, error = run("nowcast", folder / "list.csv", "--draws", "100", "--out", out)
    assert code == 4
    assert "did not converge" in error
    assert 'class="flag"' in (out / "report.html").read_text()


def test_every_finding_has_its_sentence() -> None:
    text = Path(str(growing_tables.__file__)).read_text(encoding="utf-8")
    keys = set(re.findall(r'"(nowcast-[a-z-]+)"', text)) | {
        f"nowcast-{verdict}-{target}"
        for verdict in ("lower", "not-lower")
        for target in ("by-day", "by-region", "places")
    } | {"nowcast-unlisted-inside", "nowcast-unlisted-outside"}  # fmt: skip
    assert len(keys) > 12
    speaker = Speaker()
    assert [key for key in sorted(keys) if not speaker.knows(key)] == []


def test_bad_input(folder: Path, run: Run) -> None:
    listed = folder / "list.csv"
    plain = folder / "plain.csv"
    plain.write_text("town,first_date\na,2024-03-01\n")
    early = folder / "early.csv"
    early.write_text("as_of,town,first_date\n2024-03-01,a,2024-03-05\n")
    nowhere = folder / "nowhere.csv"
    nowhere.write_text("town,population\nx,100\n")
    cases = [
        (("nowcast",), 2, "files is missing"),
        (("nowcast", folder / "absent.csv"), 3, "absent.csv"),
        (("nowcast", plain), 3, "no column is known as the vintage"),
        (("nowcast", plain, plain, "--as-of", "2024-03-02", "--as-of", "2024-03-02"), 3, "two files are of 2024-03-02"),
        (("nowcast", plain, "--as-of", "2024-03-02", "--as-of", "2024-03-03"), 2, "2 days are given for 1 files"),
        (("nowcast", plain, "--as-of", "soon"), 2, "as_of"),
        (("nowcast", early), 3, "announced, not held"),
        (("nowcast", listed, "--at", "2024-03-07"), 2, "the list was not seen on 2024-03-07"),
        (("nowcast", listed, "--regions", "some"), 2, "regions is 'some'"),
        (("nowcast", listed, "--places", nowhere), 3, "no place of the list is in nowhere.csv"),
        (("nowcast", listed, "--places", plain), 3, "no column for the population"),
        (("nowcast", listed, "--places", "gazetteer"), 2, "names 0 countries"),
        (("nowcast", listed, "--hold", "delay.late"), 2, "no assignment"),
        (("nowcast", listed, "--hold", "delay.lat=.1"), 2, "delay.late"),
        (("nowcast", listed, "--draws", "5"), 2, "draws"),
    ]
    for arguments, expected, words in cases:
        code, out, error = run(*arguments, "--out", folder / "bad")
        assert code == expected, (arguments, error)
        assert words in error, error
        assert "Traceback" not in out + error
    assert not list((folder / "bad").iterdir())
