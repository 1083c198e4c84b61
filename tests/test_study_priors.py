"""Priors of a study's own: every reader of an account's priors sees them, and what is wrong is said."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from groundswell.errors import ParameterError, UsageError
from groundswell.infer.base import Method, fit
from groundswell.infer.relaxation import Relaxation
from groundswell.infer.tempered import TemperedSMC
from groundswell.models.base import Account
from groundswell.models.cities.mechanisms import Crowds
from groundswell.models.cities.mobilisation import Mobilisation
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.integration import Integration, integrable
from groundswell.models.reporting.predictive import prior_predictive
from groundswell.params import Component, Effects, Leaf, Prior, leaves, param
from groundswell.report.claims_rests_on import judgements
from groundswell.report.language import Speaker
from groundswell.rng import generator, keyed
from groundswell.studies import designs, power
from groundswell.studies.case import Built, Case
from groundswell.studies.conditioning import Size
from groundswell.studies.joining import joining
from groundswell.studies.judgements import parameter_moves, reporting_moves
from groundswell.studies.new import new_study
from groundswell.studies.replay import prior_histories
from groundswell.studies.run import Effort, run_study

MOVED = {"process.crowds.median": Prior(5_000.0, 0.5), "reporting.bias.state": Prior(-0.4, 0.2)}

STATED = """
[priors]
process.crowds.median = { median = 5000, sd = 0.5 }
"reporting.bias.state" = { median = -0.4, sd = 0.2 }
"""

SMALL = Size(draws=24, effective=15, most=120, round=40, histories=4, prior_draws=20, joining_draws=20)


def stating(folder: Path, stated: str) -> Case:
    """The starter study with more in its study.toml."""
    if not folder.exists():
        new_study(folder)
    study = folder / "study.toml"
    study.write_text(study.read_text() + stated)
    return Case.read(study)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("priors") / "case"
    stating(where, STATED)
    return where


@pytest.fixture(scope="module")
def built(folder: Path) -> Built:
    return Case.read(folder / "study.toml").build(folder)


def priors_of(component: Component) -> dict[str, Prior | None]:
    return {leaf.name: leaf.prior for leaf in leaves(component)}


def leaf_of(component: Component, name: str) -> Leaf:
    return next(leaf for leaf in leaves(component) if leaf.name == name)


# in Python


def test_an_account_under_other_priors_shows_them_wherever_its_leaves_are_read(built: Built) -> None:
    plain = Account(Mobilisation(), Reporting.for_record(built.claims.weighed, "third_party"))
    moved = plain.under(MOVED)
    assert priors_of(moved) == priors_of(plain) | MOVED
    assert leaf_of(moved, "process.crowds.median").value == 5_000, "parameters stand at their priors' medians"
    assert priors_of(moved.reporting)["bias.state"] == MOVED["reporting.bias.state"]
    assert priors_of(moved.as_declared()) == priors_of(plain)
    assert moved != plain
    assert moved == plain.under(dict(reversed(MOVED.items())))
    assert hash(moved) == hash(plain.under(MOVED))
    assert priors_of(pickle.loads(pickle.dumps(moved))) == priors_of(moved)
    again = moved.under({"process.crowds.median": Prior(9.0, 0.1)})
    assert priors_of(again) == priors_of(moved) | {"process.crowds.median": Prior(9.0, 0.1)}


def test_priors_stay_when_parameters_change_and_parts_are_left_out(built: Built) -> None:
    moved = built.account
    changed = moved.replacing({"process.crowds.median": 70.0, "reporting.bias.state": 0.1})
    assert priors_of(changed) == priors_of(moved)
    assert isinstance(moved.process, Mobilisation)
    fewer = replace(moved, process=replace(moved.process, media=None))
    assert priors_of(fewer).items() <= priors_of(moved).items()
    assert priors_of(replace(moved, reporting=replace(moved.reporting, vague=0.4))) == priors_of(moved)


@dataclass(frozen=True)
class LargeCrowds(Crowds):
    """Crowds whose prior is declared as `MOVED` states it."""

    median: float = param("persons/event", low=0, prior=MOVED["process.crowds.median"], doc="median participants")


@dataclass(frozen=True)
class LeaningState(Reporting):
    """Reporting in which every lean is declared as `MOVED` states that of the state."""

    bias: Effects = param("log", prior=MOVED["reporting.bias.state"], default=Effects(), doc="lean of a stance")


def declaring(built: Built) -> Account:
    """The same account by other declarations, without a word of priors in it."""
    reporting = Reporting.for_record(built.claims.weighed, "third_party")
    fields = {name: getattr(reporting, name) for name in ("bias_by_kind", "speaker", "spread", "anchor")}
    return Account(
        Mobilisation(crowds=LargeCrowds()),
        LeaningState(bias=Effects(opposition=-0.4, state=-0.4), **fields),
    )


@pytest.mark.parametrize(
    "method",
    [TemperedSMC(24, 15, 120, round=40), Relaxation(particles=24, histories=20, rounds=1)],
    ids=lambda method: type(method).__name__,
)
def test_a_posterior_under_stated_priors_is_that_under_declared_ones(built: Built, method: Method) -> None:
    """To the bit: the same model with the priors in its declarations."""
    both: dict[str, Prior] = dict.fromkeys(
        ("reporting.bias.state", "reporting.bias.opposition"), MOVED["reporting.bias.state"]
    )
    stated = built.account.under(both)
    declared = declaring(built)
    assert priors_of(stated) == priors_of(declared)
    found, expected = (
        fit(account, built.setting, built.claims.weighed, method, rng=generator(3)) for account in (stated, declared)
    )
    assert found.draws is not None
    assert (found.draws == expected.draws).all()
    assert found.log_density == expected.log_density


def test_effects_are_integrated_about_the_stated_prior(built: Built) -> None:
    reporting, record = built.account.reporting, built.claims.weighed
    made = Integration(reporting.prepare(record), reporting, integrable(reporting))
    at = made.names.index("bias.state")
    assert (made.center[at], made.sd[at]) == (-0.4, 0.2)


def test_a_parameter_declared_without_a_prior_is_learnt_under_a_stated_one(built: Built) -> None:
    name = "process.groups.contact"
    assert leaf_of(built.account, name).prior is None
    assert leaf_of(built.account.under({name: Prior(2.0, 0.3)}), name).center == np.log(2.0)


@pytest.mark.parametrize(
    ("name", "prior", "words"),
    [
        ("process.crowd.median", Prior(5.0, 1.0), r"which is no parameter here\..*process.crowds.median"),
        ("reporting.vague", Prior(0.5, 1.0), r"is no parameter here: it is 0.2, a setting of the model without a free"),
        ("process.crowds", Prior(0.5, 1.0), r"is no parameter here: it is a Crowds"),
        ("process.crowds.median", Prior(-5.0, 1.0), r"has the median -5; expected a value inside \(0, inf\) persons"),
        ("process.crowds.median", Prior(0.0, 1.0), r"has the median 0; .* and not on its ends"),
        ("process.call.memory", Prior(1.0, 1.0), r"has the median 1; .*\(0, 1\)"),
        ("process.crowds.median", Prior(5.0, 0.0), r"has the sd 0; expected a number above 0.* To hold it .* fix it"),
        ("process.crowds.median", Prior(5.0, float("nan")), r"has the sd nan"),
    ],
)  # fmt: skip
def test_a_prior_that_is_none_is_refused(built: Built, name: str, prior: Prior, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        built.account.under({name: prior})


# in study.toml


def test_a_study_states_priors_by_tables_or_by_dotted_names(built: Built) -> None:
    python = Account(Mobilisation(), Reporting.for_record(built.claims.weighed, "third_party")).under(MOVED)
    assert built.account == python
    assert built.held == {}


@pytest.mark.parametrize(
    ("stated", "kind", "words"),
    [
        ("process.crowds.median = 5000", UsageError, r"priors.process.crowds.median: a prior is \{ median = "),
        ("process.crowds.median = { median = 5000 }", UsageError, r"median.median: a prior is \{.*under \[fixed\]"),
        ("process.crowds.median = { middle = 5000, sd = 1 }", UsageError, r"no setting here. Here are: median, sd"),
        ("process.crowds.median = { median = 0, sd = 1 }", ParameterError, r"not on its ends"),
        ("process.crowds.medan = { median = 10, sd = 1 }", ParameterError, r"process.crowds.median"),
        ("process.crowds.median = { median = 10, sd = 1 }\n[fixed]\nprocess.crowds.median = 10", UsageError,
         r"process.crowds.median is held at a value under \[fixed\] and given a prior under \[priors\]: delete one"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_priors_is_said(tmp_path: Path, stated: str, kind: type, words: str) -> None:
    with pytest.raises(kind, match=words):
        stating(tmp_path / "case", f"\n[priors]\n{stated}\n").build(tmp_path / "case")


def test_priors_of_what_is_left_out_or_does_not_lean_are_of_no_use_and_it_is_said(folder: Path) -> None:
    case = Case.read(folder / "study.toml")
    assert not [note for note in case.build(folder).notes if "of no use" in note]
    state = case.anchored("state").build(folder)
    assert "reporting.bias.state is of no use: the figures of state, the anchor, are taken not to lean" in state.notes
    assert "process.crowds.median" in dict(state.account.priors)
    other = case.model_copy(update={"priors": {"process.media.offspring": case.priors["process.crowds.median"]}})
    without = other.without("media").build(folder)
    assert "process.media.offspring is of no use: media is left out" in without.notes


def test_what_is_fixed_of_the_anchor_is_no_hindrance(tmp_path: Path) -> None:
    """Under every anchor in turn, as the full run does it."""
    case = stating(tmp_path / "case", "\n[fixed]\nreporting.bias.state = 0.2\n")
    for anchor in ("third_party", "state"):
        built = case.anchored(anchor).build(tmp_path / "case")
        assert built.held == ({"reporting.bias.state": 0.2} if anchor == "third_party" else {})


# where priors are read


def test_the_prior_predictive_moves_with_the_prior(built: Built) -> None:
    """Only the median of a crowd moves, so the same histories have crowds so many times as large."""
    declared = built.account.as_declared()
    name = "process.crowds.median"
    moved = declared.under({name: Prior(1_500.0, leaf_of(declared, name).sd)})
    before, after = (
        prior_histories(account, built.setting, built.claims.weighed, 30, 4, 1) for account in (declared, moved)
    )
    for one, ten in zip(before, after, strict=True):
        assert (one["events"] == ten["events"]).all()
        assert ten["participants_so_far"] == pytest.approx(10 * one["participants_so_far"], rel=0.02)


def test_what_is_expected_of_figures_moves_with_the_prior(built: Built) -> None:
    rows = {}
    for name, account in (("moved", built.account), ("declared", built.account.as_declared())):
        found = prior_predictive(account.reporting, built.claims.weighed, rng=keyed(1, 1), draws=400)
        rows[name] = next(row for row in found.rows() if row["stance"] == "state")
    # the state's figures of arrests lie lower by its lean, whose direction for arrests is the opposition's
    assert np.log(rows["moved"]["middle"] / rows["declared"]["middle"]) == pytest.approx(-0.4, abs=0.15)
    assert rows["moved"]["high"] / rows["moved"]["low"] < rows["declared"]["high"] / rows["declared"]["low"]


def test_sensitivity_moves_the_stated_prior_and_not_the_declared_one(built: Built) -> None:
    leaf = leaf_of(built.account, "process.crowds.median")
    ways = {moved.what: moved.ways for moved, _ in parameter_moves([leaf], ())}
    assert ways == {"median": ("3000", "8200"), "sd": ("0.33", "0.75")}
    names = integrable(built.account.reporting)
    priors = {name: prior for name, prior in priors_of(built.account.reporting).items() if prior is not None}
    moved, pair = next(iter(reporting_moves(built.account.reporting, names, priors)))
    assert moved.ways == ("0.13 and 0.47", "0.3 and 1"), "leans have two widths now"
    assert pair[1].priors["bias.state"] == Prior(-0.4, 1.5 * 0.2)


def test_power_draws_from_the_stated_prior(built: Built) -> None:
    questions = built.claims.weighed
    tried = designs.chosen(built, ["daily"])
    drawn = power.simulated(built, tried, ["media"], records=60, seed=2, processes=1, source=power.Source({}))
    plain = replace(built, case=built.case.model_copy(update={"priors": {}}))
    before = power.simulated(plain, tried, ["media"], records=60, seed=2, processes=1, source=power.Source({}))
    assert len(drawn.ids) > len(questions)
    for account in ("all", "media"):
        crowd = list(drawn.ids).index("c4")
        apart = np.median(drawn.figures[account][:, crowd]) - np.median(before.figures[account][:, crowd])
        assert apart == pytest.approx(np.log(5_000 / 150), abs=1.5)
    lean = "lean of state, arrests"
    for records, case in ((drawn, built), (before, plain)):
        prior = {leaf.name: leaf.prior for leaf in leaves(case.case.account(questions))}
        parts = [prior[f"reporting.{name}"] for name in ("bias.state", "bias_by_kind.state:arrests")]
        sd = float(np.hypot(*(part.sd for part in parts if part is not None)))
        middle = sum(part.median for part in parts if part is not None)
        assert records.answers[lean].std(ddof=1) == pytest.approx(sd, rel=3 / np.sqrt(2 * 60))
        assert records.answers[lean].mean() == pytest.approx(middle, abs=3 * sd / np.sqrt(60))
    assert drawn.answers[lean].std() < 0.6 * before.answers[lean].std()


def test_joining_is_asked_under_the_stated_prior(built: Built) -> None:
    name = "process.groups.recruitment"
    window = (built.setting.window.start, built.setting.window.end)
    many = built.account.under({name: Prior(30.0, 0.1)})
    found = [
        joining(account, built.setting, window, [], "prior", draws=2_000, rng=keyed(1, 2)).probability
        for account in (built.account, many)
    ]
    assert found[0] < 0.6
    assert found[1] > 0.95


def test_a_run_says_which_priors_it_moved_and_from_what(folder: Path, built: Built, tmp_path: Path) -> None:
    effort = Effort(main=SMALL, part=SMALL)
    result = run_study(str(folder), tmp_path / "out", seed=5, processes=1, effort=effort)
    rows = {row["parameter"]: row for row in result["parameters"]}
    assert {name for name, row in rows.items() if row["declared"] is not None} == set(MOVED)
    assert rows["process.crowds.median"]["declared"][1] == 150
    assert rows["process.crowds.median"]["prior"][1] == 5_000
    assert (rows["process.crowds.median"]["declared_sd"], rows["process.crowds.median"]["prior_sd"]) == (0.8, 0.5)
    lean = {row["stance"]: row["prior"] for row in result["lean"]}
    sd = np.hypot(0.2, 0.4)
    assert lean["state"] == pytest.approx(np.exp(-0.4 + np.array([-1.645, 0, 1.645]) * sd).tolist(), rel=1e-6)
    assert lean["opposition"][1] == 1
    section = judgements(result, Speaker())
    assert any("states priors of its own for size of a usual crowd and lean of state" in w for w in section.words)
    shown = list(section.tables[0].table.rows())
    assert shown[0]["name"] == "process.crowds.median"
    assert shown[0]["declared"] == "150 (40–559)"
    assert shown[0]["in this study"] == "5,000 (2,200–11,400)"
    assert (tmp_path / "out/tables/priors.csv").read_text().count("\n") == 3
    assert Case.read(tmp_path / "out/case.toml") == built.case
    assert json.loads((tmp_path / "out/result.json").read_text())["parameters"] == result["parameters"]
