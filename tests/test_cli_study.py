"""`groundswell study` and `groundswell report`, as a user meets them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from groundswell.cli.main import main


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    assert main(["study", "new", str(folder / "case")]) == 0
    code = main(["study", "run", str(folder / "case"), "--out", str(folder / "out"), "--effective", "10",
                 "--processes", "1", "--seed", "2"])  # fmt: skip
    assert code == 4, "a run that ends at 10 effective draws is below 200: the run must be flagged"
    return folder


def test_a_flagged_run_still_writes_a_whole_report_that_says_so(ran):
    page = (ran / "out/report.html").read_text(encoding="utf-8")
    assert "below its own limits" in page
    assert "effective draws" in page
    assert page.count("<figure") >= 6
    assert {"result.json", "run.json", "configuration.toml", "report.html"} <= {p.name for p in (ran / "out").iterdir()}


def test_the_report_names_every_claim_speaker_and_outlet_and_needs_no_network(ran):
    page = (ran / "out/report.html").read_text(encoding="utf-8")
    for words in ("ministry of the interior", "State radio", "Campaign page", "c1", "c2", "c3", "c4"):
        assert words in page
    assert not re.findall(r"""(?:src|href)=["']https?:""", page)
    assert "<script" not in page


def test_what_was_not_run_says_how_to_run_it(ran):
    page = (ran / "out/report.html").read_text(encoding="utf-8")
    for flag in ("--anchors", "--full"):
        assert re.search(rf"groundswell study run \S+ {flag}", page), flag


def test_the_report_can_be_written_again_to_the_same_bytes(ran):
    page = ran / "out/report.html"
    before = page.read_bytes()
    assert main(["report", str(ran / "out")]) == 0
    assert page.read_bytes() == before


def test_json_is_one_object_also_when_flagged(ran, tmp_path, capsys):
    code = main(["study", "run", str(ran / "case"), "--out", str(tmp_path / "out"), "--effective", "10",
                 "--processes", "1", "--json"])  # fmt: skip
    assert code == 4
    assert not json.loads(capsys.readouterr().out)["quality"]["passed"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["study", "run", "nowhere"], 3, "study.toml"),
        (["study", "run", "iran-2017", "--anchor", "nobody"], 2, "anchor"),
        (["report", "."], 3, "result.json"),
        (["study", "run", "iran-2017", "--out", "/proc/nowhere"], 1, "cannot be written"),
    ],
)
def test_errors_have_their_exit_code_and_no_traceback(arguments, code, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_ctrl_c_leaves_nothing_half_written(ran, tmp_path, monkeypatch, capsys):
    from groundswell.studies import conditioning

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(conditioning, "fit", interrupted)
    assert main(["study", "run", str(ran / "case"), "--out", str(tmp_path / "out"), "--processes", "1"]) == 130
    assert not list((tmp_path / "out").rglob("*.*"))
    assert "Traceback" not in capsys.readouterr().err


def test_the_configuration_of_a_run_repeats_it(ran):
    again = ran / "again"
    code = main(
        ["study", "run", "--config", str(ran / "out/configuration.toml"), "--out", str(again), "--processes", "1"]
    )
    assert code == 4
    assert (again / "result.json").read_bytes() == (ran / "out/result.json").read_bytes()


@pytest.mark.parametrize(("text", "words"), [("{}", "not the result of a study"), ("[1]", "not the result of a study")])
def test_a_report_of_something_else_is_refused(tmp_path, capsys, text, words):
    (tmp_path / "result.json").write_text(text)
    assert main(["report", str(tmp_path)]) == 3
    assert words in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize("key", ["form", "version"])
def test_a_result_of_another_form_is_refused_in_words(ran, tmp_path, capsys, key):
    """Readers of today would miss something in it."""
    result = json.loads((ran / "out/result.json").read_text(encoding="utf-8"))
    del result[key]
    (tmp_path / "result.json").write_text(json.dumps(result))
    assert main(["report", str(tmp_path)]) == 3
    said = capsys.readouterr().err
    assert "Run the study again" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_an_approximate_run_says_in_its_report_that_it_is_one(ran, tmp_path):
    arguments = ["study", "run", str(ran / "case"), "--approximate", "--out", str(tmp_path / "out"), "--processes", "1"]
    assert main(arguments) == 0
    assert "approximate: a normal" in (tmp_path / "out/report.html").read_text(encoding="utf-8")
