"""`fit` of agents to the totals that `simulate` writes: there and back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from groundswell.cli import main as cli
from groundswell.infer.abc_smc import ABC
from groundswell.infer.base import fit
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.params import Prior, leaves
from groundswell.rng import generator

Go = Callable[[str], tuple[int, dict[str, Any], str]]

SMALL = "--set rows=20 --set columns=20 --set vision_cells=3"
LEARNT = "--method abc --prior legitimacy=0.7,0.8 --fix-rest --simulations 1000 --processes 1"


@pytest.fixture
def go(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Go:
    monkeypatch.chdir(tmp_path)

    def run_it(line: str) -> tuple[int, dict[str, Any], str]:
        code = cli.main([*shlex.split(line), "--json"])
        captured = capsys.readouterr()
        return code, json.loads(captured.out), captured.err

    return run_it


def test_what_simulate_writes_is_fitted_and_the_truth_lies_inside(go: Go) -> None:
    made = f"simulate civil-violence {SMALL} --set legitimacy=0.75 --days 30 --seed 11 --record totals --out run"
    assert go(made)[0] == 0
    code, found, told = go(f"fit civil-violence run/history.csv {SMALL} {LEARNT} --out fit")
    assert code in (0, 4)  # few simulations are worth few draws
    rows = {row["parameter"]: row for row in found["parameters"]}
    assert rows["legitimacy"]["low 90 %"] < 0.75 < rows["legitimacy"]["high 90 %"]
    assert rows["legitimacy"]["high 90 %"] - rows["legitimacy"]["low 90 %"] < 0.2, "narrower than before: .37 to .90"
    assert rows["max_jail_term"]["standard error"] == 0
    assert "30 steps of active, jailed, arrests; not used: quiet" in told
    assert "Held where the model has them, without a prior: citizen_density 0.7" in told
    assert found["totals"].keys() == {"active", "jailed", "arrests"}
    assert {"draws.parquet", "posterior.svg", "parameters.csv", "result.json"} <= {
        f.name for f in Path("fit").iterdir()
    }
    again = go("fit --config fit/configuration.toml")[1]
    assert again["parameters"] == found["parameters"]
    recorded = go(f"fit civil-violence run/record.parquet {SMALL} {LEARNT}")[1]
    assert recorded["parameters"] == found["parameters"]


def test_a_likelihood_of_totals_is_fitted_too(go: Go) -> None:
    assert go("simulate thresholds --days 6 --seed 3 --out run")[0] == 0
    code, found, _ = go("fit thresholds run/history.csv --set distribution.mean=20 --fix distribution.sd=13")
    assert code == 0
    row = {row["parameter"]: row for row in found["parameters"]}["distribution.mean"]
    assert row["low 90 %"] < 25 < row["high 90 %"]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("run.csv --method abc --prior legitimacy=0.7,0.8", 2, "--fix-rest for the others"),
        ("run.csv --method abc --prior legitimacy=0.7", 2, "write median and sd as legitimacy=0.8,0.5"),
        ("run.csv --method abc --prior legitimcy=0.7,0.8 --fix-rest", 2, 'Nearest name: "legitimacy"'),
        ("run.csv --method abc --prior legitimacy=0.7,0.8 --fix-rest --country Iran", 2, "--country can be meant"),
        ("run.csv --method abc --fix-rest", 2, "nothing to learn"),
        ("run.csv --fix-rest", 2, "SyntheticLikelihood or ABC"),
        ("run.csv --method abc --summary total_active --fix-rest", 2, "no function"),
        ("later.csv --method abc --prior legitimacy=0.7,0.8 --fix-rest", 3, "expected step 1"),
        ("events.csv --method abc --prior legitimacy=0.7,0.8 --fix-rest", 3, "history.csv"),
    ],
)
def test_what_cannot_be_fitted_is_said(line: str, code: int, words: str, go: Go) -> None:
    Path("run.csv").write_text("step,active,jailed,arrests\n1,2,0,0\n2,5,1,1\n3,6,1,0\n", encoding="utf-8")
    Path("later.csv").write_text("step,active,jailed,arrests\n9,2,0,0\n10,5,1,1\n", encoding="utf-8")
    Path("events.csv").write_text("date,place\n2018-01-01,Tehran\n", encoding="utf-8")
    found, result, _ = go(f"fit civil-violence {line}")
    assert found == code
    assert words in result["error"]


@pytest.mark.slow
def test_intervals_of_legitimacy_and_terms_hold_what_they_promise() -> None:
    """Truths drawn from the priors, histories from them: ranks among the draws are uniform."""
    priors = {"legitimacy": Prior(0.7, 0.5), "max_jail_term": Prior(20.0, 0.5)}
    small = CivilViolence.netlogo(rows=20, columns=20, vision_cells=3.0)
    setting = CivilViolence.example()[1].during(30)
    known = {leaf.name: leaf for leaf in leaves(small)}
    held = {name: leaf.value for name, leaf in known.items() if name not in priors}
    method = ABC(priors=priors, simulations=800, round=400, effective=80, checks=0)
    ranks = []
    for seed in range(40):
        rng = generator(seed)
        truth = {}
        for name, prior in priors.items():
            leaf = known[name]
            truth[name] = leaf.from_free(leaf.to_free(prior.median) + prior.sd * rng.standard_normal())
        history = small.replacing(truth).simulate(setting, rng=rng)
        found = fit(small, setting, history, method, rng=rng, fixed=held)
        assert found.draws is not None
        at = [found.names.index(name) for name in truth]
        ranks.append((found.draws[:, at] < list(truth.values())).mean(axis=0))
    for column in np.array(ranks).T:
        assert stats.kstest(column, "uniform").pvalue > 0.005
