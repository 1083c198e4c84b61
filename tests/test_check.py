import json

import pytest
from typer.testing import CliRunner

from groundswell.cli.data import app
from groundswell.cli.main import main
from groundswell.data.check import check, most_often
from groundswell.data.readers import read_events
from groundswell.errors import DataError, UsageError

EVENTS = """date,city,country,participants
2018-01-01,Qom,Iran,hundreds
2018-01-02,national,Iran,200
never,Arak,Iran,50
2018-01-03,Arak,Iran,8 arrested
"""
CLAIMS = """id,quantity,place,start,end,qualifier,value,stance,speaker,outlet
a1,arrests,Iran,2018-01-01,2018-01-05,at_least,450,state,an office,x
a2,deaths,Iran,2018-01-01,2018-01-05,exactly,21,state,an office,x
a3,arrests,Iran,2018-01-01,2018-01-05,about,3000,opposition,,x
"""


@pytest.fixture
def events(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(EVENTS)
    return path


@pytest.fixture
def claims(tmp_path):
    path = tmp_path / "claims.csv"
    path.write_text(CLAIMS)
    return path


def test_events_are_told_with_what_was_left_out_and_sizes(events):
    found = check(events)
    assert (found.kind, found.rows, found.read, found.rows_left_out) == ("events", 4, 3, 1)
    assert found.facts["first day"] == "2018-01-01"
    assert found.facts["events nationwide or placed no closer"] == 1
    assert found.facts["events with a size"] == 2
    (line,) = found.left_out.rows()
    assert (line["row"], line["reason"]) == (4, '"never" is no date that is read here; write it as 2020-05-30')
    assert list(found.sizes.rows()) == [
        {"text": "(plain numbers)", "events": 1, "low": 200, "high": 200, "reason": ""},
        {"text": "8 arrested", "events": 1, "low": None, "high": None, "reason": 'counts "arrested", not participants'},
        {"text": "hundreds", "events": 1, "low": 100, "high": 999, "reason": ""},
    ]
    words = found.words()
    for part in ("a plain table of events", "4 rows: 3 read, 1 left out", "never", "hundreds", "read as start = date"):
        assert part in words


def test_the_size_rule_is_a_choice_that_is_told(events):
    found = check(events, rule="ccc")
    assert [row["low"] for row in found.sizes.rows() if row["text"] == "hundreds"] == [200]
    assert any('by the rule "ccc": Crowd Counting Consortium' in note for note in found.notes)
    with pytest.raises(UsageError, match="no size rule"):
        check(events, rule="cc")


def test_claims_are_recognised_and_their_problems_told(claims):
    found = check(claims)
    assert (found.kind, found.rows, found.read) == ("claims", 3, 2)
    assert found.facts["claims that a model can weigh"] == 1
    assert found.facts["claims no model speaks to"] == 1
    assert "1 rows have problems" in found.what
    (line,) = found.left_out.rows()
    assert (line["row"], line["column"]) == (4, "speaker")
    assert "no model here speaks of deaths" in found.words()


def test_a_source_can_be_named(events, claims):
    with pytest.raises(UsageError, match="no table of claims"):
        check(events, source="claims")
    with pytest.raises(DataError, match=r"column is known as the event's date|no column"):
        check(claims, {"place": "place", "start": "nothing"})


def test_long_lists_are_cut_on_screen_only(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("date,city\n" + "never,Qom\n" * 50 + "2018-01-01,Qom\n")
    found = check(path)
    assert "... and 20 more; --out or --json has them all" in found.words()
    assert '  50 rows: "never" is no date' in found.words()
    assert len(found.as_dict()["left_out_rows"]) == 50


def test_reasons_that_differ_by_a_number_are_one(tmp_path):
    header = ",".join(["event_id_cnty", "event_date", "event_type", "country", "location", "timestamp"])
    rows = [f"TST{i},2018-01-01,Protests,Iran,Qom,{n}" for n in (1, 2) for i in range(40)]
    rows += [f"T{i},2018-01-01,{kind},Iran,Qom,1" for i, kind in enumerate(["Battles", "Riots", "Battles"])]
    path = tmp_path / "long.csv"
    path.write_text("\n".join([header, *rows]))
    words = check(path).words()
    assert "  40 rows, such as: an older version of TST0, replaced by row 42" in words
    assert '  2 rows: event_type "Battles" is not among those kept' in words
    assert "it is read there" not in words


def test_many_kinds_of_reasons_end_in_the_rest():
    lines = most_often({f'the {word} place "{word}" is odd': 2 for word in "abcdefghij"}, "rows")
    assert lines == [f'  2 rows: the {word} place "{word}" is odd' for word in "abcdefgh"] + ["  4 rows: other reasons"]
    (line,) = most_often({f'"{word}" is no place': 2 for word in "abcdefghij"}, "rows")
    assert line == '  20 rows, such as: "a" is no place'


def test_the_texts_of_remarks_are_shown(tmp_path):
    path = tmp_path / "remarks.csv"
    path.write_text("date,city,lat,lon\n" + "2018-01-01,Qom,x,1\n" * 3)
    found = check(path)
    assert found.remarks == {'position "x", "1" is no pair of numbers; left blank': 3}
    assert '  3 events: position "x", "1" is no pair of numbers; left blank' in found.words()


def test_a_file_without_a_header_is_not_said_to_have_one(tmp_path):
    path = tmp_path / "events.json"
    path.write_text('[{"date": "never", "city": "Qom"}, {"date": "2018-01-01", "city": "Qom"}]')
    words = check(path).words()
    assert "(its first row of data is row 1)" in words
    assert "header is row 1" not in words


def test_the_command_prints_json_and_writes_tables(events, tmp_path):
    out = tmp_path / "new"
    result = CliRunner().invoke(app, ["check", str(events), "--json", "--out", str(out)])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["kind"], told["rows"], told["read"], told["left_out"]) == ("events", 4, 3, 1)
    assert sorted(path.name for path in out.iterdir()) == ["check.json", "events.csv", "left_out.csv", "sizes.csv"]
    assert json.loads((out / "check.json").read_text()) == told


def test_the_command_maps_columns(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("Tag;Ort\n2018-01-01;Qom\n")
    result = CliRunner().invoke(app, ["check", str(path), "--map", "start=Tag", "--map", "place=Ort"])
    assert result.exit_code == 0
    assert "1 rows: 1 read, 0 left out" in result.stdout


def test_exit_code_3_for_claims_with_problems_and_for_nothing_read(claims, tmp_path):
    assert CliRunner().invoke(app, ["check", str(claims)]).exit_code == 3
    nothing = tmp_path / "nothing.csv"
    nothing.write_text("date,city\nnever,Qom\n")
    assert CliRunner().invoke(app, ["check", str(nothing)]).exit_code == 3


def test_an_unwritable_folder_is_told_before_the_work(events):
    result = CliRunner().invoke(app, ["check", str(events), "--out", str(events / "inside")])
    assert "cannot be written" in str(result.exception)
    assert result.stdout == ""


def test_claims_are_no_events_unless_that_is_said(claims, tmp_path):
    """Each row is what somebody said: read as an event it would count as one."""
    for mapping in (None, {"first": "day"}):
        with pytest.raises(DataError, match=r"a table of claims.*study new FOLDER --from claims\.csv"):
            read_events(claims, mapping)
    assert len(read_events(claims, source="table").events) == 3
    assert len(read_events(claims, {"start": "end"}).events) == 3
    with pytest.raises(UsageError, match=r"a table of claims.*first says nothing here.*2020-08-09 or 9 August 2020"):
        check(claims, {"first": "day"})
    for command in (["fit", "self-exciting"], ["compare"], ["coordination"], ["forecast"], ["data", "convert"]):
        code = main([*command, str(claims), "--out", str(tmp_path / ("out.csv" if "convert" in command else "out"))])
        assert code == DataError.exit_code, command
    assert not (tmp_path / "out" / "result.json").exists()


def test_headings_of_ones_own_that_speak_of_claims_are_told_the_columns_of_claims(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("what,where,from,to,number,side,who said\narrests,Belarus,2020-08-09,2020-08-10,3000,state,MVD\n")
    for mapping in (None, {"quantity": "what"}):
        with pytest.raises(DataError, match=r"table of claims, with the columns id, quantity, place.*study new FOLDER"):
            check(path, mapping)
    path.write_text("when,where\n2020-08-09,Minsk\n")
    with pytest.raises(DataError) as raised:
        check(path)
    assert "claims" not in str(raised.value)
