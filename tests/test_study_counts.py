"""A study of claims with a source's own counts beside them: from the table in the folder to the report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from groundswell.cli.main import main
from groundswell.data.evidence import Evidence
from groundswell.data.files import rounded
from groundswell.data.history import History
from groundswell.data.record import Record
from groundswell.errors import DataError, UsageError
from groundswell.infer.base import fit
from groundswell.infer.particle import ParticleFilter
from groundswell.report.claims_counts import answer
from groundswell.report.claims_report import write_report
from groundswell.report.language import Speaker
from groundswell.report.power_report import limits
from groundswell.report.words import in_words
from groundswell.rng import generator, keyed
from groundswell.studies import designs, power
from groundswell.studies.beside import strained, study_beside
from groundswell.studies.case import Built, Case
from groundswell.studies.conditioning import Size
from groundswell.studies.counts import features, listed
from groundswell.studies.counts_check import Listed
from groundswell.studies.judgements import detection_moves
from groundswell.studies.new import new_study
from groundswell.studies.replay import posterior_histories
from groundswell.studies.run import Effort, run_study

TINY = Size(draws=24, effective=15, most=120, round=40, histories=4, prior_draws=20, joining_draws=20)
EFFORT = Effort(main=TINY, part=Size(draws=12, effective=10, most=40, round=20, histories=2, prior_draws=5))

EVENTS = """date,place
2024-03-01,Alphaville
2024-03-01,Betaburg
2024-03-02,Alphaville
2024-03-04,Alphaville
2024-03-04,Alphaville
2024-03-04,Gammaton
2024-03-07,Betaburg
2024-03-09,Epsilon
2024-03-09,Atlantis
2024-04-09,Zetaford
yesterday,Epsilon
"""

PLACES = ("Alphaville", "Betaburg", "Gammaton", "Deltastad", "Epsilon", "Zetaford")


def with_counts(folder: Path, table: str, stated: str) -> Path:
    """A starter study with counts: their table, and what stands under [counts]."""
    if not folder.exists():
        new_study(folder)
    study = folder / "study.toml"
    study.write_text(f'{study.read_text().partition("[counts]")[0]}\n[counts]\nevents = "events.csv"\n{stated}\n')
    (folder / "events.csv").write_text(table)
    return folder


def built_of(folder: Path) -> Built:
    return Case.read(folder / "study.toml").build(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("counts") / "case"
    return with_counts(where, EVENTS, f"places = {json.dumps(list(PLACES[:4]))}\ndetection = 0.6")


@pytest.fixture(scope="module")
def built(folder: Path) -> Built:
    return built_of(folder)


def by_hand(built: Built) -> History:
    """The counts of EVENTS in the first four places, written out."""
    events, looked = np.zeros((6, 14)), np.zeros((6, 14), dtype=bool)
    for place, day in ((0, 0), (1, 0), (0, 1), (0, 3), (0, 3), (2, 3), (1, 6)):
        events[place, day] += 1
    looked[:4, 1:] = True
    looked[:2, 0] = True  # of the first day, where events were listed
    return History(built.setting.places, built.setting.window, {"events": events}, weighed=looked)


def test_a_table_of_events_becomes_counts_and_nothing_goes_in_silence(built: Built) -> None:
    counts, expected = built.counts, by_hand(built)
    assert counts is not None
    assert counts.detection == 0.6
    assert (counts.history["events"] == expected["events"]).all()
    assert (np.array(counts.history.weighed) == expected.weighed).all()
    told = " ".join(built.notes)
    assert "counts (events.csv): 7 events in 3 of the 4 places where the source looked (6 in the study)" in told
    assert "taken to be 60 % of the events there" in told
    assert "not weighed are 1 event where, or when, the source is not said to have looked" in told
    assert (
        'not used, 3: row 10: "Atlantis" is not among the places of the study; row 11: 2024-04-09 lies outside' in told
    )
    assert {row["row"] for row in counts.unused.rows()} == {10, 11, 12}


def test_places_with_events_on_the_first_day_are_where_the_model_starts(built: Built) -> None:
    """One of them is named in study.toml, the other in the table alone."""
    assert built.case.setting.active_on_day0 == ("Alphaville",)
    assert built.setting.active_on_day0 == ("Alphaville", "Betaburg")
    assert "starts in Alphaville, Betaburg with the events listed" in " ".join(built.notes)


TABLE = "date,place,events\n" + "".join(
    f"2024-03-{day:02},{place},{events}\n"
    for place, row in (("Alphaville", "102"), ("Betaburg", "000"), ("Gammaton", "01"))
    for day, events in enumerate(row, 2)
)


@pytest.mark.parametrize(
    ("stated", "looked"),
    [
        ('places = "all"', [13] * 6),
        ('places = "listed"', [13, 13, 13, 0, 0, 0]),
        ('places = "rows"', [3, 3, 2, 0, 0, 0]),
        ('places = ["Centre"]', [13, 13, 0, 0, 0, 0]),
        ('places = "all"\nstart = 2024-03-03\nend = 2024-03-05', [3] * 6),
    ],
)
def test_where_and_when_the_source_looked_is_what_the_study_says(tmp_path: Path, stated: str, looked: list) -> None:
    counts = built_of(with_counts(tmp_path / "case", TABLE, stated)).counts
    assert counts is not None
    assert counts.looked.sum(axis=1).tolist() == looked


def test_of_an_event_list_only_places_with_events_are_listed(tmp_path: Path) -> None:
    counts = built_of(with_counts(tmp_path / "case", EVENTS, 'places = "listed"')).counts
    assert counts is not None
    assert [name for name, row in zip(PLACES, counts.looked, strict=True) if row.any()] == [*PLACES[:3], *PLACES[4:]]
    assert counts.detection == 1.0


@pytest.mark.parametrize(
    ("table", "stated", "kind", "words"),
    [
        (EVENTS, "", UsageError, r'counts: places is missing: say where the source looked.*"listed"'),
        (EVENTS, 'places = "listd"', UsageError, r'counts: places is "listd": say where'),
        (EVENTS, 'places = ["Alfaville"]', DataError, r'counts.places: place "Alfaville".*Nearest name: "Alphaville"'),
        (EVENTS, 'places = "rows"', UsageError, r'"rows" is for a table of counts by day.*events.csv has one row an'),
        (EVENTS, 'places = "all"\ndetecton = 1', UsageError, r'counts.detecton.*Nearest name: "detection"'),
        (EVENTS, 'places = "all"\ndetection = 0', UsageError, r"counts.detection: .*greater than 0"),
        (EVENTS, 'places = "all"\nend = 2024-05-01', UsageError, r"to 2024-05-01; expected days of the study"),
        (EVENTS, 'places = ["Zetaford"]\nend = 2024-03-01', DataError, r"events.csv: the source looked at no place"),
        ("when,where\n2024-03-02,Alphaville\n", 'places = "all"', DataError, r"events.csv: no column is known as"),
        ("date,place\n2024-03-02,Atlantis\n", 'places = "all"', DataError, r"events.csv: no event could be used"),
        ("date,place,events\n2024-02-26,Alphaville,1\n2024-03-04,Alphaville,3\n2024-03-11,Alphaville,2\n"
         "2024-03-18,Alphaville,2\n",
         'places = "all"', DataError, r"events.csv counts events over 7 days.*Write each count as a claim on `events`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, table: str, stated: str, kind: type, words: str) -> None:
    with pytest.raises(kind, match=re.compile(words, re.DOTALL)):
        built_of(with_counts(tmp_path / "case", table, stated))


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    where = with_counts(tmp_path / "case", EVENTS, 'places = "all"')
    (where / "events.csv").unlink()
    with pytest.raises(DataError, match=r"events\.csv"):
        built_of(where)


def test_unusual_columns_are_mapped(tmp_path: Path) -> None:
    table = EVENTS.replace("date,place", "Datum,Ort")
    stated = 'places = "all"\nmap = { start = "Datum", place = "Ort" }'
    counts = built_of(with_counts(tmp_path / "case", table, stated)).counts
    assert counts is not None
    assert counts.history["events"].sum() == 8


@pytest.fixture(scope="module")
def ran(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp("out")
    return run_study(str(folder), out, seed=5, processes=1, effort=EFFORT), out


def test_a_study_learns_what_the_same_evidence_teaches_in_python(built: Built, ran: tuple[dict, Path]) -> None:
    """To the bit: same claims, the counts written out by hand, same seed."""
    result, _ = ran
    evidence = Evidence(built.claims.weighed, by_hand(built), 0.6)
    found = fit(built.account, built.setting, evidence, TINY.method(1), rng=generator(5))
    assert result["log_evidence"] == rounded(found.log_density)
    assert found.draws is not None
    for row, column in zip(result["parameters"], found.draws.T, strict=True):
        assert row["posterior"] == rounded([float(v) for v in np.quantile(column, (0.05, 0.5, 0.95))])
    alone = fit(built.account, built.setting, built.claims.weighed, TINY.method(1), rng=generator(5))
    assert alone.log_density != pytest.approx(found.log_density, abs=1.0)


def test_a_run_shows_the_counts(ran: tuple[dict, Path], folder: Path, built: Built, tmp_path: Path) -> None:
    result, out = ran
    found = result["counts"]
    assert (found["events"], found["active_places"], found["places"], found["place_days"]) == (7, 3, 4, 52)
    assert [row["listed"] for row in found["rows"]] == [5, 3, 3, 3, 0]
    assert sum(found["by_day"]["listed"]) == 5, "the first day is given and not checked"
    for name in ("counts", "counts_check", "counts_unused"):
        assert (out / f"tables/{name}.csv").is_file()
        assert (out / f"tables/{name}.parquet").is_file()
    page = write_report(result, tmp_path).read_text(encoding="utf-8")
    for words in ("Do the counts agree with the model?", "A source’s own counts", "7 events in 3 of the 4 places",
                  "60\u00a0%", "events in the busiest place", "share of events that the source lists"):  # fmt: skip
        assert words in page, words
    assert result["digest"] == built.observed(built.record).digest() != built.record.digest()
    other = json.loads(json.dumps(result))
    other["counts"]["rows"][2]["p"] = 0.01
    assert "Hard to reconcile with the model: events on the busiest day, 3 listed" in answer(other, Speaker())
    assert Case.read(out / "case.toml") == built.case
    assert Case.read(folder / "study.toml") == built.case


def test_without_counts_a_result_says_so(tmp_path: Path) -> None:
    new_study(tmp_path / "case")
    result = run_study(str(tmp_path / "case"), tmp_path / "out", seed=5, processes=1, effort=EFFORT)
    assert result["counts"] is None
    assert not (tmp_path / "out/tables/counts.csv").exists()


def test_the_command_says_what_the_counts_hold(
    folder: Path, ran: tuple[dict, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("groundswell.studies.run.run_study", lambda *given, **named: ran[0])
    main(["study", "run", str(folder), "--out", str(tmp_path / "out")])
    said = capsys.readouterr().out
    assert "Counts (events.csv): 7 events in 3 of the 4 places where the source looked" in said
    assert "Counts (events.csv): not used, 3: row 10" in said


def test_an_approximate_run_is_refused_in_words(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "run", str(folder), "--approximate", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "an approximate run weighs claims alone, and this case has counts of places and days too" in said
    assert not (tmp_path / "out/result.json").exists()


@pytest.mark.slow
def test_the_full_run_compares_accounts_on_claims_and_counts(folder: Path, tmp_path: Path) -> None:
    tiny = Effort(main=EFFORT.part, part=EFFORT.part)
    result = run_study(str(folder), tmp_path / "out", seed=1, processes=1, full=True, effort=tiny)
    kept = json.loads((tmp_path / "out/runs/evidence-call-1.json").read_text())["result"]["log_evidence"]
    made = Case.read(folder / "study.toml").without("call").build(folder)
    assert kept < -8, "claims alone have a log evidence far above that of claims and counts"
    assert made.counts is not None
    assert {row["left_out"] for row in result["components"]} >= {"call", "media"}
    assert result["persons"]["draws"] > 0


def test_data_check_tells_of_the_counts_and_of_claims_made_from_them(tmp_path: Path) -> None:
    where = with_counts(tmp_path / "case", EVENTS, 'places = "all"')
    found = study_beside(where / "claims.csv")
    assert found is not None
    assert any("counts (events.csv): 8 events" in note for note in found.notes)
    claims = where / "claims.csv"
    claims.write_text(claims.read_text().replace("at_least,4,", "at_least,3,"))  # three places by 7 March: as listed
    assert any(
        words.startswith("c1 (at least 3 cities): just what events.csv counts") for words in strained(built_of(where))
    )


def test_a_claim_of_what_the_source_does_not_list_is_named(tmp_path: Path) -> None:
    where = with_counts(
        tmp_path / "case", EVENTS.replace("2024-03-04,Alphaville\n", ""), 'places = "all"\ndetection = 0.5'
    )
    said = [
        words for words in strained(built_of(where)) if words.startswith("c4 (between 500 and 1,000 persons, Alpha")
    ]
    assert len(said) == 1
    assert "events.csv lists no event there and then, where its source is said to have looked" in said[0]
    elsewhere = with_counts(tmp_path / "case", EVENTS.replace("2024-03-04,Alphaville\n", ""), 'places = ["Betaburg"]')
    assert not [words for words in strained(built_of(elsewhere)) if words.startswith("c4")]


def test_names_of_the_study_with_their_region_in_brackets_are_found(tmp_path: Path) -> None:
    where = with_counts(tmp_path / "case", EVENTS.replace("Gammaton", "Gammaton (West)"), 'places = "all"')
    table = where / "places.csv"
    table.write_text(table.read_text().replace("Gammaton", "Gammaton (West)"))
    counts = built_of(where).counts
    assert counts is not None
    assert counts.history["events"][2].sum() == 1


def test_what_a_source_lists_of_a_history(built: Built) -> None:
    counts = built.counts
    assert counts is not None
    history = History(built.setting.places, built.setting.window, {"events": np.full((6, 14), 5.0)})
    drawn = np.array([listed(history, counts, keyed(1, i)) for i in range(300)])
    assert (drawn[:, ~counts.looked] == 0).all()
    assert drawn[:, counts.looked].mean() == pytest.approx(3.0, abs=0.05)
    assert drawn[:, counts.looked].var() == pytest.approx(5 * 0.6 * 0.4, rel=0.05)
    assert features(np.array([[0, 2, 0, 1], [0, 0, 4, 0], [0, 0, 0, 0]])) == {
        "events": 7, "places": 2, "busiest day": 4, "busiest place": 4, "later half": 5,
    }  # fmt: skip
    assert features(np.array([[1, 2, 4]]))["later half"] == 4


def test_days_on_which_nobody_looked_are_no_part_of_what_a_list_comes_to(tmp_path: Path) -> None:
    """With the source gone after 7 March, the later half of the days begins on the 5th."""
    counts = built_of(with_counts(tmp_path / "case", EVENTS, 'places = "all"\nend = 2024-03-07')).counts
    assert counts is not None
    assert counts.summed(counts.history["events"])["later half"] == 1


def test_histories_drawn_anew_are_those_of_the_model_told_the_first_day(built: Built) -> None:
    """The first day lists one event in each place in which the model starts anyway: then it is `simulate`."""
    counts = built.counts
    assert counts is not None
    again = Listed(built.account, built.setting, counts, ())
    mine = [one for one in (again(np.empty(0), (1, i)) for i in range(400)) if one is not None]
    theirs = [built.account.process.simulate(built.setting, rng=keyed(2, i)) for i in range(400)]
    plain = np.log1p([counts.summed(listed(one, counts, keyed(3, i)))["events"] for i, one in enumerate(theirs)])
    anew = np.log1p([one["events"] for one, _ in mine])
    error = np.hypot(plain.std() / np.sqrt(len(plain)), anew.std() / np.sqrt(len(anew)))
    assert anew.mean() == pytest.approx(plain.mean(), abs=4 * error)
    assert all(row["events"] == by_day.sum() for row, by_day in mine)


def test_another_share_weighs_a_history_by_what_it_hides() -> None:
    """The ratio is that of the binomial probabilities of what is seen, given what happened."""
    happened, seen = np.array([[4, 2, 0], [1, 3, 5]]), np.array([[2, 2, 0], [1, 1, 3]])
    moved, ratios = detection_moves(0.6, float(seen.sum()), np.array([float((happened - seen).sum())]))
    for to, ratio in zip((0.6 / 0.4 / 1.25, 0.6 / 0.4 * 1.25), ratios, strict=True):
        share = to / (1 + to)
        expected = binom.logpmf(seen, happened, share).sum() - binom.logpmf(seen, happened, 0.6).sum()
        assert ratio[0] == pytest.approx(expected)
    assert moved.ways == ("0.55", "0.65")


def test_histories_given_the_counts_hold_what_is_seen_and_what_is_not(tmp_path: Path) -> None:
    """Looked at everywhere, so that what is not seen is all the rest of the events."""
    built = built_of(with_counts(tmp_path / "case", EVENTS, 'places = "all"\ndetection = 0.6'))
    found = fit(built.account, built.setting, built.observed(), TINY.method(1), rng=generator(2))
    posterior = posterior_histories(built.account, built.setting, built.observed(), found, 1)
    assert built.counts is not None
    seen = np.where(built.counts.looked, built.counts.history["events"], 0)
    for draw in posterior:
        assert draw["unseen"] == draw["events"][1:].sum() - seen.sum() >= 0
        assert (draw["events"] >= seen.sum(axis=0)).all()
        assert draw["events"][0] == 2


def test_power_has_the_counts_in_every_record(built: Built) -> None:
    tried = designs.chosen(built, ["daily"])
    result = power.power(built, tried, components=["media"], records=60, seed=2)
    assert result["counts"] == 5
    assert any("by 5 numbers that sum them up" in words for words in in_words(limits(result)))
    drawn = power.simulated(
        built, tried, ["media"], records=60, seed=2, processes=1, source=power.Source({})
    )  # fmt: skip
    base = [claim.id for claim in built.claims.weighed]
    assert drawn.of("all", base, tried[0]).shape[1] == len(base) + 5
    whole = np.exp(drawn.figures["all"][:, -5:]) - 0.5
    assert np.allclose(whole, np.round(whole), atol=1e-6), "counts are whole numbers"
    assert (whole[:, 0] >= whole[:, 4] - 1e-6).all()


def test_the_filter_takes_what_the_study_hands_it(built: Built) -> None:
    """Counts that cannot be are of probability 0, and so is no draw: the words say what is wrong."""
    observed = built.observed(Record(()))
    assert isinstance(observed, Evidence)
    assert np.isfinite(ParticleFilter(4).log_likelihood(built.account, built.setting, observed, rng=generator(1)))
