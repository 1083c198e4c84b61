"""Called or spread: densities against enumeration, the mean against mobilisation, truths that must be found."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from groundswell.cli.main import main
from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.evaluate.coordination import (
    CANNOT_TELL,
    TRIES,
    UNLIKE,
    Coordination,
    Draws,
    _as_far,
    coordination,
    fitted,
)
from groundswell.evaluate.coordination_measures import Measures
from groundswell.evaluate.explanations import (
    PARTS,
    REMEMBERED,
    Calls,
    Cells,
    Explanation,
    Media,
    Shock,
    Spread,
    Week,
    Weigher,
    explanation,
    possible,
)
from groundswell.models.cities import mobilisation as mob
from groundswell.models.cities.counts import log_mass
from groundswell.models.triggering import Exponential
from groundswell.params import Effects
from groundswell.report.words import in_words
from groundswell.rng import generator
from groundswell.studies.coordination import findings
from tools.telling_rates import TRUTHS, country, drawn, process, rates, told

SMALL = country(25, 45)


def some_cells(days: int = 7, seed: int = 3) -> Cells:
    setting = country(6, days)
    return Cells.of(
        setting, History(setting.places, setting.window, {"events": generator(seed).poisson(0.6, (6, days)) * 1.0})
    )


@pytest.mark.parametrize("part", ["separate", "weekday", "spread", "media"])
def test_the_mean_is_that_of_mobilisation(part: str) -> None:
    setting = country(8, 30)
    history = process(background=mob.Background(0.1)).simulate(setting, rng=generator(2))
    cells = Cells.of(setting, history)
    weekday = Effects(mon=0.3, tue=-0.2, wed=0.1, thu=0.0, fri=0.4, sat=0.2)
    common = {"within": 0.25, "keep": 0.4, "scale": 0.8, "overdispersion": 0.3}
    parts = {
        "separate": {"weekday": weekday}, "weekday": {"week": Week(weekday)},
        "spread": {"weekday": weekday, "spread": Spread(0.5, 70.0)},
        "media": {"weekday": weekday, "media": Media(0.45)},
    }[part]  # fmt: skip
    mine = Explanation(level=0.6, **(common | parts))  # type: ignore[arg-type]
    share = mine.shares(cells)
    raised = (setting.places.population / 100_000) ** 0.8
    theirs = process(
        background=mob.Background(0.6 * cells.bar / raised.sum()), within=mob.Within(0.25), keep=0.4, scale=0.8,
        between=mob.Between(0.5, Exponential(70.0)) if part == "spread" else None,
        media=mob.Media(0.45) if part == "media" else None, pulse=mob.CalendarPulse(weekday=weekday),
    )  # fmt: skip
    assert share.sum() == pytest.approx(1)
    assert mine.mean(cells) == pytest.approx(theirs.intensity(setting, history)[:, 1:].T, rel=2e-4)


def test_days_are_weighed_as_negative_binomials() -> None:
    cells = some_cells()
    mean = explanation("separate", cells).mean(cells)
    by_day = log_mass(cells.events[1:], mean, 0.5).sum(axis=1)
    assert Weigher(cells.events[1:], 0.5)(mean) == pytest.approx(by_day, rel=1e-9)


def test_hidden_calls_are_summed_over_all_of_them() -> None:
    """By enumeration of every sequence of called days, two of them before the record's second day."""
    cells = some_cells()
    model = Explanation(calls=Calls(0.3, 2.0, 0.5))
    calls, mean = model.calls, model.mean(cells)
    assert calls is not None
    added = calls.size * cells.bar * model.shares(cells)
    weigh = Weigher(cells.events[1:], model.overdispersion)
    total = -math.inf
    for bits in product((0, 1), repeat=REMEMBERED - 1 + len(mean)):
        k = np.array([sum(calls.memory**lag * bits[t - lag] for lag in range(REMEMBERED))
                      for t in range(REMEMBERED - 1, len(bits))])  # fmt: skip
        chance = sum(math.log(calls.probability if bit else 1 - calls.probability) for bit in bits)
        total = np.logaddexp(total, chance + weigh(mean + k[:, None] * added).sum())
    assert model.log_density(cells) == pytest.approx(total, rel=1e-10)


def test_a_hidden_walk_is_integrated_out() -> None:
    """Against Gauss-Hermite quadrature over three days."""
    cells = some_cells(4)
    model = Explanation(shock=Shock(0.8, 0.6))
    mean, weigh = model.mean(cells), Weigher(cells.events[1:], model.overdispersion)
    z, weight = np.polynomial.hermite_e.hermegauss(24)
    weight = weight / weight.sum()
    inner = math.sqrt(1 - 0.6**2)
    rows = {}
    total = 0.0
    for a, b, c in product(range(24), repeat=3):
        first = z[a]
        second = 0.6 * first + inner * z[b]
        third = 0.6 * second + inner * z[c]
        for day, level in enumerate((first, second, third)):
            key = (day, round(level, 9))
            if key not in rows and day < 2:
                rows[key] = weigh(mean * math.exp(0.8 * level))[day]
        if (2, a, b) not in rows:
            levels = 0.6 * second + inner * z
            rows[2, a, b] = np.array([weigh(mean * math.exp(0.8 * level))[2] for level in levels])
        logs = rows[0, round(first, 9)] + rows[1, round(second, 9)] + rows[2, a, b][c]
        total += weight[a] * weight[b] * weight[c] * math.exp(logs)
    assert model.log_density(cells) == pytest.approx(math.log(total), abs=2e-3)


@pytest.mark.parametrize("name", PARTS)
def test_draws_have_the_mean_of_the_density(name: str) -> None:
    """Counts less their means add up to nothing; calls and walk are weighed by their own mean."""
    cells = some_cells(12)
    model = explanation(name, cells)
    apart, total = 0.0, 0.0
    for rng in generator(4).spawn(400):
        if name == "called":
            cells = replace(cells, given=(rng.random(12) < 0.2).astype(float))
        events = model.simulate(cells, rng=rng)
        assert events is not None
        expected = model.mean(cells, events).sum()
        if name == "called":
            assert cells.given is not None
            expected += model.calls.size * cells.bar * model.called(cells.given)[1:].sum()  # type: ignore[union-attr]
        if name == "shock":
            continue
        apart += events[1:].sum() - expected
        total += events[1:].sum()
    assert abs(apart) <= 4 * math.sqrt(3 * total + 1)


def test_a_place_that_had_its_day_is_out() -> None:
    setting = country(6, 20)
    history = History(setting.places, setting.window, {"events": generator(1).poisson(0.4, (6, 20)) * 1.0})
    cells = Cells.of(setting, history, once=True)
    assert ((cells.events > 0).sum(axis=0) <= 1).all()
    events = explanation("media", cells).simulate(cells, rng=generator(2))
    assert events is not None
    assert ((events > 0).sum(axis=0) <= 1).all()
    assert (explanation("media", cells).mean(cells)[cells.events.cumsum(axis=0)[:-1] > 0] == 0).all()


def test_the_order_of_places_changes_no_measure() -> None:
    cells = drawn("spread", 1, SMALL)
    order = generator(9).permutation(cells.events.shape[1])
    assert cells.km is not None
    other = replace(
        cells, events=cells.events[:, order], log_population=cells.log_population[order], km=cells.km[order][:, order]
    )
    assert Measures(other)(other.events) == pytest.approx(Measures(cells)(cells.events), rel=1e-9, abs=1e-9)


def test_near_places_that_follow_each_other_show_in_their_measures() -> None:
    setting = SMALL
    measured = {}
    for truth in ("spread", "shock"):
        cells = drawn(truth, 1, setting)
        measures = Measures(cells)
        measured[truth] = dict(zip(measures.names, measures(cells.events), strict=True))
    assert measured["spread"]["near momentum, 30 km"] > measured["shock"]["near momentum, 30 km"] + 3


def test_a_rhythm_of_the_week_shows_in_its_measures() -> None:
    """And calls that fall on three Sundays in a row are none."""
    measured = {}
    for truth in ("weekday", "called", "separate"):
        cells = drawn(truth, 1, country())
        measures = Measures(cells)
        measured[truth] = dict(zip(measures.names, measures(cells.events), strict=True))
    for name in ("weekdays unequal", "weekdays left unequal"):
        assert measured["weekday"][name] > max(measured[other][name] for other in ("called", "separate")) + 0.5
    # whatever day the week begins with
    cells = drawn("weekday", 1, country())
    later = replace(cells, weekday=(cells.weekday + 3) % 7)
    assert Measures(later)(later.events) == pytest.approx(Measures(cells)(cells.events), rel=1e-9, abs=1e-9)


def test_a_fit_finds_the_weekday_that_stands_out() -> None:
    cells = drawn("weekday", 1, country())
    found = fitted(explanation("weekday", cells), "weekday", cells)
    assert found.log_density > fitted(explanation("separate", cells), "separate", cells).log_density + 3
    rows = {row["parameter"]: row for row in found.rows()}
    friday = rows["week.effects.fri"]
    # of log effects 0, 0, 0, .5, 2, 0, 0, against their mean
    assert friday["low"] < 2.0 - 2.5 / 7 < friday["high"]
    assert all(friday["value"] > rows[f"week.effects.{day}"]["value"] + 0.5 for day in ("mon", "tue", "wed", "sat"))


@pytest.mark.parametrize("name", ["separate", "weekday"])
def test_no_weekday_is_another_than_the_others(name: str) -> None:
    """The same record, whatever day it is taken to begin on, has the same density, and the same effects, shifted."""
    cells = drawn("weekday", 1, SMALL)
    fits = []
    for shift in (0, 2, 5):  # Fridays stand out, then Sundays, then Wednesdays
        shifted = replace(cells, weekday=(cells.weekday + shift) % 7)
        fits.append(fitted(explanation(name, shifted), name, shifted))
    effects = [np.array([row["value"] for row in fit.rows() if "week" in row["parameter"]]) for fit in fits]
    for shift, fit, mine in zip((0, 2, 5), fits, effects, strict=True):
        assert fit.log_density == pytest.approx(fits[0].log_density, abs=0.01)
        assert len(mine) == 7
        assert np.roll(mine, -shift) == pytest.approx(effects[0], abs=0.02)


def test_a_fit_finds_what_made_the_record() -> None:
    cells = drawn("spread", 1, SMALL)
    spread, separate = (fitted(explanation(name, cells), name, cells) for name in ("spread", "separate"))
    assert spread.log_density > separate.log_density + 10
    rows = {row["parameter"]: row for row in spread.rows()}
    assert rows["spread.offspring"]["low"] < 0.85 < rows["spread.offspring"]["high"] * 1.3
    assert rows["spread.reach_km"]["low"] < 40 < rows["spread.reach_km"]["high"] * 1.3


@pytest.fixture(scope="module")
def spread_found() -> Coordination:
    return coordination(drawn("spread", 1, SMALL), records=60, seed=1)


def test_strong_diffusion_is_spread(spread_found: Coordination) -> None:
    assert spread_found.leading == "spread"
    assert spread_found.probability["spread"] > 0.8
    assert sum(spread_found.probability.values()) == pytest.approx(1)
    for row in spread_found.confusion.rows():
        assert sum(row[name] for name in (*spread_found.names, CANNOT_TELL)) == pytest.approx(1)


def test_no_answer_without_its_error_rates(spread_found: Coordination) -> None:
    """Whatever the verdict: how often it is wrong, or why there is none; never a bare p-value."""
    words = " ".join(in_words(findings(spread_found)))
    assert "p-value" not in words
    assert ("made by another" in words and "95 % interval" in words) or words.startswith("Cannot tell")
    assert "with how often records that it made had it ruled out" in words
    # a bound that cannot be met leaves no verdict, however sure
    strict = replace(spread_found, bound=1e-6)
    assert strict.verdict == CANNOT_TELL
    assert in_words(findings(strict))[0].startswith("Cannot tell")
    # the likeliest does not make such records, and an unlikely one does: neither is ruled out
    other = replace(spread_found, typical=dict.fromkeys(spread_found.names, 0.001) | {"separate": 0.4})
    assert "separate" in other.left
    assert "are made by: every place for itself." in " ".join(in_words(findings(other)))
    unlike = replace(spread_found, typical=dict.fromkeys(spread_found.names, 0.001))
    assert unlike.verdict == CANNOT_TELL
    assert "None of the explanations makes records like this one" in " ".join(in_words(findings(unlike)))


def test_an_explanation_that_makes_no_such_records_is_named_and_not_weighed() -> None:
    """Two outbursts: fitted to them, an event has more than one later event, so that records have no end."""
    days = np.zeros(SMALL.window.days)
    days[1:13] = (5, 35, 70, 280, 1000, 830, 460, 500, 290, 75, 60, 8)
    days[38:44] = (5, 13, 60, 90, 400, 1600)
    size = SMALL.places.population
    events = generator(1).poisson(days * (size / size.sum())[:, None]) * 1.0
    found = coordination(Cells.of(SMALL, History(SMALL.places, SMALL.window, {"events": events})), records=60)
    assert "media" in found.unweighed
    media = next(fit.model for fit in found.fits if fit.name == "media")
    assert media.media is not None
    assert media.within + media.media.offspring > 1
    assert all(found.kept[name] < 0.1 for name in found.unweighed)
    assert set(found.unweighed) | set(found.names) == set(PARTS)
    assert sum(found.probability.values()) == pytest.approx(1)
    # what could not be weighed may be the right one
    assert found.verdict == CANNOT_TELL
    assert set(found.unweighed) < set(found.left)
    assert "Not weighed: " in " ".join(in_words(findings(found)))


def test_a_report_says_what_was_not_weighed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no draw of "spread" had this record's size."""
    real = Draws.__call__

    def lacking(self: Draws, kind: int, key: tuple[int, ...]) -> tuple:
        return (None, TRIES) if self.fits[kind].name == "spread" else real(self, kind, key)

    monkeypatch.setattr(Draws, "__call__", lacking)
    file, out = events_file(tmp_path), tmp_path / "out"
    assert main(["coordination", str(file), "--records", "60", "--processes", "1", "--out", str(out)]) == 0
    told = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert told["not_weighed"] == ["spread"]
    assert told["verdict"] == CANNOT_TELL
    assert {"unweighed"} <= set(told["reasons"])
    assert told["not_ruled_out"][-1] == "spread"
    row = next(row for row in told["probabilities"] if row["explanation"] == "spread")
    assert row["of this size"] == 0
    assert row["probability"] is None
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Not weighed: spread from place to place" in page
    assert "no positions" not in page


@pytest.mark.parametrize("count", [60, 100])
def test_of_an_explanations_own_records_few_are_called_unlike_it(count: int) -> None:
    """As often as said: the record is one more of the same 18 measures. `UNLIKE` of 400 is 8, with a sd of 3."""
    rng = generator(3)
    found = [_as_far(one[1:], one[0]) for one in rng.standard_normal((400, count + 1, 18))]
    assert sum(share < UNLIKE for share in found) <= 18
    assert sum(share < 0.5 for share in found) == pytest.approx(200, abs=45)
    assert _as_far(rng.standard_normal((count, 18)), np.full(18, 9.0)) == pytest.approx(1 / (count + 1))


@pytest.mark.parametrize("truth", ["weekday", "media"])
def test_weekdays_and_news_are_given_no_other_verdict(truth: str) -> None:
    """The second record of each: one that can be told, if not always with a verdict."""
    found = coordination(drawn(truth, 2, country()), records=60, seed=2)
    assert found.leading == truth
    assert found.verdict in (truth, CANNOT_TELL)
    assert found.probability["called"] < 0.2
    row = next(row for row in found.confusion.rows() if row["truth"] == truth)
    assert sum(row[name] for name in found.names if name != truth) < 0.2
    assert row["records"] == found.records[truth] >= 50


@pytest.mark.slow
@pytest.mark.parametrize("truth", ["called", "shock", "separate"])
def test_calls_and_shocks_are_not_taken_for_spread(truth: str) -> None:
    """Of four records of each truth none is called spread, and strong calls are found as such or left open."""
    for seed in range(1, 5):
        found = coordination(drawn(truth, seed, SMALL), records=80, seed=seed)
        assert found.verdict in (truth, CANNOT_TELL), (seed, found.probability)
        if truth == "called":
            assert found.probability["called"] + found.probability["shock"] > 0.8
            assert "spread" not in found.left


@pytest.mark.slow
def test_wrong_verdicts_are_as_rare_as_stated() -> None:
    """Six records of each truth, of whose verdicts no more are wrong than were stated to be, within 3 sd and one."""
    rows = [told(truth, seed, country(), records=80, processes=2) for seed in range(1, 7) for truth in TRUTHS]
    verdicts = [row for row in rows if row["verdict"] != CANNOT_TELL]
    stated = sum(row["stated"] for row in verdicts)
    assert sum(row["verdict"] != row["truth"] for row in verdicts) <= 1 + stated + 3 * math.sqrt(stated)
    assert sum(not row["left"] for row in rows) <= 1 + 3 * math.sqrt(0.02 * len(rows))
    for truth, least in {"called": 4, "spread": 4}.items():
        assert sum(row["verdict"] == truth == row["truth"] for row in rows) >= least
    for truth in ("weekday", "media"):
        assert sum(row["likeliest"] == truth == row["truth"] for row in rows) >= 4
    table = {row["truth"]: row for row in rates(rows).rows()}
    assert table["all"]["verdicts"] == len(verdicts)
    assert table["all"]["records"] == len(rows)


def test_a_record_of_few_days_or_without_positions_has_fewer_explanations() -> None:
    cells = some_cells(22)
    assert possible(cells) == tuple(PARTS)
    assert possible(replace(cells, km=None)) == tuple(name for name in PARTS if name != "spread")
    short = some_cells(20)
    assert possible(short) == tuple(name for name in PARTS if name != "weekday")
    assert not any("weekday" in name for name in Measures(short).names)


def test_a_record_too_small_or_by_week_is_refused() -> None:
    setting = country(4, 20)
    quiet = History(setting.places, setting.window, {"events": np.zeros((4, 20))})
    with pytest.raises(UsageError, match="need 60 or more"):
        coordination(Cells.of(setting, quiet), records=59)
    with pytest.raises(DataError, match="needs 30 events or more"):
        coordination(Cells.of(setting, quiet))
    weekly = Window(date(2024, 1, 1), 4, 7)
    with pytest.raises(DataError, match="Count by day"):
        Cells.of(Setting(setting.places, weekly), History(setting.places, weekly, {"events": np.zeros((4, 4))}))


def events_file(folder: Path) -> Path:
    setting = country(6, 20)
    history = process(background=mob.Background(0.4)).simulate(setting, rng=generator(3))
    known = setting.places.columns()
    rows = ["date,city,latitude,longitude,population"]
    for p, day in zip(*np.nonzero(history["events"]), strict=True):
        cells = (
            setting.window.dates()[day],
            *(known[name][p] for name in ("place", "latitude", "longitude", "population")),
        )
        rows += [",".join(map(str, cells))] * int(history["events"][p, day])
    file = folder / "events.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


def test_the_command_writes_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = events_file(tmp_path), tmp_path / "out"
    wanted = ["--records", "60", "--processes", "1", "--call", "2024-01-10", "--out", str(out)]
    assert main(["coordination", str(file), *wanted, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["verdict"] in (*said["not_ruled_out"], CANNOT_TELL)
    assert said["calls"] == ["2024-01-10"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "How often such answers are wrong" in page
    assert "The dates of the calls were given" in page
    assert "shorter than three weeks" in page
    assert {"probabilities.csv", "confusion.parquet", "reliability.csv", "result.json", "run.json"} <= {
        path.name for path in out.iterdir()
    }
