import csv
import io
from datetime import date

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.data.check import check
from groundswell.data.claims_table import check_claims, read_claims
from groundswell.data.quantities import QUANTITIES
from groundswell.data.readers.raw import EMPTY, read_raw
from groundswell.data.record import COLUMNS, QUALIFIERS, is_claims_table
from groundswell.errors import DataError

GOOD = {
    "id": "s01", "quantity": "arrests", "place": "Hub", "start": "2018-01-01", "end": "2018-01-07",
    "qualifier": "at_least", "value": "1200", "value_high": "", "unit": "persons", "stance": "state",
    "speaker": "an office", "origin": "count-1", "outlet": "an agency", "stated_on": "2018-01-08", "document": "d",
}  # fmt: skip


def table(tmp_path, *rows, columns=COLUMNS):
    path = tmp_path / "claims.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**GOOD, "id": f"s{i:02}", **row} for i, row in enumerate(rows, 1))
    return path


def test_a_good_row_becomes_a_claim(tmp_path):
    record = read_claims(table(tmp_path, {}, {"value": "1,300"}))
    assert [claim.value for claim in record] == [1200, 1300]
    assert record["s01"].words() == "at least 1,200 persons"
    assert record["s01"].stated_on.isoformat() == "2018-01-08"


@pytest.mark.parametrize("typed", [False, True])
def test_a_parquet_file_holds_the_same_claims(tmp_path, typed):
    """As text, and with numbers and dates as such and missing cells empty."""
    written = table(tmp_path, {}, {"qualifier": "between", "value": "40", "value_high": "60", "stated_on": ""})
    with written.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if typed:
        for row in rows:
            row |= {name: float(row[name]) if row[name] else None for name in ("value", "value_high")}
            row |= {
                name: date.fromisoformat(row[name]) if row[name] else None for name in ("start", "end", "stated_on")
            }
    path = tmp_path / "claims.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    assert read_claims(path).claims == read_claims(written).claims


def test_optional_columns_may_be_absent(tmp_path):
    columns = ["id", "quantity", "place", "start", "end", "qualifier", "value", "stance", "speaker"]
    claim = read_claims(table(tmp_path, {}, columns=columns))["s01"]
    assert (claim.origin, claim.unit, claim.outlet, claim.stated_on) == ("s01", "persons", "", None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speaker": " "}, r'claims.csv row 3, column speaker: arrests 1200 has no speaker. Every .* write "unknown"'),
        ({"quantity": "arests"}, r'row 3, column quantity: .*Nearest name: "arrests"'),
        ({"start": "2018-01-09"}, r"row 3, column end: the window ends 2018-01-07 before it starts 2018-01-09. Swap"),
        ({"start": "last week"}, r'row 3, column start: "last week" is no date'),
        ({"value": "hundreds"}, r'row 3, column value: value "hundreds" is no number'),
        ({"value": ""}, r"row 3, column value: the claim has no value"),
        ({"value": "-4"}, r"row 3, column value: value -4.0 is no finite number of 0 or more. A count has no sign"),
        ({"value": "1e999"}, r"row 3, column value: value inf is no finite number"),
        ({"qualifier": "at_leest"}, r'row 3, column qualifier: .*Nearest name: "at_least"'),
        ({"qualifier": "between"}, r'row 3: "between" needs value and value_high'),
        ({"stance": ""}, r"row 3, column stance: the claim has no stance"),
        ({"place": "Hubb"}, r'row 3, column place: place "Hubb" is no place.*Nearest name: "Hub"'),
        ({"place": ""}, r"row 3, column place: the claim has no place"),
        ({"id": "s01"}, r'row 3, column id: id "s01" stands in row 2 already'),
    ],
)
def test_each_problem_is_told_with_row_column_and_remedy(tmp_path, lopsided, change, message):
    with pytest.raises(DataError, match=message):
        read_claims(table(tmp_path, {}, change), lopsided)


def test_a_region_or_a_country_is_a_place(tmp_path, lopsided):
    assert len(read_claims(table(tmp_path, {"place": "Centre"}, {"place": "Testland"}), lopsided)) == 2


def test_all_problems_come_at_once(tmp_path):
    path = table(tmp_path, {"speaker": "", "value": "x"}, {}, {"stance": ""})
    with pytest.raises(DataError) as caught:
        read_claims(path)
    assert str(caught.value).count("claims.csv row") == 3
    checked = check_claims(read_raw(path))
    assert list(checked.problems["row"]) == [2, 2, 4]
    assert [claim.id for claim in checked.claims] == ["s02"]


def test_a_missing_column_and_an_empty_table(tmp_path):
    with pytest.raises(DataError, match=r'has no column "speaker".*claims table has the columns'):
        read_claims(table(tmp_path, {}, columns=[c for c in COLUMNS if c != "speaker"]))
    with pytest.raises(DataError, match="has a header but no claim"):
        read_claims(table(tmp_path))


def test_what_a_reader_should_know_although_the_claims_stand(tmp_path):
    rows = [{}, {}, {"unit": "cities"}, {"quantity": "deaths"}, {"stated_on": "2017-12-01"}, {"outlet": ""}]
    notes = "\n".join(check_claims(read_raw(table(tmp_path, *rows))).notes)
    assert "repeat one figure of origin" in notes
    assert 's03: unit "cities", while arrests counts persons' in notes
    assert "s04: no model here speaks of deaths" in notes
    assert "s05: stated on 2017-12-01, before its window" in notes
    assert "no outlet is given for s06" in notes


def test_the_statements_on_iran_are_read(reference):
    record = read_claims(reference / "iran2017/statements.csv")
    assert record["s01"].value == 32
    assert record.stances() == ("opposition", "state", "third_party")
    with (reference / "iran2017/statements.csv").open(encoding="utf-8", newline="") as file:
        assert len(record) == len(list(csv.DictReader(file)))


def test_a_claims_table_is_told_from_events():
    assert is_claims_table(COLUMNS)
    assert not is_claims_table(["date", "city", "participants"])
    assert not is_claims_table(["date", "city", "quantity", "value"])


def test_a_claims_table_without_speakers_is_no_table_of_events(tmp_path):
    path = tmp_path / "claims.csv"
    path.write_text("id,quantity,place,start,end,qualifier,value,stance\n1,arrests,A,2018-01-01,2018-01-01,about,5,s\n")
    with pytest.raises(DataError, match='no column "speaker"'):
        check(path)


def test_empty_rows_are_left_out_and_do_not_refuse_the_table(tmp_path):
    path = tmp_path / "claims.csv"
    path.write_text(
        "id,quantity,place,start,end,qualifier,value,stance,speaker\n"
        "1,arrests,A,2018-01-01,2018-01-01,about,5,s,someone\n,,,,,,,,\n"
    )
    found = check(path)
    assert (found.rows, found.read, found.rows_left_out, found.usable) == (2, 1, 1, True)
    assert next(iter(found.left_out.rows()))["reason"] == EMPTY
    assert len(read_claims(path)) == 1


cell = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["", "12", "2018-01-01", "-1", "nan", *QUALIFIERS, *QUANTITIES, "s01", ";"]
)


@settings(deadline=None)
@given(st.lists(st.lists(cell, min_size=len(COLUMNS), max_size=len(COLUMNS)), max_size=5))
def test_any_table_is_read_or_refused_row_by_row(tmp_path_factory, rows):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(out.getvalue(), encoding="utf-8", errors="replace", newline="")
    checked = check_claims(read_raw(path))
    assert len(checked.claims) + len(set(checked.problems["row"])) == checked.rows == len(rows)
