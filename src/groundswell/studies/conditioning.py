"""From a case to its result: the fit, histories given the claims, and every number that a report shows.

The result is a plain dictionary without clock, path or timing, so equal runs give equal files; timings go
to a second one.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from groundswell import __version__
from groundswell.data.provenance import provenance
from groundswell.data.quantities import quantity
from groundswell.data.record import Claim, Record
from groundswell.errors import DataError, UsageError
from groundswell.infer.base import Progress, fit, silent
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.relaxation import Relaxation
from groundswell.infer.target import Start
from groundswell.infer.tempered import TemperedSMC
from groundswell.models.reporting.grouping import SIGN
from groundswell.models.reporting.predictive import prior_predictive
from groundswell.rng import generator, keyed
from groundswell.studies.beside import unlisted
from groundswell.studies.case import Built, plain
from groundswell.studies.counts_check import counts_checked
from groundswell.studies.crowds import beyond_everybody, unanswered
from groundswell.studies.first_day import first_day, unmet
from groundswell.studies.joining import NOT_IDENTIFIED, Joining, joining
from groundswell.studies.moved import lean_rows, parameter_rows
from groundswell.studies.persons import told_of_persons
from groundswell.studies.quality import filter_noise, quality
from groundswell.studies.reachable import reachable
from groundswell.studies.replay import PATHS, posterior_histories, prior_histories, quantiles, seen_by_day
from groundswell.studies.second_look import second_look

FORM = 2
"""Of a result: one more whenever its readers would miss something in those written before."""

LARGE = 50.0
"""Effective draws from which on a relaxation, which costs some 400 filters, saves more of them as a start."""

PERSONS = 24
"""Draws of the fit that are told of persons: each is a look at every person of the country, a day after the other."""

ADVICE = "Check value, unit, window and place; if they are right, see what the answers are without it."

FAR = 5.0
"""Factor between a figure and the middle of what happened beyond which the claim is named: two prior sd of a lean."""


@dataclass(frozen=True)
class Size:
    """How much computing: what `TemperedSMC` and its filter are told, and how many histories a report shows.

    draws : from the posterior, each with its history. effective : how many the weights must be worth before the
    sampler ends; most : filters after which it ends all the same. approximate : by a `Relaxation` instead, to which
    these say nothing.
    """

    draws: int = 600
    effective: float = 280.0
    most: int = 12_000
    round: int = 200
    histories: int = 24
    prior_draws: int = 300
    joining_draws: int = 10_000
    approximate: bool = False

    def method(self, processes: int) -> TemperedSMC | Relaxation:
        """The sampler of this size."""
        if self.approximate:
            return Relaxation(
                particles=self.draws, filter=ParticleFilter(histories=self.histories), processes=processes
            )
        return TemperedSMC(
            particles=self.draws,
            effective=self.effective,
            most=self.most,
            round=self.round,
            filter=ParticleFilter(histories=self.histories),
            processes=processes,
        )


def condition(
    built: Built,
    size: Size,
    *,
    seed: int,
    processes: int,
    progress: Progress = silent,
    start: Start | None = None,
    second: bool = True,
    persons: bool = False,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Condition a case on its claims. Returns (result, timings); the result is the same for any `processes`.

    start : where the posterior of a near account lies (else `nearby`; an approximate run needs none). second : also
    what the answers rest on (`second_look`). persons : also the account told of persons. UsageError for an approximate
    run of a case with counts.
    """
    if size.approximate and built.counts is not None:
        raise UsageError(
            f"an approximate run weighs claims alone, and this case has counts of places and days too "
            f"({built.counts.name}): without them it would answer another question. Leave --approximate out; or delete "
            "[counts] from study.toml, and the answer is that of the claims alone."
        )
    started = time.perf_counter()
    account, setting, record = built.account, built.setting, built.claims.weighed
    method = size.method(processes)
    held = built.held
    prior = prior_histories(account, setting, record, size.prior_draws, seed, processes, held)
    doubts = reachable(built, prior, seed)
    progress(0.05, "drawn from the prior")
    if isinstance(method, TemperedSMC):
        method = replace(method, start=start or (nearby(built, seed, processes) if size.effective >= LARGE else None))
    rng = generator(seed)
    observed = built.observed()
    found = fit(
        account, setting, observed, method, rng=rng, fixed=held, progress=lambda s, w: progress(0.05 + 0.8 * s, w)
    )
    fitted = time.perf_counter()
    noise = filter_noise(built, found, seed)
    progress(0.87, "histories given the claims")
    posterior = posterior_histories(account, setting, observed, found, processes)
    progress(0.9, "joining and arrests")
    claims = claim_rows(built, posterior, prior)
    joined = joining_rows(built, size.joining_draws, seed, posterior)
    counted = None
    if built.counts is not None:
        progress(0.91, "the source asked again")
        counted = counts_checked(built, found, prior_draws=size.prior_draws, seed=seed, processes=processes)
    look = None
    if second:
        progress(0.92, "claims left out, priors moved")
        look = second_look(built, found, posterior, seed=seed, processes=processes)
    expected = prior_predictive(account.reporting, record, rng=keyed(seed, 13), draws=size.prior_draws)
    told = None
    if persons:
        progress(0.96, "told of persons")
        told = told_of_persons(built, found, PERSONS, seed=seed, processes=processes)
    far = far_claims(claims, [claim.id for claim in unmet(built)])
    paths = {name: {"posterior": quantiles(posterior, name), "prior": quantiles(prior, name)} for name in PATHS}
    result = {
        "version": __version__,
        "form": FORM,
        "case": plain(built.case),
        "seed": seed,
        "size": asdict(size),
        "digest": built.observed(built.record).digest(),
        "notes": [*built.notes, *found.notes, *unanswered(built).values()],
        "unanswered": unanswered(built),
        "doubts": [*first_day(built), *doubts, *unlisted(built), *far, *beyond_everybody(built, paths, claims)],
        "quality": quality(built, found, noise, posterior),
        "dates": [day.isoformat() for day in setting.window.dates()],
        "paths": paths,
        "exploded_prior_draws": sum(draw["exploded"] for draw in prior),
        "parameters": parameter_rows(found, built),
        "counts": counted,
        "lean": lean_rows(found, built),
        "look": look,
        "persons": told,
        "claims": claims,
        "unweighed": unweighed_rows(built),
        "places": place_rows(built, posterior),
        "grains": grain_rows(built),
        "expected": list(expected.rows()),
        "provenance": list(provenance(built.record).rows()),
        "joining": joined,
        "log_evidence": found.log_density,
        # a relaxation's own normal is nearer to the posterior of a part than one estimated from some hundred draws
        "start": asdict(getattr(method, "start", None) or found.details.get("start") or Start.of(found)),
    }
    done = time.perf_counter()
    timings = {"seconds_fit": fitted - started, "seconds_total": done - started, "processes": processes}
    return result, timings


def nearby(built: Built, seed: int, processes: int = 1) -> Start | None:
    """Where a relaxation puts the posterior, for the sampler to begin at; None for an account that has none.

    It saves the way from the prior. From a wrong place the sampler needs more filters and comes to the same answer.
    """
    method = Relaxation(particles=100, processes=processes)
    try:
        found = fit(
            built.account, built.setting, built.observed(), method, rng=keyed(seed, 17), fixed=built.held,
            progress=silent,
        )  # fmt: skip
    except (UsageError, DataError):
        return None
    return found.details["start"]


def _said(claim: Claim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "quantity": claim.quantity,
        "place": claim.place,
        "start": claim.start.isoformat(),
        "end": claim.end.isoformat(),
        "said": claim.words(),
        "qualifier": claim.qualifier,
        "value": claim.value,
        "value_high": claim.value_high,
        "stance": claim.stance,
        "speaker": claim.speaker,
        "outlet": claim.outlet or "not stated",
        "stated_on": claim.stated_on.isoformat() if claim.stated_on else "not stated",
        "origin": claim.origin,
        "document": claim.document,
    }


def claim_rows(built: Built, posterior: Sequence[Mapping[str, Any]], prior: Sequence[Mapping[str, Any]]) -> list[dict]:
    """Every weighed claim beside what the model would have heard said, and what would have been so."""
    record = built.claims.weighed
    group_of = {}
    for i, group in enumerate(built.account.reporting.prepare(record)):
        group_of |= {claim.id: i for claim in group.claims} | dict.fromkeys(group.repeats, i)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    said = np.array([draw["said"] for draw in posterior if "said" in draw])
    before = np.array([draw["said"] for draw in prior if "said" in draw])
    hidden = np.array([draw["hidden"] for draw in posterior if not draw["exploded"]])
    rows = []
    for i, claim in enumerate(record):
        below = float((said[:, i] < claim.value).mean() + 0.5 * (said[:, i] == claim.value).mean())
        rows.append(
            _said(claim)
            | {
                "predicted": [float(v) for v in np.quantile(said[:, i], levels)],
                "predicted_before": [float(v) for v in np.quantile(before[:, i], levels)],
                "happened": [float(v) for v in np.quantile(hidden[:, group_of[claim.id]], levels)],
                "rank": below,
            }
        )
    return rows


def far_claims(rows: Sequence[Mapping[str, Any]], explained: Collection[str] = ()) -> list[str]:
    """A sentence for each claim that lies beyond FAR of what happened, on the side that its qualifier rules out.

    explained : ids of claims that another doubt explains, whose figures are not what to look at first.
    """
    doubts = []
    for row in rows:
        half = 0.0 if quantity(row["quantity"]).functional == "ratio" else 0.5
        middle, sign = row["happened"][2] + half, SIGN[row["qualifier"]]
        low, high = row["value"] + half, (row["value_high"] or row["value"]) + half
        factor = low / middle if low > middle else high / middle if high < middle else 1.0
        if (factor > FAR and sign <= 0) or (factor < 1 / FAR and sign >= 0):
            advice = "Mend the first day." if row["id"] in explained else ADVICE
            times = f"{factor:,.0f} times as much as" if factor > 1 else f"1/{1 / factor:,.0f} of"
            doubts.append(
                f"claim {row['id']} ({row['quantity'].replace('_', ' ')}, {row['said']}, {row['speaker']}): {times} "
                f"what the model finds given all claims: it pulls the lean of its side hard. {advice}"
            )
    return doubts


def grain_rows(built: Built) -> list[dict[str, Any]]:
    """To what speakers are taken to round, and how often: a judgement that a reader should see."""
    grains = built.account.reporting.grains
    return [
        {"grain": grain, "exactly": exactly, "otherwise": otherwise}
        for grain, exactly, otherwise in zip(grains.grains, grains.exactly, grains.otherwise, strict=True)
    ]


def unweighed_rows(built: Built) -> list[dict[str, Any]]:
    """Every claim that was not weighed, with the reason."""
    heaps = ((built.claims.setting, True), (built.claims.unspoken, False))
    rows = [_said(out.claim) | {"as_setting": given, "reason": out.reason} for heap, given in heaps for out in heap]
    return sorted(rows, key=lambda row: row["id"])


def place_rows(built: Built, posterior: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each place with the share of draws in which it had protested by a few dates."""
    seen = seen_by_day(posterior)
    places = built.setting.places
    rows = []
    for p, name in enumerate(places.name):
        rows.append(
            {
                "place": name,
                "region": places.region[p],
                "population": float(places.population[p]),
                "latitude": None if places.latitude is None else float(places.latitude[p]),
                "longitude": None if places.longitude is None else float(places.longitude[p]),
                "seen": [round(float(v), 4) for v in seen[p]],
            }
        )
    return rows


def joining_rows(built: Built, draws: int, seed: int, posterior: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """P(joins > arrests) from the prior and given single claims; None where no claim asks."""
    record = built.claims.weighed
    ratios = [claim for claim in record if claim.quantity == "joins_per_arrest"]
    process = built.account.process
    if not ratios or process.groups is None:  # type: ignore[attr-defined]
        return None
    asked = ratios[0]
    window = (asked.start, asked.end)
    teams = [c for c in record if c.quantity == "teams_arrested" and c.place == asked.place]
    settle = settling_claims(asked, teams[0].value if teams else 100.0, built.case.anchor)
    stages: list[tuple[str, list[Claim]]] = [("prior", [])]
    if teams:
        stages.append(("teams", teams[:1]))
    stages.append(("ratio", [asked]))
    stages.append(("settled", settle))
    found: dict[str, Joining] = {
        label: joining(built.account, built.setting, window, claims, label, draws=draws, rng=keyed(seed, 7, i))
        for i, (label, claims) in enumerate(stages)
    }
    moved = abs(found["teams"].probability - found["prior"].probability) if teams else 0.0
    noise = float(np.hypot(found["teams"].error, found["prior"].error)) if teams else 0.0
    return {
        "window": [window[0].isoformat(), window[1].isoformat()],
        "asked": asked.id,
        "teams": teams[0].id if teams else None,
        "settling": [claim.words() for claim in settle],
        "identified": bool(moved > NOT_IDENTIFIED + 2 * noise),
        "stages": [asdict(one) for one in found.values()],
        "ratio_hidden": _ratio(record, asked, posterior, built),
    }


def _ratio(record: Record, asked: Claim, posterior: Sequence[Mapping[str, Any]], built: Built) -> dict[str, Any]:
    """The same share in the full fit, all claims weighed."""
    groups = list(built.account.reporting.prepare(record))
    at = next(i for i, g in enumerate(groups) if any(c.id == asked.id for c in g.claims))
    values = np.log([draw["hidden"][at] for draw in posterior if not draw["exploded"]])
    return {
        "probability": float((values > 0).mean()),
        "quantiles": [float(v) for v in np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95))],
    }


def settling_claims(asked: Claim, broken_up: float, anchor: str) -> list[Claim]:
    """What one would have to go and count: groups formed and groups broken up, by one hand.

    Made up, to show what would settle the question: as many broken up as was claimed, 1.7 times as many formed
    (200 for 116), told by one speaker of the anchor's side, whose own habit then cancels.
    """
    formed = round(broken_up * 200 / 116)
    return [
        Claim(
            f"would-settle-{k}", quantity, asked.place, asked.start, asked.end, "exactly", float(value), "teams",
            anchor, "one independent count", f"independent count {k}",
        )
        for k, (quantity, value) in enumerate((("groups_formed", formed), ("teams_arrested", broken_up)))
    ]  # fmt: skip
