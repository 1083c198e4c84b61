import csv
import gzip
import io
from datetime import date

import numpy as np
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundswell.data.dates import Unreadable, day_comes_first, read_date
from groundswell.data.readers import EVENT_COLUMNS, read_events, read_raw, to_history
from groundswell.data.readers.base import names_persons, places_in
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError

HEADER = "date,city,country,participants,lat,lon\n"


def write(tmp_path, content, name="events.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows_of(read):
    return list(read.events.rows())


def _words(text):
    return text.split()


# --- files -------------------------------------------------------------------------------------


def test_bom_semicolons_and_latin1_rows_are_survived(tmp_path):
    body = "date;city;country;participants\n2018-01-01;Khūy;Iran;100s\n".encode()
    path = write(tmp_path, b"\xef\xbb\xbf" + body + "2018-01-02;Orléans;France;50\n".encode("latin-1"))
    read = read_events(path)
    assert [event["place"] for event in rows_of(read)] == ["Khūy", "Orléans"]
    assert read.rows == read.rows_read == 2
    assert any("1 lines are not UTF-8, read as Windows-1252: lines 3" in note for note in read.notes)


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encode", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiter_and_encoding_are_sniffed(tmp_path, delimiter, encode):
    text = delimiter.join(["date", "city", "note on it"]) + "\n" + delimiter.join(["2018-01-01", "Ābyek", "a, b; c"])
    path = write(tmp_path, text.replace("a, b; c", '"a, b; c"').encode(encode))
    assert rows_of(read_events(path))[0]["place"] == "Ābyek"


def test_gzip_parquet_and_frames_give_the_same_events(tmp_path):
    columns = {"date": ["2018-01-01", "2018-01-02"], "city": ["Qom", "Arak"], "participants": ["100+", None]}
    table = pyarrow.table(columns)
    plain = write(tmp_path, "date,city,participants\n2018-01-01,Qom,100+\n2018-01-02,Arak,\n")
    packed = write(tmp_path, gzip.compress(plain.read_bytes()), "events.dat")
    pyarrow.parquet.write_table(table, tmp_path / "events.parquet")
    expected = rows_of(read_events(plain))
    for source in (packed, tmp_path / "events.parquet", table, pandas.DataFrame(columns), polars.DataFrame(columns)):
        assert rows_of(read_events(source)) == expected


def test_frames_with_dates_and_missing_values():
    frame = pandas.DataFrame(
        {
            "date": pandas.to_datetime(["2018-01-01", "2018-01-02", None]),
            "city": ["Qom", None, "Arak"],
            "lat": [34.6, np.nan, 34.1],
            "lon": [50.9, np.nan, 49.7],
            "arrests": pandas.array([3, None, 4], dtype="Int64"),
        }
    )
    read = read_events(frame)
    assert [event["arrests"] for event in rows_of(read)] == [3]
    assert list(read.left_out["row"]) == [3, 4]


def test_line_breaks_in_quotes_count_as_one_row(tmp_path):
    read = read_events(write(tmp_path, HEADER + '2018-01-01,"Qom\nold town",Iran,5,,\nnever,Arak,Iran,5,,\n'))
    assert list(read.left_out["row"]) == [3]


def test_a_row_with_too_many_cells_is_left_out_with_its_number(tmp_path):
    read = read_events(write(tmp_path, HEADER + "2018-01-01,Qom,Iran,1,200,,9\n2018-01-01,Qom,Iran\n,,,,,\n"))
    assert list(read.left_out.rows()) == [
        {"row": 2, "reason": "has 7 cells where the header has 6", "remedy": "quote text that holds the delimiter"},
        {"row": 4, "reason": "the row is empty", "remedy": "delete it"},
    ]
    assert read.rows_read == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; expected a table"),
        (b"  \n \n", "is empty"),
        (b"PK\x03\x04rest", "Excel workbook; save the sheet as CSV"),
        (b"\x89PNG\r\n", "is a picture"),
        (b"a,b\n\x00\x01", "binary file"),
        (b"\x1f\x8bbroken", "damaged gzip"),
        (b"PAR1broken", "begins like a Parquet file"),
        (b"\xff\xfe\x00", "begins like UTF-16"),
        (b'date,city\n2018-01-01,"Qom\n2018-01-02,Arak\n', "row 2: a quotation mark is opened and never closed"),
        (b"city,what\nQom,1\n", "no column is known as the event's date. Its columns: city, what"),
        (b"date,what\n2018-01-01,1\n", "no column is known as the event's place"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_events(write(tmp_path, content))


def test_missing_files_folders_and_things_that_are_no_table(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_events(tmp_path / "none.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_events(tmp_path)
    with pytest.raises(DataError, match="is no table"):
        read_events(12)


def test_a_header_may_repeat_a_name(tmp_path):
    raw = read_raw(write(tmp_path, "date,city,,city\n2018-01-01,Qom,x,y\n"))
    assert raw.columns == ("date", "city", "column 3", "city (2)")
    assert any("more than once" in note for note in raw.notes)


# --- dates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2020-05-30", (2020, 5, 30)),
        ("2013-01-03 00:00:00.000", (2013, 1, 3)),
        ("2020-05-30T12:00:00+02:00", (2020, 5, 30)),
        ("(Believed to be) 2020-05-30", (2020, 5, 30)),
        ("20200530", (2020, 5, 30)),
        ("2020/5/3", (2020, 5, 3)),
        ("16 May 2025", (2025, 5, 16)),
        ("3rd Sept. 2025", (2025, 9, 3)),
        ("May 16, 2025", (2025, 5, 16)),
        ("30/05/2020", (2020, 5, 30)),
        ("05/30/2020", (2020, 5, 30)),
        ("05/05/2020", (2020, 5, 5)),
    ],
)
def test_dates_in_many_forms(text, day):
    assert read_date(text) == date(*day)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing"),
        ("NA", "missing"),
        ("Unknown Date", "no date"),
        ("11-Dey", "no date"),
        ("2020-02-30", "no day of the calendar"),
        ("1396-10-11", "Gregorian calendar"),
        ("03/04/2020", "may be day/month or month/day"),
        ("2020-05", "no date"),
    ],
)
def test_what_is_no_date_says_why(text, reason):
    with pytest.raises(Unreadable, match=reason):
        read_date(text)


def test_a_column_shows_its_own_order_of_day_and_month(tmp_path):
    assert day_comes_first(["03/04/2020", "30/05/2020"]) is True
    assert day_comes_first(["03/04/2020", "05/30/2020"]) is False
    assert day_comes_first(["30/05/2020", "05/30/2020"]) is None
    path = write(tmp_path, "date,city\n03/04/2020,Qom\n30/05/2020,Qom\n")
    assert rows_of(read_events(path))[0]["start"] == date(2020, 4, 3)
    undecided = write(tmp_path, "date,city\n03/04/2020,Qom\n")
    assert "say which with day_first" in read_events(undecided).left_out["reason"][0]
    assert rows_of(read_events(undecided, {"first": "month"}))[0]["start"] == date(2020, 3, 4)


# --- plain tables ------------------------------------------------------------------------------


def test_a_mapping_names_the_columns(tmp_path):
    path = write(tmp_path, "Tag;Ort;Leute\n2018-01-01;Qom;etwa 100\n")
    (event,) = rows_of(read_events(path, {"start": "Tag", "place": "Ort", "size": "Leute"}))
    assert (event["place"], event["size_low"], event["size_text"]) == ("Qom", 100, "etwa 100")
    with pytest.raises(DataError, match=r'has no column "Orte".*Nearest name: "Ort"'):
        read_events(path, {"start": "Tag", "place": "Orte"})
    with pytest.raises(DataError, match=r'"placee", which is no field. Nearest name: "place"'):
        read_events(path, {"start": "Tag", "placee": "Ort"})
    with pytest.raises(UsageError, match=r'no reader is called "tablee". Nearest name: "table"'):
        read_events(path, source="tablee")


def test_bad_cells_are_told_and_the_row_is_kept(tmp_path):
    body = "2018-01-01,Qom,Iran,8 arrested,abc,5\n2018-01-01,Qom,Iran,.,0,0\n2018-01-01,Qom,Iran,5,95,5\n"
    read = read_events(write(tmp_path, HEADER + body))
    remarks = [event["remark"] for event in rows_of(read)]
    assert "is no pair of numbers" in remarks[0]
    assert 'counts "arrested"' in remarks[0]
    assert "0, 0 stands for a missing one" in remarks[1]
    assert "outside the Earth" in remarks[2]
    assert all(event["latitude"] is None for event in rows_of(read))


def test_decimal_commas_and_thousands(tmp_path):
    names = "date;city;lat;lon;size_low;size_high;population\n"
    body = "2018-01-01;Qom;34,64;50,88;12,5;1,500;10,00,000\n2018-01-01;Qom;34,640;50;1.500;2;1.234.567\n"
    first, second = rows_of(found := read_events(write(tmp_path, names + body)))
    assert (first["latitude"], first["longitude"]) == (34.64, 50.88)
    assert (first["size_low"], first["size_high"], first["population"]) == (12.5, 1500, 1_000_000)
    assert (second["latitude"], second["size_low"], second["population"]) == (34.64, None, None)
    assert 'size_low "1.500" may be 1500 or a fraction; left blank' in second["remark"]
    assert "4 numbers have a decimal comma: 34,64 is read as 34.64" in found.notes


def test_whether_there_were_arrests(tmp_path):
    cells = ["TRUE", "no", "some", "", "12", "more than 5"]
    body = "".join(f"2018-01-01,Qom,{cell}\n" for cell in cells)
    events = rows_of(read_events(write(tmp_path, "date,city,arrests\n" + body)))
    assert [event["arrests_any"] for event in events] == [True, False, None, None, True, True]
    assert [event["arrests"] for event in events] == [None, None, None, None, 12, None]
    assert [event["remark"] for event in events] == ["", "", 'arrests "some" state no number of persons', "", "", ""]


def test_a_nationwide_event_has_no_position(tmp_path):
    (event,) = rows_of(read_events(write(tmp_path, HEADER + "2018-01-01,(national),Iran,5,32.4,53.7\n")))
    assert (event["scope"], event["latitude"], event["longitude"]) == ("national", None, None)


def test_an_end_before_the_start_and_a_row_without_place_are_left_out(tmp_path):
    read = read_events(write(tmp_path, "start,end,city\n2018-01-02,2018-01-01,Qom\n2018-01-02,,\n2018-01-02,,Qom\n"))
    assert list(read.left_out["reason"]) == [
        "the event ends 2018-01-01 before it starts 2018-01-02",
        "no place, region, country or position",
    ]
    assert read.rows_read == 1


def test_columns_that_may_name_persons_are_dropped_and_refused(tmp_path):
    path = write(tmp_path, "date,city,victim_name,notes,weather\n2018-01-01,Qom,A B,said C D,rain\n")
    read = read_events(path)
    assert "dropped, since they may name private persons: victim_name, notes" in read.notes
    assert "columns not read: weather" in read.notes
    assert "A B" not in read.events.to_csv()
    with pytest.raises(DataError, match="may name private persons"):
        read_events(path, {"start": "date", "place": "notes"})
    assert names_persons("source_headline")
    assert names_persons("Story People")
    assert not names_persons("participants")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Tehran", [("Tehran", "place")]),
        ("national", [("", "national")]),
        ("(national)", [("", "national")]),
        ("National ", [("", "national")]),
        ("nationwide", [("", "national")]),
        ("Country Wide", [("", "national")]),
        ("Ahvaz; Tehran; national", [("Ahvaz", "place"), ("Tehran", "place"), ("", "national")]),
        ("Dhaka, nationwide", [("Dhaka", "place"), ("", "national")]),
        ("Paris, national", [("Paris", "place"), ("", "national")]),
        ("national level", [("", "national")]),
        ("Montreal, Quebec", [("Montreal, Quebec", "place")]),
        ("Khao Yai National Park", [("Khao Yai National Park", "place")]),
        (" ; ", []),
    ],
)
def test_national_and_lists_of_places(text, places):
    assert places_in(text) == places


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Athens (Georgia)", "Athens (Georgia)"),
        ("(Athens (Georgia))", "Athens (Georgia)"),
        ("(Athens)", "Athens"),
        ("Athens (", "Athens"),
        ("Athens)", "Athens"),
    ],
)
def test_brackets_around_a_place_go_and_those_of_its_name_stay(text, place):
    """Names of the gazetteer that repeat have their region in brackets."""
    assert places_in(text) == [(place, "place")]


def test_a_list_becomes_one_event_for_each_place_and_shares_its_size(tmp_path):
    read = read_events(write(tmp_path, 'id,date,city,size,arrests\nx,2018-01-01,"Qom; Arak; Qom",300-400,12\n'))
    first, second = rows_of(read)
    assert (first["id"], first["place"], second["id"], second["place"]) == ("x/1", "Qom", "x/2", "Arak")
    assert (first["size_low"], first["size_high"], first["arrests"]) == (1, 400, None)
    assert "one of several places" in first["remark"]
    assert read.rows == read.rows_read == 1


# --- Mass Mobilization, UCDP --------------------------------------------------------------------


def test_mass_mobilization_cleaned(reference):
    read = read_events(reference / "mass_mobilization/events_1990_2015.csv.gz")
    assert read.source == "mass_mobilization"
    assert read.rows == read.rows_read == 12_377
    events = rows_of(read)
    assert sum(e["country"] == "Iran" and e["place"] == "Tehran" for e in events) == 73
    assert {e["scope"] for e in events} == {"place", "national"}
    national = next(e for e in events if e["id"] == "201990001")
    assert (national["place"], national["size_low"], national["size_high"]) == ("", 1000, 9999)


def test_mass_mobilization_raw(tmp_path):
    names = _words(
        "id country ccode year region protest protestnumber startday startmonth startyear endday endmonth endyear "
        "protesterviolence location participants_category participants protesteridentity stateresponse1 stateresponse2 "
        "sources notes"
    )
    rows = [
        ["1", "Iran", "630", "2009", "MENA", "1", "1", "13", "6", "2009", "15", "6", "2009", "0", "Tehran", "", "1000s",
         "x", "ignore", "arrests", "s", "n"],
        ["2", "Iran", "630", "2010", "MENA", "0"] + [""] * 16,
        ["3", "Iran", "630", "2011", "MENA", "1", "1", "30.0", "2.0", "2011.0", "", "", "", "0", "Qom", "100-999", "",
         "x", "", "", "s", "n"],
        ["4", "Iran", "630", "2011", "MENA", "1", "1", "3.0", "2.0", "2011.0", "", "", "", "0", "Qom", "100-999", "",
         "x", "ignore", "", "s", "n"],
    ]  # fmt: skip
    out = io.StringIO()
    csv.writer(out).writerows([names, *rows])
    read = read_events(write(tmp_path, out.getvalue().encode("latin-1")))
    first, last = rows_of(read)
    assert (first["start"], first["end"], first["arrests_any"]) == (date(2009, 6, 13), date(2009, 6, 15), True)
    assert (last["start"], last["end"], last["arrests_any"]) == (date(2011, 2, 3), date(2011, 2, 3), False)
    assert (last["size_low"], last["size_high"], last["size_text"]) == (100, 999, "100-999")
    assert list(read.left_out["row"]) == [3, 4]
    assert "a year without a protest" in read.left_out["reason"][0]
    assert "no day of the calendar" in read.left_out["reason"][1]
    assert any("dropped" in note and "notes" in note for note in read.notes)


def test_ucdp(reference):
    read = read_events(reference / "ucdp_ged_sample/ged_sample_1000.csv.gz")
    assert read.source == "ucdp"
    assert read.rows == read.rows_read == 1000
    events = rows_of(read)
    precision = [event["precision"] for event in events]
    assert [precision.count(p) for p in ("day", "days", "week", "month", "longer")] == [849, 107, 7, 23, 14]
    assert sum(event["scope"] == "place" for event in events) == 475 + 232
    assert sum("out of order" in event["remark"] for event in events) == 13
    assert all(event["deaths_low"] <= event["deaths_high"] for event in events)
    assert all(event["latitude"] is None for event in events if event["scope"] != "place")
    assert any("source_headline" in note and "persons" in note for note in read.notes)


def test_a_known_format_refuses_a_mapping(reference):
    path = reference / "ucdp_ged_sample/ged_sample_1000.csv.gz"
    with pytest.raises(DataError, match="is UCDP GED, whose columns are known"):
        read_events(path, {"start": "date_start"}, source="ucdp")
    assert read_events(path, {"place": "adm_1"}).source == "table"


def test_the_standard_table_is_read_back_unchanged(tmp_path):
    body = '2018-01-01,"Qom; Arak",Iran,hundreds,,\n2018-01-02,national,Iran,>50,,\n2018-01-03,Qom,Iran,.,34.6,50.9\n'
    read = read_events(write(tmp_path, HEADER + body))
    for name in ("standard.csv", "standard.parquet"):
        read.events.write(tmp_path / name)
        again = read_events(tmp_path / name)
        assert again.source == "standard"
        for before, after in zip(rows_of(read), rows_of(again), strict=True):
            for column in set(EVENT_COLUMNS) - {"row"}:
                assert (before[column] or None) == (after[column] or None), column


# --- histories ---------------------------------------------------------------------------------


def test_places_come_from_the_file_where_it_has_positions(tmp_path):
    body = (
        "2018-01-01,Smallville,Iran,5,30.0,55.0\n2018-01-03,Smallville,Iran,5,30.2,55.0\n"
        "2018-01-02,Neyshabur,Iran,7,,\n2018-01-02,national,Iran,7,,\n2018-01-02,Nowhere at all,Iran,7,,\n"
    )
    setting, history, report = to_history(read_events(write(tmp_path, HEADER + body)))
    assert setting.places.name == ("Neyshābūr", "Smallville")
    assert setting.places.population.tolist() == [220_929, 7_500]
    assert setting.places.latitude[1] == pytest.approx(30.1)
    assert setting.window == Window(date(2018, 1, 1), 3)
    assert history["events"].tolist() == [[0, 1, 0], [1, 0, 1]]
    assert setting.active_on_day0 == ("Smallville",)
    assert history.events.day_precision
    assert history.events.size.tolist() == [5, 7, 5]
    outcomes = [(line["row"], line["outcome"]) for line in report.rows()]
    assert outcomes == [(2, "assumed"), (5, "left out"), (6, "left out")]


def test_the_gazetteer_gives_quiet_places_too(tmp_path):
    path = write(tmp_path, HEADER + '2018-01-01,Meshed,Iran,5,,\n2018-01-04,"Tehran, Isfahan and Xyzzy",Iran,,,\n')
    setting, history, report = to_history(read_events(path), "gazetteer")
    assert len(setting.places) == 425
    assert history["events"].sum() == 3
    assert history["events"][setting.places.index("Mashhad")].tolist() == [1, 0, 0, 0]
    (line,) = report.rows()
    assert line["outcome"] == "assumed"
    assert "not found: Xyzzy" in line["reason"]


def test_own_places_match_by_name_then_by_position(tmp_path, lopsided):
    body = "2018-01-01,Hub,,,,\n2018-01-02,near it,,,35.41,51.6\n2018-01-02,elsewhere,,,10,10\n2018-01-09,Far,,,,\n"
    window = Window(date(2018, 1, 1), 5)
    setting, history, report = to_history(read_events(write(tmp_path, HEADER + body)), lopsided, window)
    assert setting.places is lopsided
    assert history["events"].sum(axis=1).tolist() == [1, 1, 0, 0]
    assert [(line["row"], line["outcome"]) for line in report.rows()] == [
        (3, "assumed"),
        (4, "left out"),
        (5, "left out"),
    ]
    assert "outside the window" in report["reason"][2]


def test_the_last_day_that_a_file_covers_may_be_named(tmp_path):
    days = ("2018-01-01", "2018-01-03", "2018-01-09", "2018-01-12")
    cities = ("Qom", "Qom", "Arak", "Yazd")
    body = "".join(f"{day},{city},Iran,5,,\n" for day, city in zip(days, cities, strict=True))
    read = read_events(write(tmp_path, HEADER + body))
    # nothing happened after the last event
    setting, history, report = to_history(read, step=5, until=date(2018, 1, 21))
    assert setting.window == Window(date(2018, 1, 2), 4, 5)
    assert history["events"].sum(axis=0).tolist() == [1, 1, 1, 0]
    assert [line["row"] for line in report.rows()] == [2]
    # what is later is not known, neither its events nor its places
    setting, history, report = to_history(read, step=1, until=date(2018, 1, 10))
    assert setting.window == Window(date(2018, 1, 1), 10)
    assert setting.places.name == ("Arāk", "Qom")
    assert "2018-01-12 is after 2018-01-10" in report["reason"][0]
    with pytest.raises(DataError, match="no step has ended by 2018-01-04"):
        to_history(read, step=5, until=date(2018, 1, 4))
    with pytest.raises(DataError, match="no event up to 2017-12-31"):
        to_history(read, until=date(2017, 12, 31))


def test_by_country_and_by_region_each_row_counts_once(tmp_path):
    body = '2018-01-01,"Tehran; Mashhad; national",Iran,,,\n2018-01-08,Paris,France,,,\n2018-01-08,x,Yugoslavia,,,\n'
    read = read_events(write(tmp_path, HEADER + body))
    read.events.write(tmp_path / "again.csv")
    for form in (read, read_events(tmp_path / "again.csv")):
        setting, history, report = to_history(form, by="country", step=1)
        assert setting.places.name == ("France", "Iran")
        assert history["events"].sum(axis=1).tolist() == [1, 1]
        assert [line["reason"] for line in report.rows()] == ['country "Yugoslavia" has no known population']
    setting, history, report = to_history(read, by="region", country="IR")
    assert setting.places.name == ("Razavi Khorasan", "Tehran")
    assert history["events"].sum() == 2
    assert [line["id"] for line in report.rows()] == ["row 2/3"]


def test_events_dated_less_closely_than_a_step_are_left_out(reference):
    read = read_events(reference / "ucdp_ged_sample/ged_sample_1000.csv.gz")
    _, _, daily = to_history(read, by="country")
    _, monthly, report = to_history(read, by="country", step=31)
    assert sum("precision" in line["reason"] for line in daily.rows()) == 107 + 7 + 23 + 14
    assert sum("precision" in line["reason"] for line in report.rows()) == 14
    left = sum(line["outcome"] == "left out" for line in report.rows())
    assert monthly["events"].sum() + left == 1000


def test_iran_in_mass_mobilization(reference):
    read = read_events(reference / "mass_mobilization/events_1990_2015.csv.gz")
    setting, history, report = to_history(read, country="Iran", by="country", step=7)
    assert setting.places.name == ("Iran",)
    rows = {event["row"] for event in rows_of(read) if event["country"] == "Iran"}
    assert history["events"].sum() + len(report) == len(rows) == 97


def test_no_usable_event_is_an_error_that_says_why(tmp_path):
    read = read_events(write(tmp_path, HEADER + "2018-01-01,national,Iran,,,\n"))
    with pytest.raises(DataError, match=r"no event could be used|no event has a place"):
        to_history(read)
    with pytest.raises(DataError, match='no event in "France"; its countries: Iran'):
        to_history(read, country="France")
    nameless = read_events(write(tmp_path, HEADER + "2018-01-01,Tehran,,,,\n"))
    with pytest.raises(DataError, match='"Iram"'):
        to_history(nameless, by="country", country="Iram")


# --- generated tables ---------------------------------------------------------------------------

dirt = st.sampled_from(
    ["", "NA", "-1", ".", "2018-01-01", "16 May 2025", "03/04/2020", "11-Dey", "national", "Tehran; Qom", ";",
     "hundreds", ">2000", "0", "35.7", "51.4", "999", "1", "Iran", '"', "a\nb", "é", "تهران"]
)  # fmt: skip
cell = dirt | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5)
MASS = ["id", "country", "location", "participants", "participants_category", "protesterviolence"]
MASS += ["start_date", "end_date", "arrests"]
UCDP = [
    "id",
    "date_start",
    "date_end",
    "country",
    "latitude",
    "longitude",
    "best",
    "low",
    "high",
    "where_prec",
    "adm_1",
]
PLAIN = ["date", "end", "city", "country", "lat", "lon", "participants", "arrests", "notes"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([MASS, UCDP, PLAIN, list(EVENT_COLUMNS)]).flatmap(
        lambda names: st.tuples(
            st.just(names), st.lists(st.lists(cell, min_size=len(names), max_size=len(names)), max_size=6)
        )
    ),
    st.sampled_from([",", "\t", ";"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_rows_read_and_rows_left_out_are_all_rows(tmp_path_factory, table, delimiter, encoding, quoting):
    names, rows = table
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows([names, *rows])
    path = tmp_path_factory.getbasetemp() / "generated.csv"
    path.write_bytes(out.getvalue().encode(encoding))
    read = read_events(path)
    assert read.rows == len(rows)
    assert read.rows_read + len(read.left_out) == len(rows)
    assert set(read.left_out["row"]) | set(read.events["row"]) == set(range(2, len(rows) + 2))
    assert all(read.left_out["reason"])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bytes.csv"
    path.write_bytes(content)
    try:
        read = read_events(path)
    except DataError:
        return
    assert read.rows_read + len(read.left_out) == read.rows


town = st.sampled_from(
    ["Qom", "Tehran; Arak", "Qom, Arak and Yazd", "Qom, Arak", "national", "Hub", "Nowhere", "", "a (b)"]
)
spot = st.sampled_from(["", "35.4", "34.6", "-91", "x"])


@pytest.mark.filterwarnings("ignore:.*outside the Earth's degrees")
@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["2018-01-01", "2018-01-09", "no"]), town, spot, spot), min_size=1, max_size=6),
    st.sampled_from([None, "gazetteer", "own"]),
    st.sampled_from(["place", "region", "country"]),
    st.sampled_from([1, 7]),
)
def test_every_event_is_in_the_history_or_told(lopsided, rows, places, by, step):
    frame = pandas.DataFrame(rows, columns=["date", "city", "lat", "lon"])
    read = read_events(frame)
    given_places = lopsided if places == "own" else places
    try:
        setting, history, report = to_history(read, given_places, step=step, by=by, country="Iran")
    except DataError:
        return
    told = {line["id"] for line in report.rows()}
    left = {line["id"] for line in report.rows() if line["outcome"] == "left out"}
    kept = {event["id"] for event in rows_of(read)} - left
    assert history["events"].sum() == len(history.events)
    assert history["events"].shape == setting.shape
    if by == "place":
        assert len(kept) <= history["events"].sum()
    if not told:
        assert len({event["part_of"] or event["id"] for event in rows_of(read)}) <= history["events"].sum()


def test_sizes_that_some_events_lack_are_kept_for_the_others(tmp_path):
    table = pandas.DataFrame({"date": "2018-01-01", "place": ["Qom", "Arak"], "country": "Iran", "size": ["100", ""]})
    _, history, _ = to_history(read_events(table))
    assert history.events is not None
    assert history.events.size == pytest.approx([np.nan, 100], nan_ok=True)  # by place within the day
    path = tmp_path / "events.csv"
    history.events_table().write(path)
    assert "nan" not in path.read_text(encoding="utf-8")
    _, again, _ = to_history(read_events(path))
    assert again.events.size == pytest.approx([np.nan, 100], nan_ok=True)
    _, without, _ = to_history(read_events(table.assign(size="")))
    assert without.events.size is None
