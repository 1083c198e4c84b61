"""Whether a model can meet each claim at all, as draws from its prior show, before an hour is spent on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from groundswell.data.record import Claim, Record
from groundswell.errors import DataError
from groundswell.infer.particle import ParticleFilter
from groundswell.models.reporting.grouping import ClaimGroup
from groundswell.models.reporting.integration import integrable
from groundswell.rng import keyed
from groundswell.studies.case import Built
from groundswell.studies.first_day import first_day, unmet

IMPOSSIBLE, STRAINED = -60.0, -15.0
"""Best log weight of a claim over draws from the prior below which it is refused, or warned of."""


def reachable(built: Built, prior: Sequence[Mapping[str, Any]], seed: int) -> list[str]:
    """DataError for a claim that no draw from the prior comes near; a sentence for one that hardly any does.

    A claim about one small place may find it quiet in every draw: there a filter, which makes it active, decides.
    """
    drawn = [draw for draw in prior if not draw["exploded"]]
    if not drawn:
        raise DataError(
            f"every one of {len(prior)} draws from the prior exploded (more events on a day than max_daily_events). "
            "Check the populations of the places and the priors of the offspring terms."
        )
    doubts = []
    for i, group in enumerate(built.account.reporting.prepare(built.claims.weighed)):
        best = max(float(draw["logs"][i]) for draw in drawn)
        low, high = (f(float(draw["hidden"][i]) for draw in drawn) for f in (min, max))
        claim = group.claims[0]
        if best < STRAINED:
            best = max(best, guided_weight(built, group, seed))
        words = (
            f"claim {claim.id}: {claim.words()} ({group.words()}): in {len(drawn)} draws from the prior the quantity "
            f"lies between {low:,.4g} and {high:,.4g}"
        )
        if best < IMPOSSIBLE:
            weight = f"the best log weight of the claim is {best:.0f}"
            raise DataError(f"{words}, and {weight}. No draw can meet it. {_remedy(built, claim)}")
        if best < STRAINED:
            doubts.append(f"{words}: the model can hardly produce such a figure, so it pulls the leans hard")
    return doubts


def _remedy(built: Built, claim: Claim) -> str:
    """What to do about a claim that no draw meets: the first day and the anchor are looked at before the figure."""
    if claim in unmet(built):
        return f"{first_day(built)[0]}."
    others = [stance for stance in built.claims.weighed.stances() if stance != built.case.anchor]
    anchors = ", ".join(f"--anchor {stance}" for stance in others)
    other = (
        f" Here {built.case.anchor} is taken not to lean: with another side so taken it may be met ({anchors})."
        if others
        else ""
    )
    return (
        f"Check value, unit, window and place; a figure that is right but outside what the model can do has to be left "
        f"out, and that has to be said.{other}"
    )


def guided_weight(built: Built, group: ClaimGroup, seed: int) -> float:
    """Best log weight of a group alone in a few guided filters at the priors' medians; -inf if it is not guided."""
    account, method = built.account, ParticleFilter(histories=16)
    plan = method.plan(account, built.setting, Record(group.claims), integrable(account.reporting))
    if not plan.locals and not plan.crowds:
        return -np.inf
    return max(method.run(plan, account, rng=keyed(seed, 8, i)).log_likelihood for i in range(10))
