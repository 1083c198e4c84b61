"""ACLED, GDELT, Crowd Counting Consortium and Count Love: real headers, made-up rows."""

import csv
import gzip
import io
import json
import zipfile
from datetime import date

import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from groundswell.cli.data import app
from groundswell.data import gazetteer
from groundswell.data.readers import EVENT_COLUMNS, read_events, to_history
from groundswell.data.readers.headerless import GDELT_1, GDELT_2
from groundswell.errors import DataError


def _words(text):
    return text.split()


ACLED = _words(
    "event_id_cnty event_date year time_precision disorder_type event_type sub_event_type actor1 assoc_actor_1 inter1 "
    "actor2 assoc_actor_2 inter2 interaction civilian_targeting iso region country admin1 admin2 admin3 location "
    "latitude longitude geo_precision source source_scale notes fatalities tags timestamp"
)
ACLED_OLD = _words(
    "DATA_ID ISO EVENT_ID_CNTY EVENT_ID_NO_CNTY EVENT_DATE YEAR TIME_PRECISION EVENT_TYPE SUB_EVENT_TYPE ACTOR1 "
    "ASSOC_ACTOR_1 INTER1 ACTOR2 ASSOC_ACTOR_2 INTER2 INTERACTION REGION COUNTRY ADMIN1 ADMIN2 ADMIN3 LOCATION "
    "LATITUDE LONGITUDE GEO_PRECISION SOURCE SOURCE_SCALE NOTES FATALITIES TIMESTAMP ISO3"
)
CCC = _words(
    "date locality state location_detail online type title macroevent actors organizations participants claims valence "
    "issues issues_major size_low size_high size_mean size_text size_cat arrests arrests_any injuries_crowd "
    "injuries_crowd_any injuries_police injuries_police_any property_damage property_damage_any chemical_agents "
    "participant_measures police_measures participant_deaths police_deaths source_1 source_2 source_3 notes lat lon "
    "resolved_locality resolved_county resolved_state fips_code"
)
COUNT_LOVE = [
    "Date",
    "Location",
    "Attendees",
    "Event (legacy; see tags)",
    "Tags",
    "Curated",
    "Source",
    "Total Articles",
]


def test_the_headers_are_whole():
    assert (len(ACLED), len(GDELT_2), len(GDELT_1)) == (31, 61, 58)
    assert (GDELT_2[28], GDELT_2[51], GDELT_2[59]) == ("EventRootCode", "ActionGeo_Type", "DATEADDED")


def text_of(names, rows, delimiter=",", header=True):
    out = io.StringIO()
    writer = csv.DictWriter(out, names, delimiter=delimiter, restval="", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read(tmp_path, content, mapping=None, name="events.csv", **how):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = read_events(path, mapping, **how)
    assert found.rows == found.rows_read + len(found.left_out)
    return found


def events_of(found):
    return list(found.events.rows())


def reasons(found):
    return {line["row"]: line["reason"] for line in found.left_out.rows()}


# --- ACLED -------------------------------------------------------------------------------------


def acled(**cells):
    return {
        "event_id_cnty": "TST1", "event_date": "2023-02-16", "time_precision": "1", "event_type": "Protests",
        "region": "Middle East", "country": "Iran", "admin1": "Qom", "location": "Qom", "latitude": "34.64",
        "longitude": "50.88", "geo_precision": "1", "fatalities": "0", "timestamp": "1700000000",
    } | cells  # fmt: skip


def read_acled(tmp_path, rows, mapping=None, **how):
    return read(tmp_path, b"\xef\xbb\xbf" + text_of(ACLED, rows).encode(), mapping, **how)


def test_acled_is_known_by_its_columns_and_read_in_three_forms_of_date(tmp_path):
    dates = ["2023-02-16", "16 February 2023", "16-02-2023", "02-03-2023", "Feb 2023"]
    found = read_acled(tmp_path, [acled(event_id_cnty=f"T{i}", event_date=text) for i, text in enumerate(dates)])
    assert found.source == "acled"
    assert [event["start"] for event in events_of(found)] == [date(2023, 2, 16)] * 3 + [date(2023, 3, 2)]
    assert reasons(found) == {6: '"Feb 2023" is no date that is read here; write it as 2020-05-30'}
    event = events_of(found)[0]
    assert (event["id"], event["place"], event["region"], event["country"]) == ("T0", "Qom", "Qom", "Iran")
    assert (event["latitude"], event["scope"], event["precision"]) == (34.64, "place", "day")


def test_acled_in_upper_case_with_number_codes(tmp_path):
    row = {name.upper(): value for name, value in acled(event_type="Riots/Protests").items()}
    row |= {"DATA_ID": "7", "EVENT_ID_NO_CNTY": "1", "ISO3": "IRN", "INTER1": "6", "INTERACTION": "60"}
    found = read(tmp_path, text_of(ACLED_OLD, [row]))
    (event,) = events_of(found)
    assert (found.source, event["id"], event["place"], event["size_text"]) == ("acled", "TST1", "Qom", "")
    assert any("ACTOR1, ASSOC_ACTOR_1, ACTOR2, ASSOC_ACTOR_2, NOTES" in note for note in found.notes)


def test_acled_keeps_the_newest_version_of_an_event(tmp_path):
    found = read_acled(
        tmp_path,
        [
            acled(timestamp="1600000000", location="Arak"),
            acled(timestamp="1700000000"),
            acled(timestamp="1700000000"),
            acled(timestamp="unknown"),
            acled(event_id_cnty="TST2", timestamp="1600000000"),
            acled(event_id_cnty="TST2", timestamp="1600000001", event_type="Battles"),
            acled(event_id_cnty=""),
            acled(event_id_cnty=""),
        ],
    )
    assert list(found.events["row"]) == [3, 8, 9]
    assert list(found.events["id"]) == ["TST1", "row 8", "row 9"]
    assert reasons(found) == {
        2: "an older version of TST1, replaced by row 3",
        4: "TST1 stands in row 3 already",
        5: "an older version of TST1, replaced by row 3",
        6: "an older version of TST2, replaced by row 7",
        7: 'event_type "Battles" is not among those kept (Protests; Riots; Riots/Protests)',
    }


def test_acled_event_types_are_a_choice(tmp_path):
    kinds = ["Protests", "Riots", "Battles", "Strategic developments", ""]
    rows = [acled(event_id_cnty=f"T{i}", event_type=kind) for i, kind in enumerate(kinds)]
    found = read_acled(tmp_path, rows)
    assert list(found.events["row"]) == [2, 3]
    assert reasons(found)[6] == "event_type is empty"
    assert any("keep=all" in note for note in found.notes)
    for mapping, kept in (({"keep": "battles, Riots"}, [3, 4]), ({"keep": "all"}, [2, 3, 4, 5, 6])):
        again = read_acled(tmp_path, rows, mapping)
        assert (again.source, list(again.events["row"])) == ("acled", kept)
    assert read_acled(tmp_path, rows, {"place": "admin2"}).source == "table"
    with pytest.raises(DataError, match="is ACLED data, whose columns are known; leave the mapping of place out"):
        read_acled(tmp_path, rows, {"place": "admin2", "keep": "all"}, source="acled")


def test_acled_precision_codes(tmp_path):
    codes = [("1", "1"), ("2", "2"), ("3", "3"), ("", "")]
    rows = [
        acled(event_id_cnty=f"T{i}", time_precision=time, geo_precision=place) for i, (time, place) in enumerate(codes)
    ]
    events = events_of(read_acled(tmp_path, [*rows, acled(event_id_cnty="T9", geo_precision="3", admin1="")]))
    assert [event["precision"] for event in events] == ["day", "week", "month", "day", "day"]
    assert [event["scope"] for event in events] == ["place", "place", "region", "place", "national"]
    capital = events[2]  # the provincial capital stands for the province
    assert (capital["place"], capital["place_text"], capital["latitude"], capital["region"]) == ("", "Qom", None, "Qom")


def test_acled_districts_count_for_their_city(tmp_path):
    rows = [acled(location="Tehran - District 6"), acled(event_id_cnty="T2", location="Bandar-e Anzali")]
    first, second = events_of(read_acled(tmp_path, rows))
    assert (first["place"], first["place_text"]) == ("Tehran", "Tehran - District 6")
    assert second["place"] == "Bandar-e Anzali"


@pytest.mark.parametrize(
    ("tags", "text", "interval"),
    [
        ("crowd size=about 200", "about 200", (150, 250)),
        ("women targeted: politicians; crowd size=hundreds; other=1", "hundreds", (100, 999)),
        ("crowd size=no report", "no report", (None, None)),
        ("crowd size=large", "large", (None, None)),
        ("local administrators", "", (None, None)),
        ("", "", (None, None)),
    ],
)
def test_acled_crowds_are_in_the_tags_and_fatalities_are_no_size(tmp_path, tags, text, interval):
    (event,) = events_of(read_acled(tmp_path, [acled(tags=tags, fatalities="120")]))
    assert (event["size_text"], event["size_low"], event["size_high"]) == (text, *interval)
    assert (event["deaths_low"], event["deaths_high"]) == (120, 120)
    assert bool(event["remark"]) == (text == "large")


def test_acled_zero_fatalities_may_be_unknown(tmp_path):
    deaths = ["0", "", "-1", "many"]
    events = events_of(read_acled(tmp_path, [acled(event_id_cnty=f"T{t}", fatalities=t) for t in deaths]))
    assert [(event["deaths_low"], event["deaths_high"]) for event in events] == [(0, None)] + [(None, None)] * 3
    assert [bool(event["remark"]) for event in events] == [False, False, True, True]


def test_acled_names_no_persons_and_says_what_its_terms_forbid(tmp_path):
    found = read_acled(tmp_path, [acled(actor1="Group of A B", assoc_actor_2="C D", notes="E F said")])
    assert any(note.startswith("dropped, since they may name private persons: actor1, assoc_") for note in found.notes)
    assert any("terms of use forbid" in note for note in found.notes)
    assert not any(name in found.events.to_csv() for name in ("A B", "C D", "E F"))


def test_acled_from_its_interface_is_json(tmp_path):
    rows = [acled(latitude=34.64), acled(event_id_cnty="TST2", event_type="Battles")]
    found = read(tmp_path, json.dumps({"success": True, "count": 2, "data": rows}), name="events.json")
    assert (found.source, list(found.events["row"]), list(found.left_out["row"])) == ("acled", [1], [2])


# --- GDELT -------------------------------------------------------------------------------------

CITY = {
    "ActionGeo_Type": "4", "ActionGeo_FullName": "Qom, Qom, Iran", "ActionGeo_CountryCode": "IR",
    "ActionGeo_ADM1Code": "IR39", "ActionGeo_Lat": "34.64", "ActionGeo_Long": "50.88", "ActionGeo_FeatureID": "1",
}  # fmt: skip


def gdelt(number=1, **cells):
    """An event of its own: another day's article about other actors."""
    return {
        "GlobalEventID": str(number), "Day": "20180101", "EventCode": "141", "EventBaseCode": "141",
        "EventRootCode": "14", "Actor1Code": f"A{number}", "NumArticles": "3", "DATEADDED": "20180102001500",
        "SOURCEURL": f"https://example.org/{number}", **CITY,
    } | cells  # fmt: skip


def read_gdelt(tmp_path, rows, mapping=None, names=GDELT_2):
    rows = [{name: value for name, value in row.items() if name in names} for row in rows]
    return read(tmp_path, text_of(names, rows, "\t", header=False), mapping, name="20180101.export.CSV")


@pytest.mark.parametrize("names", [GDELT_2, GDELT_1, GDELT_1[:-1]], ids=len)
def test_gdelt_is_known_by_the_absence_of_a_header(tmp_path, names):
    found = read_gdelt(tmp_path, [gdelt(1), gdelt(2, Day="never"), gdelt(3)], names=names)
    assert found.source == "gdelt"
    assert list(found.events["row"]) == [1, 3]
    assert reasons(found) == {2: '"never" is no date that is read here; write it as 2020-05-30'}
    event = events_of(found)[0]
    assert (event["id"], event["start"], event["place"]) == ("1", date(2018, 1, 1), "Qom")
    assert (event["country"], event["region"], event["latitude"], event["size_low"]) == ("Iran", "Qom", 34.64, None)
    assert any("no header line" in note for note in found.notes)
    assert any("volume of the media" in note for note in found.notes)
    assert any("Actor1Name" in note and "private persons" in note for note in found.notes)


def test_gdelt_with_a_header_from_a_database(tmp_path):
    names = ["GLOBALEVENTID", "SQLDATE", *GDELT_2[2:]]
    row = {"GLOBALEVENTID": "1", "SQLDATE": "20180101", **gdelt()}
    found = read(tmp_path, text_of(names, [{name: row[name] for name in names if name in row}]))
    assert (found.source, list(found.events["row"])) == ("gdelt", [2])


def test_gdelt_in_a_zip_with_stray_quotation_marks_and_a_damaged_line(tmp_path):
    text = text_of(GDELT_2, [gdelt(1), gdelt(2)], "\t", header=False)
    text = "cut off\t20180101\n" + text.replace("Qom, Qom, Iran", '"Qom, Qom, Iran') + "\t".join(["9"] * 70) + "\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("20180101.export.CSV", text)
    found = read(tmp_path, packed.getvalue(), name="20180101.export.CSV.zip")
    assert list(found.events["row"]) == [2, 3]
    assert reasons(found) == {1: "EventRootCode is empty", 4: "has 70 cells where the header has 61"}


def test_a_zip_of_several_files_is_refused(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "date,city\n")
        archive.writestr("b.csv", "date,city\n")
    with pytest.raises(DataError, match="zip archive of several files"):
        read(tmp_path, packed.getvalue(), name="events.zip")


def test_gdelt_keeps_protest_and_reads_codes_as_text(tmp_path):
    roots = ["14", "014", "04", "4", "19", "", "---"]
    rows = [gdelt(i, EventRootCode=root) for i, root in enumerate(roots, 1)]
    found = read_gdelt(tmp_path, rows)
    assert list(found.events["row"]) == [1]
    assert reasons(found)[4] == 'EventRootCode "04" is not among those kept (14)'
    assert reasons(found)[6] == "EventRootCode is empty"
    assert list(read_gdelt(tmp_path, rows, {"keep": "04; 19"}).events["row"]) == [3, 4, 5]
    assert len(read_gdelt(tmp_path, rows, {"keep": "all"}).events) == 7


@pytest.mark.parametrize(
    ("fips", "country"),
    [
        ("IR", "Iran"), ("IS", "Israel"), ("GM", "Germany"), ("AU", "Austria"), ("AS", "Australia"), ("CH", "China"),
        ("SZ", "Switzerland"), ("UK", "United Kingdom"), ("SF", "South Africa"), ("RS", "Russia"), ("TU", "Turkiye"),
        ("UP", "Ukraine"), ("JA", "Japan"), ("SP", "Spain"), ("GZ", "Palestine"), ("WE", "Palestine"), ("RI", "Serbia"),
    ],
)  # fmt: skip
def test_gdelt_places_by_fips_codes(tmp_path, fips, country):
    (event,) = events_of(read_gdelt(tmp_path, [gdelt(ActionGeo_CountryCode=fips, ActionGeo_ADM1Code="")]))
    assert event["country"] == gazetteer.find_country(country).name


def test_fips_and_iso_codes_differ_but_mean_the_same_countries():
    known = {country.fips: country for country in map(gazetteer.country_by_fips, ("IR", "GM", "IC")) if country}
    assert {code: country.code for code, country in known.items()} == {"IR": "IR", "GM": "DE", "IC": "IS"}
    assert gazetteer.country_by_fips("OS") is None
    assert gazetteer.country_by_fips("") is None


def test_gdelt_centres_of_countries_and_provinces_are_no_cities(tmp_path):
    places = [
        ("1", "Iran", "IR", "IR"),
        ("2", "Iowa, United States", "US", "USIA"),
        ("3", "Des Moines, Iowa, United States", "US", "USIA"),
        ("4", "Jerusalem, Israel (general), Israel", "IS", "IS00"),
        ("5", "Esfahan, Iran", "IR", "IR28"),
        ("5", "Kerala, India", "IN", "IN13"),
        ("0", "", "", ""),
        ("4", "Somewhere, Open Sea", "OS", ""),
        ("1", "Open Sea", "OS", ""),
    ]
    rows = [
        gdelt(i, ActionGeo_Type=kind, ActionGeo_FullName=name, ActionGeo_CountryCode=code, ActionGeo_ADM1Code=adm1)
        for i, (kind, name, code, adm1) in enumerate(places, 1)
    ]
    found = read_gdelt(tmp_path, rows)
    got = [(e["scope"], e["place"], e["region"], e["country"], e["latitude"]) for e in events_of(found)]
    assert got == [
        ("national", "", "", "Iran", None),
        ("region", "", "Iowa", "United States", None),
        ("place", "Des Moines", "Iowa", "United States", 34.64),
        ("place", "Jerusalem", "", "Israel", 34.64),
        ("region", "", "Isfahan", "Iran", None),
        ("region", "", "Kerala", "India", None),
        ("place", "Somewhere", "", "", 34.64),
    ]
    assert events_of(found)[-1]["remark"] == '"OS" is no FIPS code of a country'
    assert reasons(found) == {
        7: 'ActionGeo_Type "0" is no place',
        9: '"Open Sea" (OS) is in no country that is known',
    }
    _, history, report = to_history(found, country="Iran", by="country")
    assert history["events"].sum() == 3  # two in Iran, and the one in no country
    assert not len(report)


def test_gdelt_events_told_again_are_listed(tmp_path):
    rows = [
        gdelt(1),
        gdelt(1, Day="20180105"),
        gdelt(3, SOURCEURL="https://example.org/1", EventCode="145"),
        gdelt(4, Actor1Code="A1"),
        gdelt(5, Actor1Code="A1", EventCode="143"),
        gdelt(6, SOURCEURL="BBC Monitoring"),
        gdelt(7, SOURCEURL="BBC Monitoring"),
        gdelt(8, SOURCEURL="https://example.org/1", EventRootCode="19"),
    ]
    found = read_gdelt(tmp_path, rows)
    assert list(found.events["row"]) == [1, 5, 6, 7]
    assert reasons(found) == {
        2: "tells event 1 again: the same GlobalEventID",
        3: "tells event 1 again: the same day, place and article",
        4: "tells event 1 again: the same day, place, code and actors",
        8: 'EventRootCode "19" is not among those kept (14)',
    }
    assert any("3 events repeat the place and the first day" in note for note in found.notes)


def test_gdelt_days_long_before_their_article_are_not_taken_for_exact(tmp_path):
    rows = [
        gdelt(1),
        gdelt(2, Day="20080102"),
        gdelt(3, Day="20170102"),
        gdelt(4, Day="20170103"),
        gdelt(5, DATEADDED=""),
    ]
    found = read_gdelt(tmp_path, rows)
    assert [event["precision"] for event in events_of(found)] == ["day", "longer", "longer", "day", "day"]
    assert events_of(found)[1]["remark"].startswith("Day lies 3,653 days before DATEADDED")
    setting, history, report = to_history(found)
    assert (setting.window.start, history["events"].sum()) == (date(2017, 1, 3), 3)
    assert [line["row"] for line in report.rows() if line["outcome"] == "left out"] == [2, 3]
    old = read_gdelt(tmp_path, [gdelt(2, Day="19790101")], names=GDELT_1[:-1])  # names no article
    assert list(old.events["precision"]) == ["day"]


# --- Crowd Counting Consortium -----------------------------------------------------------------


def ccc(**cells):
    return {
        "date": "2021-05-01", "locality": "Anniston", "state": "AL", "online": "0", "type": "march; rally",
        "valence": "1", "size_low": "100", "size_high": "200", "size_mean": "150", "size_text": "100-200",
        "arrests": "0", "arrests_any": "0", "lat": "33.65983", "lon": "-85.83163", "resolved_locality": "Anniston",
        "resolved_county": "Calhoun County", "resolved_state": "AL", "fips_code": "1015",
    } | cells  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_ccc_is_known_by_its_columns_with_either_delimiter(tmp_path, delimiter):
    more = [f"source_{i}" for i in range(4, 30)]
    found = read(
        tmp_path, text_of([*CCC, *more], [ccc(claims="a, b; c", notes='said "no"')], delimiter), name="ccc.tab"
    )
    (event,) = events_of(found)
    assert found.source == "ccc"
    assert (event["place"], event["region"], event["country"]) == ("Anniston", "Alabama", "United States")
    assert (event["size_low"], event["size_high"], event["size_text"]) == (100, 200, "100-200")
    assert (event["county"], event["fips"], event["latitude"]) == ("Calhoun County", "01015", 33.65983)
    assert any("title, actors, organizations, participants, claims, notes" in note for note in found.notes)
    assert set(to_history(found)[0].places.region) == {"Alabama"}
    assert to_history(found, by="region")[0].places.name == ("Alabama",)


def test_ccc_latin1_rows_in_utf8(tmp_path):
    header = ",".join(CCC) + "\n"
    row = text_of(CCC, [ccc(locality="Cañon City", state="CO", resolved_locality="", resolved_state="")], header=False)
    found = read(tmp_path, header.encode() + row.encode("latin-1") + row.encode())
    assert [event["place"] for event in events_of(found)] == ["Cañon City"] * 2
    assert any("1 lines are not UTF-8" in note for note in found.notes)


@pytest.mark.parametrize(
    ("low", "high", "text", "interval", "remark"),
    [
        ("100", "1,500", "100 to 1500", (100, 1500), ""),
        ("200", "200", "hundreds", (200, 200), ""),
        ("300", "200", "", (200, 300), "size_low is above size_high"),
        ("NA", "NA", "hundreds", (100, 999), ""),
        ("", "", "NA", (None, None), ""),
        ("", "", "a good crowd", (None, None), "size: no figure in the text"),
        ("0", "0", "", (None, None), '0 stands for "not known"'),
        ("0", "50", "", (None, 50), '0 stands for "not known"'),
        ("many", "50", "", (None, 50), 'size_low "many" is no number'),
    ],
)
def test_ccc_sizes_are_the_two_figures_else_the_words(tmp_path, low, high, text, interval, remark):
    (event,) = events_of(read(tmp_path, text_of(CCC, [ccc(size_low=low, size_high=high, size_text=text)])))
    assert (event["size_low"], event["size_high"]) == interval
    assert event["size_text"] == ("" if text == "NA" else text)
    assert event["remark"].startswith(remark)
    assert bool(event["remark"]) == bool(remark)


def test_ccc_words_by_a_named_rule(tmp_path):
    text = text_of(CCC, [ccc(size_low="", size_high="", size_text="hundreds")])
    assert events_of(read(tmp_path, text, rule="ccc"))[0]["size_low"] == 200
    assert events_of(read(tmp_path, text, rule="count_love"))[0]["size_low"] == 100


@pytest.mark.parametrize(
    ("arrests", "any_", "expected"),
    [
        ("more than 5", "1", (None, True)),
        ("unclear", "1", (None, True)),
        ("unclear", "", (None, None)),
        ("0", "0", (0, False)),
        ("12", "1", (12, True)),
        ("", "TRUE", (None, True)),
        ("", "", (None, None)),
    ],
)
def test_ccc_arrests_are_text(tmp_path, arrests, any_, expected):
    (event,) = events_of(read(tmp_path, text_of(CCC, [ccc(arrests=arrests, arrests_any=any_)])))
    assert (event["arrests"], event["arrests_any"]) == expected
    assert (event["arrests_text"] or "") == arrests


def test_ccc_online_events_and_types(tmp_path):
    rows = [ccc(online="1"), ccc(type="vigil"), ccc(type=""), ccc(date="unknown")]
    found = read(tmp_path, text_of(CCC, rows))
    assert list(found.events["row"]) == [3, 4]
    assert reasons(found)[2] == "it took place online"
    march = read(tmp_path, text_of(CCC, [*rows, ccc(type="march;direct action ")]), {"keep": "direct action; strike"})
    assert list(march.events["row"]) == [6]
    assert reasons(march)[3] == 'type "vigil" is not among those kept (direct action; strike)'


@pytest.mark.parametrize(
    ("cells", "expected", "remark"),
    [
        ({"locality": "Aniston"}, ("place", "Anniston", "Alabama", 33.65983, "01015"), ""),
        ({"resolved_state": "GA"}, ("place", "Anniston", "Alabama", None, None), "answered with a place in GA"),
        ({"locality": "(national)", "state": "NA", "resolved_state": "OK"}, ("national", "", "", None, None), ""),
        ({"locality": "", "resolved_locality": ""}, ("region", "", "Alabama", None, None), ""),
        ({"locality": "Anniston", "state": "NA"}, ("place", "Anniston", "Alabama", 33.65983, "01015"), ""),
        (
            {"locality": "Calhoun County", "resolved_locality": "NA"},
            ("place", "Calhoun County", "Alabama", None, "01015"),
            "the geocoder found no locality",
        ),
        ({"state": "Alabama", "lat": "NA", "lon": "NA"}, ("place", "Anniston", "Alabama", None, "01015"), ""),
        ({"fips_code": "48015.0"}, ("place", "Anniston", "Alabama", 33.65983, "48015"), ""),
        ({"fips_code": "NA"}, ("place", "Anniston", "Alabama", 33.65983, ""), ""),
        ({"state": "PR", "resolved_state": "PR"}, ("place", "Anniston", "", 33.65983, "01015"), ""),
        ({"state": "QQ", "resolved_state": ""}, ("place", "Anniston", "QQ", 33.65983, "01015"), '"QQ" is no state'),
        ({"state": "VIRTUAL"}, ("place", "Anniston", "Alabama", 33.65983, "01015"), '"VIRTUAL" is no state'),
    ],
)
def test_ccc_places_are_the_geocoders_where_it_kept_to_the_state(tmp_path, cells, expected, remark):
    (event,) = events_of(read(tmp_path, text_of(CCC, [ccc(**cells)])))
    assert (event["scope"], event["place"], event["region"], event["latitude"], event["fips"]) == expected
    assert remark in event["remark"]
    assert bool(event["remark"]) == bool(remark)
    assert event["country"] == ("Puerto Rico" if cells.get("state") == "PR" else "United States")


def test_ccc_lists_of_places_and_no_place_at_all(tmp_path):
    rows = [ccc(locality="Anniston; Mobile"), ccc(locality="NA", state="")]
    found = read(tmp_path, text_of(CCC, rows))
    first, second = events_of(found)
    assert (first["place"], second["place"], first["latitude"], second["fips"]) == ("Anniston", "Mobile", None, None)
    assert reasons(found) == {3: "no locality and no state"}


def test_ccc_knows_the_states_of_its_own_place_lookup(tmp_path, reference):
    with gzip.open(reference / "ccc_place_lookup/location_lookup.csv.gz") as file:
        lookup = list(csv.DictReader(io.StringIO(file.read().decode("cp1252", errors="replace"))))
    rows = [
        ccc(
            locality=place["CityTown"], state=place["StateTerritory"], lat=place["lat"], lon=place["lon"],
            resolved_locality=place["locality"], resolved_state=place["state"], resolved_county=place["county"],
        )
        for place in lookup
    ]  # fmt: skip
    found = read(tmp_path, text_of(CCC, rows))
    events = events_of(found)
    assert found.rows == 10_432
    remarks = [event["remark"] for event in events]
    states = gazetteer.regions("US")
    strayed = [
        place for place in lookup
        if place["StateTerritory"] in states and place["state"] not in ("NA", place["StateTerritory"])
    ]  # fmt: skip
    # and one in the Virgin Islands, whose coder meant Vermont
    assert sum("answered with a place in" in remark for remark in remarks) == len(strayed) + 1 == 209
    assert sum("is no state that is known" in remark for remark in remarks) == 3  # VIRTUAL, VM, and a Greek letter
    vague = [place for place in lookup if place["locality"] == "NA" != place["lat"] and place not in strayed]
    assert sum("found no locality" in remark for remark in remarks) == len(vague) == 687
    assert [event["latitude"] for event in events if event["place_text"] == "(national)"] == [None]


# --- Count Love --------------------------------------------------------------------------------


def love(**cells):
    return {
        "Date": "2017-01-21", "Location": "Anniston, AL", "Attendees": "100", "Tags": "Civil Rights; For equality",
        "Event (legacy; see tags)": "Civil Rights (A B's March)", "Curated": "Yes", "Source": "https://example.org",
        "Total Articles": "3",
    } | cells  # fmt: skip


def test_count_love_as_csv(tmp_path):
    rows = [love(), love(Location="A College, Anniston, AL", Attendees=""), love(Date="soon"), love(Attendees="0")]
    found = read(tmp_path, text_of(COUNT_LOVE, rows))
    events = events_of(found)
    assert found.source == "count_love"
    assert {(e["place"], e["region"], e["country"]) for e in events} == {("Anniston", "Alabama", "United States")}
    assert [event["size_low"] for event in events] == [100, None, None]
    assert events[1]["place_text"] == "A College, Anniston, AL"
    assert events[2]["remark"] == "0 attendees: an activity such as a banner drop"
    assert list(reasons(found)) == [4]
    assert any("private persons: Event (legacy; see tags)" in note for note in found.notes)
    assert "A B" not in found.events.to_csv()
    assert any('"count_love"' in note for note in found.notes)


@pytest.mark.parametrize(
    ("words", "wide", "ccc_rule", "own"),
    [
        ("hundreds", (100, 999), (200, 200), (100, 100)),
        ("thousands", (1000, 9999), (2000, 2000), (1000, 1000)),
        ("several hundred", (200, 999), (200, 999), (200, 200)),
        ("several dozen", (24, 99), (24, 99), (20, 20)),
        ("a dozen", (12, 12), (12, 12), (10, 10)),
        ("dozens", (12, 99), (12, 99), (20, 20)),
        ("40 to 60", (40, 60), (40, 60), (40, 40)),
    ],
)
def test_count_love_words_by_a_named_rule(tmp_path, words, wide, ccc_rule, own):
    for rule, interval in (("wide", wide), ("ccc", ccc_rule), ("count_love", own)):
        (event,) = events_of(read(tmp_path, text_of(COUNT_LOVE, [love(Attendees=words)]), rule=rule))
        assert (event["size_low"], event["size_high"], event["size_text"]) == (*interval, words)


@pytest.mark.parametrize(
    ("location", "scope", "place", "region", "country"),
    [
        ("Washington, DC", "place", "Washington", "District of Columbia", "United States"),
        ("Washington, D.C.", "place", "Washington", "District of Columbia", "United States"),
        ("San Juan, PR", "place", "San Juan", "", "Puerto Rico"),
        ("MD", "region", "", "Maryland", "United States"),
        ("Guam", "national", "", "", "Guam"),
        ("Nationwide", "national", "", "", ""),
        ("Toronto, ON", "place", "Toronto, ON", "", ""),
    ],
)
def test_count_love_locations(tmp_path, location, scope, place, region, country):
    (event,) = events_of(read(tmp_path, text_of(COUNT_LOVE, [love(Location=location)])))
    assert (event["scope"], event["place"], event["region"], event["country"]) == (scope, place, region, country)
    assert ("does not end in a state" in event["remark"]) == (country == "")


def test_count_love_without_a_location_and_by_tags(tmp_path):
    rows = [love(Location=""), love(), love(Tags="Immigration; For compassionate immigration")]
    assert reasons(read(tmp_path, text_of(COUNT_LOVE, rows))) == {2: "no location"}
    assert list(read(tmp_path, text_of(COUNT_LOVE, rows), {"keep": "Immigration"}).events["row"]) == [4]


def love_json(*events):
    return json.dumps({"tags": {"category": ["Civil Rights"]}, "articles": [{"article_id": 1}], "events": list(events)})


def love_event(number, **values):
    return {
        "event_id": number, "event_date": "2017-08-12", "event_location": "Baltimore, MD", "event_attendees": 40,
        "event_tags": "Civil Rights; For equality", "event_primary_url": "https://example.org",
        "articles": [{"article_id": 1, "future": False}, {"article_id": 2, "future": True}],
    } | values  # fmt: skip


@pytest.mark.parametrize("name", ["count_love.json", "count_love.dat"])
def test_count_love_as_json_has_one_event_for_many_articles(tmp_path, name):
    ahead = [{"article_id": 3, "future": True}]
    events = (
        love_event(7),
        love_event(8, event_attendees=None, articles=ahead),
        love_event(7),
        love_event(9, event_date=None),
        "x",
        love_event(10, articles=[1, 2]),
        love_event(11, articles=[]),
    )
    found = read(tmp_path, love_json(*events), name=name)
    first, second, *others = events_of(found)
    assert (found.source, found.rows, list(found.events["row"])) == ("count_love", 7, [1, 2, 6, 7])
    assert (first["id"], first["place"], first["region"], first["size_low"]) == ("7", "Baltimore", "Maryland", 40)
    assert (first["remark"], second["size_low"], *(event["remark"] for event in others)) == ("", None, "", "")
    assert second["remark"] == "only announced: no article tells of it as past"
    assert reasons(found) == {
        3: "event 7 stands in the file already",
        4: "the date is missing",
        5: "is no object with names and values",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "JSON without a table"),
        ('{"events": []}', "JSON without a table"),
        ("[1, 2]", "JSON without a table"),
        ('{"events": [{"a": 1}', "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('[{"what": 1}]', "no column is known as the event's date"),
    ],
)
def test_json_that_holds_no_table_is_refused(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, content, name="events.json")


def test_a_table_whose_first_name_is_in_brackets_is_no_json(tmp_path):
    assert read(tmp_path, "[x],date,city\n1,2018-01-01,Qom\n").rows_read == 1


# --- all of them --------------------------------------------------------------------------------

FILES = {
    "acled": text_of(ACLED, [acled(), acled(event_id_cnty="T2", event_type="Battles")]),
    "gdelt": text_of(GDELT_2, [gdelt(1), gdelt(2, EventRootCode="19")], "\t", header=False),
    "ccc": text_of(CCC, [ccc(), ccc(online="1")], "\t"),
    "count_love": text_of(COUNT_LOVE, [love(), love(Date="")]),
}


@pytest.mark.parametrize("source", FILES)
def test_check_convert_and_a_history_from_each_source(tmp_path, source):
    path = tmp_path / "events.csv"
    path.write_text(FILES[source])
    checked = CliRunner().invoke(app, ["check", str(path), "--json", "--out", str(tmp_path / "out")])
    assert checked.exit_code == 0
    told = json.loads(checked.stdout)
    assert (told["rows"], told["read"], told["left_out"]) == (2, 1, 1)
    assert told["left_out_rows"][0]["row"] == (2 if source == "gdelt" else 3)
    assert told["left_out_rows"][0]["reason"]
    assert CliRunner().invoke(app, ["check", str(path), "--source", source]).exit_code == 0
    out = tmp_path / "standard.csv"
    assert CliRunner().invoke(app, ["convert", str(path), "--out", str(out)]).exit_code == 0
    once, again = read_events(path), read_events(out)
    assert (once.source, again.source) == (source, "standard")
    for found in (once, again):
        assert to_history(found)[1]["events"].sum() == 1


def test_what_is_kept_can_be_named_on_the_command_line(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(FILES["acled"])
    result = CliRunner().invoke(app, ["check", str(path), "--map", "keep=Battles, Riots"])
    assert "1 left out" in result.stdout
    assert 'event_type "Protests" is not among those kept (Battles, Riots)' in result.stdout


@pytest.mark.parametrize("source", ["acled", "gdelt", "ccc", "count_love", "ucdp", "mass_mobilization", "standard"])
def test_a_source_that_the_columns_contradict_is_refused(source):
    frame = pandas.DataFrame({"date": ["2018-01-01"], "city": ["Qom"]})
    with pytest.raises(DataError, match="has not the columns of"):
        read_events(frame, source=source)


@pytest.mark.parametrize(
    ("names", "gone", "title"),
    [
        (ACLED, "event_type", "ACLED"),
        (ACLED_OLD, "EVENT_TYPE", "ACLED"),
        (ACLED, "location", "ACLED"),
        (list(GDELT_2), "EventRootCode", "GDELT"),
        (CCC, "size_text", "Crowd Counting Consortium"),
        (COUNT_LOVE, "Attendees", "Count Love"),
        (list(EVENT_COLUMNS), "remark", "a standard event table"),
        (_words("id country location protesterviolence participants start_date end_date"), "participants", "Mass Mob"),
        (_words("id country location protesterviolence participants start_date end_date"), "start_date", "Mass Mob"),
        (
            _words("id date_start date_end country latitude longitude best low high where_prec type_of_violence"),
            "where_prec",
            "UCDP",
        ),
    ],
)
def test_a_known_format_without_a_column_is_no_plain_table(tmp_path, names, gone, title):
    frame = pandas.DataFrame({name: ["2020-01-01"] for name in names if name != gone})
    with pytest.raises(DataError, match=rf"has columns of {title}.*it lacks [\w ]*{gone.lower()}") as told:
        read_events(frame)
    assert "--source table" in str(told.value)


def test_a_plain_table_can_be_asked_for_all_the_same(tmp_path):
    rows = [{key: value for key, value in acled().items() if key != "event_type"}]
    assert read_events(pandas.DataFrame(rows), source="table").source == "table"
    assert read_events(pandas.DataFrame(rows), {"start": "event_date"}).source == "table"
    path = tmp_path / "events.csv"
    pandas.DataFrame(rows).to_csv(path, index=False)
    out = ["--out", str(tmp_path / "out.csv")]
    refused = CliRunner().invoke(app, ["convert", str(path), *out])
    assert "it lacks event_type" in str(refused.exception)
    assert CliRunner().invoke(app, ["convert", str(path), *out, "--source", "table"]).exit_code == 0


def test_a_source_that_was_named_says_what_is_missing():
    with pytest.raises(DataError, match=r"has not the columns of ACLED.*: it lacks event_type, location"):
        read_events(pandas.DataFrame({"event_date": ["x"], "country": ["x"], "event_id_cnty": ["x"]}), source="acled")


def test_acled_without_positions_or_tags_is_still_acled(tmp_path):
    for gone in (["latitude"], ["latitude", "longitude", "tags"]):
        names = [name for name in ACLED if name not in gone]
        rows = [acled(event_id_cnty="T1"), acled(event_id_cnty="T2", event_type="Battles")]
        rows = [{name: row.get(name, "") for name in names} for row in rows]
        found = read(tmp_path, text_of(names, rows))
        assert (found.source, len(found.events), len(found.left_out)) == ("acled", 1, 1)
        assert events_of(found)[0]["remark"] == ""
        assert "without latitude and longitude, so places are found by their names" in found.notes
        setting, _, _ = to_history(found)
        assert setting.places.name == ("Qom",)


def test_acled_from_a_european_spreadsheet_keeps_its_positions(tmp_path):
    rows = [acled(latitude="34,64", longitude="50,88"), acled(event_id_cnty="T2", latitude="34,640", longitude="50")]
    found = read(tmp_path, text_of(ACLED, rows, delimiter=";"))
    assert [(event["latitude"], event["longitude"]) for event in events_of(found)] == [(34.64, 50.88), (34.64, 50)]
    assert "3 numbers have a decimal comma: 34,64 is read as 34.64" in found.notes


dirt = st.sampled_from(
    ["", "NA", "-1", ".", "0", "1", "2", "3", "4", "14", "19", "2018-01-01", "20180101", "16 May 2025", "03-04-2020",
     "Protests", "all", "national", "Qom; Arak", "Qom, Qom, Iran", "Boston, MA", "MA", "IR", "OS", "hundreds", "1e999",
     "crowd size=", "crowd size=>50", "35.7", "nan", "1700000000", "[]", '[{"future": 1}]', "[[1]]", '"', "é", "٣", "²"]
)  # fmt: skip
cell = dirt | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\t\r\n"), max_size=5)
VALID = {"acled": acled(), "gdelt": gdelt(), "ccc": ccc(), "count_love": love(), "count_love_json": love_event(1)}
NAMES = {
    "acled": ACLED, "gdelt": GDELT_2, "ccc": CCC, "count_love": COUNT_LOVE, "count_love_json": list(love_event(1)),
}  # fmt: skip


@st.composite
def tables(draw):
    """A source and rows with one of its valid cells after the other replaced by dirt."""
    source = draw(st.sampled_from(sorted(VALID)))
    changes = st.dictionaries(st.sampled_from(list(VALID[source])), cell, max_size=8)
    return source, [VALID[source] | change for change in draw(st.lists(changes, max_size=6))]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    tables(), st.sampled_from([None, {"keep": "all"}, {"keep": "19; Battles, vigil"}]), st.sampled_from(["wide", "ccc"])
)
def test_every_row_of_a_dirty_file_is_read_or_left_out(tmp_path_factory, table, mapping, rule):
    source, rows = table
    path = tmp_path_factory.getbasetemp() / "dirty.csv"
    delimiter = "\t" if source in ("gdelt", "ccc") else ","
    if source == "gdelt":  # no quotation marks, and half of the rows must look like it
        good = [gdelt(n) for n in range(6)]
        lines = ["\t".join(str(row.get(name, "")) for name in GDELT_2) for row in [*good, *rows]]
        text, first, count = "\n".join(lines) + "\n", 1, len(rows) + len(good)
    else:
        text, first, count = text_of(NAMES[source], rows, delimiter), 2, len(rows)
    path.write_bytes(text.encode())
    found = read_events(path, mapping, source.removesuffix("_json"), rule)
    assert found.rows == count
    assert sorted({*found.events["row"], *found.left_out["row"]}) == list(range(first, first + count))
    assert all(found.left_out["reason"])
    for event in events_of(found):
        assert (event["scope"] == "place") or (event["latitude"] is None and event["place"] == "")
        assert None in (event["size_low"], event["size_high"]) or event["size_low"] <= event["size_high"]
        assert event["precision"] in ("day", "week", "month", "longer")


@settings(max_examples=60, deadline=None)
@given(st.recursive(cell | st.none() | st.booleans() | st.floats() | st.integers(), lambda x: st.lists(x, max_size=3) |
       st.dictionaries(st.sampled_from(["event_id", "events", *love_event(1)]), x, max_size=7)))  # fmt: skip
def test_any_json_is_read_or_refused(tmp_path_factory, document):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(document))
    try:
        found = read_events(path)
    except DataError:
        return
    assert found.rows_read + len(found.left_out) == found.rows
