"""Leans and speakers' effects integrated out: the same number as a dense integral, and draws from what is left."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from naive.enumeration import said
from naive.reporting import integrated_likelihood

from groundswell.data.record import Record
from groundswell.errors import ParameterError
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.integration import Integration, integrable
from groundswell.params import Effects
from groundswell.rng import generator

SEVERAL = Record(
    (
        said("few", "arrests", "Near", 3, 3, "about", 60),
        said("many", "arrests", "Testland", 0, 6, "at_least", 400),
        said("cities", "cities_with_protest", "Testland", 0, 6, "exactly", 14),
        said("opposed", "cities_with_protest", "Testland", 0, 6, "more_than", 40, "movement"),
        said("anchor", "cities_with_protest", "Testland", 0, 6, "about", 25, "third_party"),
    )
)
ONE_ORIGIN = Record(
    (
        said("first", "cities_with_protest", "Testland", 0, 6, "exactly", 142, "movement", origin="count"),
        said("second", "cities_with_protest", "Testland", 0, 6, "more_than", 140, "movement", origin="count"),
        said("anchor", "cities_with_protest", "Testland", 0, 6, "about", 80, "third_party"),
    )
)


def made(record: Record, spread: float = 0.25, slack: float = 0.2) -> Reporting:
    found = Reporting.for_record(record, "third_party")
    return replace(found, spread=Effects(dict.fromkeys(found.spread, spread)), slack=slack)


def taken_in(record: Record, names: tuple[str, ...], values: list[float], rows: int, seed: int, draws: int = 2):
    """(gains summed, log likelihoods, effects) of so many equal rows."""
    reporting = made(record)
    groups = reporting.prepare(record)
    integration = Integration(groups, reporting, names, draws)
    belief = integration.begin(groups.bind(integration.middle(reporting)), rows)
    gain = sum(belief.absorb(i, np.full(rows, float(q))) for i, q in enumerate(values))
    lacking, effects = belief.settle(rng=generator(seed))
    return gain, gain + lacking, effects


@pytest.mark.parametrize(
    ("record", "values"),
    [
        (SEVERAL, [20.0, 15.0, 700.0, 15.0, 15.0]),
        (SEVERAL, [30.0, 25.0, 120.0, 25.0, 25.0]),
        (ONE_ORIGIN, [70.0, 70.0]),
        (ONE_ORIGIN, [140.0, 140.0]),
    ],
)
def test_it_is_the_dense_integral_over_the_effects(record: Record, values: list[float]) -> None:
    """Two effects at once, on a grid of 81 nodes each; the groups with their own quadrature over a shared error."""
    reporting = made(record)
    names = ("bias.movement", "bias.state") if record is SEVERAL else ("bias.movement", "bias_by_kind.movement:cities")
    exact, means = integrated_likelihood(reporting, record, values, names)
    gain, logs, effects = taken_in(record, names, values, 4_000, 1)
    share = np.exp(logs - exact)
    error = float(share.std() / math.sqrt(len(share)))
    assert error < 0.01, "a noisy estimate would make this test blind"
    assert share.mean() == pytest.approx(1, abs=4 * error)
    assert gain[0] == pytest.approx(exact, abs=0.3), "the claims taken in one by one come near by themselves"
    weights = share / share.sum()
    for k in range(len(names)):
        found = float(weights @ effects[:, k])
        spread = math.sqrt(float(weights**2 @ (effects[:, k] - found) ** 2))
        assert found == pytest.approx(means[k], abs=4 * spread + 0.005)


def test_one_claim_alone_is_integrated_exactly() -> None:
    """A normal effect on one claim only widens its error; so the pilot's weight is the integral itself."""
    record = Record((SEVERAL["few"], SEVERAL["anchor"]))
    reporting = made(record)
    groups = reporting.prepare(record)
    names = integrable(reporting)
    integration = Integration(groups, reporting, names)
    pilot = integration.pilot(groups.bind(integration.middle(reporting)))
    at = next(i for i, group in enumerate(groups) if group.claims[0].id == "few")
    for q in (0.0, 8.0, 60.0, 4_000.0):
        exact, _ = integrated_likelihood(reporting, Record((SEVERAL["few"],)), [q], names[:2])
        assert pilot[at].log_likelihood(np.array([q]))[0] == pytest.approx(exact, abs=2e-3)


def test_without_claims_the_effects_are_drawn_from_their_prior() -> None:
    reporting = made(SEVERAL)
    integration = Integration(reporting.prepare(Record(())), reporting, integrable(reporting))
    lacking, effects = integration.begin((), 5_000).settle(rng=generator(3))
    assert np.abs(lacking).max() < 1e-12
    assert effects.mean(axis=0) == pytest.approx(integration.center, abs=0.05)
    assert effects.std(axis=0) == pytest.approx(integration.sd, rel=0.05)


def test_what_does_not_enter_linearly_is_refused() -> None:
    reporting = made(SEVERAL)
    with pytest.raises(ParameterError, match=r"cannot be integrated out.*bias\.state"):
        Integration(reporting.prepare(SEVERAL), reporting, ("slack",))


def middle_given(record: Record, anchor: str, level: np.ndarray) -> float:
    """Posterior median of the log of one quantity under a prior that is flat in it, leans integrated out."""
    found = Reporting.for_record(record, anchor)
    groups = found.prepare(record)
    integration = Integration(groups, found, integrable(found), 40)
    belief = integration.begin(groups.bind(integration.middle(found)), len(level))
    logs = sum(belief.absorb(i, np.exp(level)) for i in range(len(groups)))
    logs = logs + belief.settle(rng=generator(4))[0]
    mass = np.exp(logs - logs.max()).cumsum()
    return float(level[np.searchsorted(mass, mass[-1] / 2)])


def middles(movement: int, state: int) -> dict[str, float]:
    """The middle under either anchor of what two sides say five times each, every time by another speaker."""
    around = (1.0, 1.05, 0.95, 1.025, 0.975)
    record = Record(
        tuple(
            said(f"{stance} {k}", "arrests", "Testland", 0, 6, "about", round(share * value), stance)
            for stance, value in (("movement", movement), ("state", state))
            for k, share in enumerate(around)
        )
    )
    level = np.linspace(math.log(100), math.log(20_000), 1_500)
    return {anchor: middle_given(record, anchor, level) for anchor in ("movement", "state")}


def test_two_sides_apart_by_a_factor_of_2_move_the_answer_by_it_between_anchors() -> None:
    """What the anchor says is taken for what happened."""
    found = middles(2_000, 1_000)
    assert found["movement"] - found["state"] == pytest.approx(math.log(2), abs=0.2)
    assert found["state"] == pytest.approx(math.log(1_000), abs=0.35)


def test_where_two_sides_agree_the_anchor_does_not_matter() -> None:
    found = middles(1_000, 1_000)
    assert found["movement"] == pytest.approx(found["state"], abs=0.02)
    assert found["state"] == pytest.approx(math.log(1_000), abs=0.1)
