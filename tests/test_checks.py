"""A fit beside its own counts: the numbers by hand, models that are right and wrong, and the command."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_events import events_file

from groundswell.cli import main as cli
from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.evaluate.calibration import calibration_test, pit_histogram
from groundswell.evaluate.count_forecast import NegativeBinomial
from groundswell.infer.base import Fit, fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.cities.endemic_epidemic import EndemicEpidemic
from groundswell.models.library import load
from groundswell.params import names, vector
from groundswell.report.language import Speaker
from groundswell.report.words import in_words
from groundswell.rng import generator
from groundswell.studies import checks
from groundswell.studies.checks import Check, Window, check, unable

MODEL, SETTING = EndemicEpidemic.example()
HISTORY = MODEL.simulate(SETTING, rng=generator(4))


def at(model: Any) -> Fit:
    """A fit that says these very parameters."""
    values = vector(model)
    return Fit(model, None, names(model), values, np.ones_like(values), 0.0, "", True)


@pytest.fixture(scope="module")
def made() -> Check:
    return check(at(MODEL), [SETTING], [HISTORY])


def keys(found: Check) -> dict[str, str]:
    """The findings by their subject: {"memory": "more"}."""
    split = [f.key.removeprefix("check-").partition("-") for f in found.findings]
    return {subject: side for subject, _, side in split if subject in ("coverage", "test", "memory")}


def test_p_values_read_as_people_write_them(made: Check) -> None:
    assert [checks.p_value(p) for p in (0.3141, 0.001, 0.00099)] == ["= 0.31", "= 0.001", "< 0.001"]
    assert re.search(r"z = -?[\d.]+, p [=<] 0\.\d+\. ", " ".join(in_words(made.findings)))


def test_the_figures_are_those_of_the_exact_one_step_forecasts(made: Check) -> None:
    mean, counts = MODEL.intensity(SETTING, HISTORY)[:, 1:], HISTORY["events"][:, 1:]
    exact = NegativeBinomial(mean, MODEL.overdispersion.psi)
    assert made.cells == counts.size
    tables = made.tables()
    np.testing.assert_allclose(tables["check_pit"]["share"], pit_histogram(*exact.pit(counts)))
    assert made.tests[0] == calibration_test(exact, counts, "rps", "standardised")
    assert made.tests[-1].statistic == pytest.approx(calibration_test(exact, counts, "logs", "regression").statistic)
    row = list(tables["check_residuals"].rows())[3]
    assert (row["place"], row["date"]) == ("Hub", str(SETTING.window.dates()[4]))
    assert row["pearson"] == pytest.approx((counts[0, 3] - mean[0, 3]) / np.sqrt(exact.variance[0, 3]))
    e = (counts - mean) / np.sqrt(exact.variance)
    e -= e.mean()
    lag = list(made.autocorrelation.rows())[1]
    assert lag["correlation"] == pytest.approx((e[:, 2:] * e[:, :-2]).mean() / e.var())
    assert lag["within"] == pytest.approx(1.96 / np.sqrt(5 * 117))
    near = next(row for row in tables["check_places"].rows() if row["place"] == "Near")
    assert (near["events"], near["expected"]) == (counts[1].sum(), pytest.approx(mean[1].sum()))


@pytest.mark.parametrize("name", ["endemic_epidemic", "riot_wave", "regimes", "mobilisation"])
def test_the_distributions_are_those_of_the_density(name: str) -> None:
    model, setting = load(name).example()
    if name == "mobilisation":
        model = dataclasses.replace(model, organised=None, groups=None, deterrence=None, backlash=None)
    drawn = model.simulate(setting, rng=generator(2))
    history = History(setting.places, setting.window, {"events": drawn["events"]})
    window = Window.of(model, setting, history)
    forecast, counts = window.part(np.arange(setting.window.periods))
    terms = model.pointwise(setting, history)[window.known]
    np.testing.assert_allclose(-forecast.scores(counts, ("logs",))["logs"], terms, rtol=1e-9, atol=1e-9)


def test_a_right_model_passes_and_wrong_ones_are_told(made: Check) -> None:
    assert keys(made) == {"coverage": "right", "test": "right", "memory": "right"}
    narrow = check(at(dataclasses.replace(MODEL, overdispersion=None)), [SETTING], [HISTORY])
    assert (keys(narrow)["coverage"], keys(narrow)["test"]) == ("narrow", "more")
    wide = check(at(MODEL.replacing({"overdispersion.psi": 4.0})), [SETTING], [HISTORY])
    assert keys(wide)["test"] == "less"
    still = dataclasses.replace(MODEL, within=None, between=None)
    forgetful = fit(still, SETTING, HISTORY, MaximumLikelihood(), rng=generator(1))
    assert keys(check(forgetful, [SETTING], [HISTORY]))["memory"] == "more"


def test_windows_are_taken_together(made: Check) -> None:
    twice = check(at(MODEL), [SETTING, SETTING], [HISTORY, HISTORY])
    assert twice.cells == 2 * made.cells
    assert twice.autocorrelation["correlation"] == pytest.approx(made.autocorrelation["correlation"])
    np.testing.assert_allclose(twice.tables()["check_pit"]["share"], made.tables()["check_pit"]["share"])


def test_what_is_not_weighed_is_not_checked(made: Check) -> None:
    left = np.zeros(SETTING.shape, dtype=bool)
    left[0] = True
    assert check(at(MODEL), [SETTING], [HISTORY.leaving_out(left)]).cells == made.cells - 119


def test_every_sentence_is_in_the_catalogue() -> None:
    text = Path(str(checks.__file__)).read_text(encoding="utf-8")
    found = {key for key in re.findall(r'"(check-[a-z-]+)"', text) if key[-1] != "-"}
    for subject, sides in (
        ("coverage", ("narrow", "right", "wide", "unsure")),
        ("test", ("right", "more", "less")),
        ("memory", ("right", "more", "less")),
    ):
        found |= {f"check-{subject}-{side}" for side in sides}
    assert len(found) == 14
    assert found <= set(Speaker().keys())


def test_models_without_such_distributions_are_refused() -> None:
    for name in ("self_exciting", "civil_violence", "mobilisation"):
        assert "Leave the check out" in unable(load(name).example()[0])


def test_few_steps_are_told_and_none_is_an_error() -> None:
    short = Setting(SETTING.places, dataclasses.replace(SETTING.window, periods=4), SETTING.network)
    found = check(at(MODEL), [short], [HISTORY.during(4)])
    assert keys(found)["coverage"] == "unsure"
    assert all(in_words(found.findings))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events, out = events_file(tmp_path / "events.csv", 60), tmp_path / "out"
    arguments = ["fit", "endemic-epidemic", str(events), "--check", "--out", str(out)]
    assert cli.main(arguments) == 0
    text = capsys.readouterr().out
    assert "what is found wrong is wrong" in text
    assert "Calibration test" in text
    result = json.loads((out / "result.json").read_text())["check"]
    with (out / "check_residuals.csv").open() as file:
        assert len(list(csv.DictReader(file))) == result["cells"] == 4 * 59
    assert len(result["tests"]) == 6
    for name in ("pit", "autocorrelation"):
        assert (out / f"check_{name}.svg").read_text().startswith("<svg")
    assert cli.main(["fit", "--config", str(out / "configuration.toml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["check"]["words"] == result["words"]
    assert cli.main(["fit", "self-exciting", str(events), "--check"]) == 2
    assert "--check: the check needs" in capsys.readouterr().err


def test_the_command_with_draws_adds_psis_loo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("nutpie")
    events, out = events_file(tmp_path / "events.csv", 40), tmp_path / "out"
    arguments = ["fit", "endemic-epidemic", str(events), "--without", "between", "--method", "posterior", "--draws",
                 "60", "--tune", "150", "--chains", "2", "--processes", "1", "--check", "--out", str(out)]  # fmt: skip
    assert cli.main(arguments) in (0, 4)
    assert "PSIS-LOO" in capsys.readouterr().out
    with (out / "check_loo.csv").open() as file:
        rows = list(csv.DictReader(file))
    loo = json.loads((out / "result.json").read_text())["check"]["loo"]
    assert loo["elpd"] == pytest.approx(sum(float(row["log density"]) for row in rows))
    assert len(rows) == 4 * 39
