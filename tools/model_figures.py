"""Draws the pictures of the models' pages, docs/images/MODEL.svg: `.venv/bin/python -m tools.model_figures`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from groundswell import fit, generator
from groundswell.data import gazetteer
from groundswell.data.files import write_text
from groundswell.data.history import Events
from groundswell.data.places import Places
from groundswell.data.setting import Setting, call_matrix
from groundswell.data.window import Window
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.profile import profile
from groundswell.models.agents.intergroup_violence import run
from groundswell.models.agents.recruitment import Jail, Recruitment, Ties
from groundswell.models.cities.mechanisms import Arrests, Background, Crowds, Groups, Within
from groundswell.models.delay_sums import PowerLawDelay, SumOfExponentials
from groundswell.models.delays import ExponentialDelay, StepDelay
from groundswell.models.events.excitation import density
from groundswell.models.events.mutually_exciting import MutuallyExciting
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.library import load
from groundswell.models.triggering import Exponential, Gaussian, PowerLaw, Steps
from groundswell.params import Effects
from groundswell.report.figures.style import INK, SERIES, SOFT, panels, styled
from groundswell.report.svg import svg

IMAGES = Path(__file__).parent.parent / "docs" / "images"
DRAWS = 300


@styled
def endemic_epidemic() -> Any:
    """The example's expected events by part in three of its cities, and what was drawn."""
    model, setting = load("endemic_epidemic").example()
    history = model.simulate(setting, rng=generator(4))
    parts = model.decomposition(setting, history)
    axes = panels(3, 1, height=5.2)[:, 0]
    weeks = np.arange(setting.window.periods)
    for row, place in zip(axes, ("Hub", "Twin", "Far"), strict=True):
        at = setting.places.index(place)
        row.stackplot(weeks, *[part[at] for part in parts.values()], labels=list(parts), colors=SERIES[: len(parts)],
                      alpha=0.75, linewidth=0)  # fmt: skip
        row.plot(weeks, history["events"][at], color=INK, linewidth=0.8, label="drawn")
        row.set_title(place)
        row.set_xlim(0, weeks[-1])
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1.0), ncols=4)
    axes[1].set_ylabel("events a week")
    axes[-1].set_xlabel("week")
    return axes[0]


@styled
def mobilisation() -> Any:
    """Cities with protest by day under four accounts of one country: median and middle 80 % of the draws."""
    places = gazetteer.places("IR", 30_000)
    window = Window.between("2017-12-28", "2018-01-31")
    calls = call_matrix(places, window, [("2017-12-30", None)])
    setting = Setting(places, window, calls=calls, active_on_day0=("Mashhad", "Neyshābūr"))
    full = replace(load("mobilisation").example()[0], organised=None, groups=None)
    full = full.replacing({"within.offspring": 0.35, "between.offspring": 0.35, "media.offspring": 0.25,
                           "deterrence.strength": 0.35, "backlash.strength": 0.1})  # fmt: skip
    accounts = {
        "all of it": full,
        "without deterrence": replace(full, deterrence=None),
        "without diffusion": replace(full, between=None),
        "without calls": replace(full, call=None),
    }
    axes = panels(1, 4, height=2.6)[0]
    days = np.arange(window.periods)
    for column, (title, model), colour in zip(axes, accounts.items(), SERIES, strict=False):
        active = np.array(
            [(model.simulate(setting, rng=rng)["events"] > 0).sum(axis=0) for rng in generator(1).spawn(DRAWS)]
        )
        low, middle, high = np.quantile(active, [0.1, 0.5, 0.9], axis=0)
        column.fill_between(days, low, high, color=colour, alpha=0.25, linewidth=0)
        column.plot(days, middle, color=colour)
        column.set_title(title)
        column.set_xlabel("day")
        column.sharey(axes[0])
        column.axvline(2, color=SOFT, linewidth=0.7, linestyle=":")
    axes[0].set_ylabel("cities with protest")
    return axes[0]


@styled
def self_exciting() -> Any:
    """One place over 40 days: events, and what their intensity is made of; four delays of the same median."""
    model = SelfExciting(0.8, 0.7, ExponentialDelay(0.7))
    setting = Setting(Places.single(), Window(date(2024, 1, 1), 40))
    history = model.simulate(setting, rng=generator(11))
    days = np.linspace(0.01, 39.99, 700)
    rate = model.rate_at(setting, history, Events(days, np.zeros(len(days), dtype=int)))
    left, right = panels(1, 2, height=2.6)[0]
    left.fill_between(days, 0, model.background, color=SERIES[0], alpha=0.75, linewidth=0, label="needs no parent")
    left.fill_between(days, model.background, rate, color=SERIES[1], alpha=0.75, linewidth=0, label="triggered")
    left.plot(history.events.time_days, np.full(len(history.events), -0.15), "|", color=INK, markersize=5)
    left.set_xlim(0, 40)
    left.set_ylim(-0.4, 6.2)
    left.set_xlabel("day")
    left.set_ylabel("events a day")
    left.legend(loc="upper right")
    late = np.geomspace(0.05, 60, 400)
    delays = {
        "exponential": ExponentialDelay(0.7),
        "two exponentials": SumOfExponentials(Effects(fast=1.5, slow=0.1), Effects(slow=-1.0)),
        "power law": PowerLawDelay(1.3, 2.5), "bands": StepDelay(1.0, Effects({"3": -0.7, "10": -2.5})),
    }  # fmt: skip
    for (name, delay), colour in zip(delays.items(), SERIES, strict=False):
        value = density(delay, late)[0]
        right.plot(late[value > 0], value[value > 0], color=colour, label=name)
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_ylim(1e-5, 2)
    right.set_xlabel("days after the event")
    right.set_title("g(u), 1/day")
    right.legend(loc="lower left")
    return left


@styled
def riot_wave() -> Any:
    """The example's wave in each city, expected and drawn, and what is left of the susceptible."""
    model, setting = load("riot_wave").example()
    history = model.simulate(setting, rng=generator(1))
    expected, left = model.intensity(setting, history), model.remaining(setting, history)
    above, below = panels(2, 1, height=4.6)[:, 0]
    days = np.arange(setting.window.periods)
    for at, (place, colour) in enumerate(zip(setting.places.name, SERIES, strict=False)):
        above.plot(days, expected[at], color=colour, label=place)
        above.plot(days, history["events"][at], ".", color=colour, markersize=4)
        below.plot(days, left[at], color=colour)
    above.set_ylabel("events a day")
    above.legend(ncols=5, loc="lower right", bbox_to_anchor=(1, 1.0))
    below.set_ylabel("share of the susceptible left")
    below.set_ylim(0, 1.02)
    below.set_xlabel("day")
    for axes in (above, below):
        axes.set_xlim(0, days[-1])
    return above


@styled
def mutually_exciting() -> Any:
    """Who triggers whom in 1,500 days of the example: estimates with profile intervals, beside what was drawn from."""
    truth, setting = load("mutually_exciting").example()
    setting = replace(setting, window=replace(setting.window, periods=1500))
    history = truth.simulate(setting, rng=generator(3))
    everything = MutuallyExciting.among(*truth.kinds, by_sender=True)
    found = fit(everything, setting, history, MaximumLikelihood(), rng=generator(1))
    axes, furthest = panels(1, len(truth.kinds), height=1.9)[0], 0.0
    for column, receiver in zip(axes, truth.kinds, strict=True):
        for row, (sender, colour) in enumerate(zip(truth.kinds, SERIES, strict=False)):
            label = f"{sender} > {receiver}"
            low, high = profile(found, setting, history, f"offspring.{label}")
            furthest = max(furthest, high)
            column.plot([low, high], [row, row], color=colour, linewidth=2.2, solid_capstyle="butt")
            column.plot(found.model.offspring[label], row, "o", color=colour, markersize=5, clip_on=False)
            column.plot(truth.offspring.get(label, 0.0), row, "|", color=INK, markersize=13, clip_on=False)
        column.set_title(f"triggers {receiver}")
        column.set_yticks(range(len(truth.kinds)), [f"one {kind}" for kind in truth.kinds])
        column.set_ylim(len(truth.kinds) - 0.5, -0.5)
        column.sharex(axes[0])
    axes[0].set_xlim(0, 1.05 * furthest)
    axes[1].set_xlabel("expected direct offspring")
    for column in axes[1:]:
        column.tick_params(labelleft=False)
    return axes[0]


@styled
def etas() -> Any:
    """Made-up events on a map, by how likely each needed no parent, and what its fitted model makes of their times."""
    from groundswell.data.region import Region
    from groundswell.infer.declustered_fit import fit_with_declustering
    from groundswell.models.events.kernel_background import KernelBackground

    model, setting = load("etas").example()
    setting = replace(setting, window=Window.between("2020-01-01", "2021-03-31"))
    centres = np.array([[40.0, 40], [70, 110], [150, 60], [220, 120], [260, 30]])
    made = replace(
        model, spread=KernelBackground(centres, np.array([12.0, 15, 25, 12, 18]), np.array([3.0, 2, 2, 1, 1]))
    )
    history = made.simulate(setting, rng=generator(5))
    found = fit_with_declustering(model, setting, history, rng=generator(0)).model
    events = history.events
    assert events is not None
    shares = found.branching(setting, history).background_probability
    left, right = panels(1, 2, height=3.0)[0]
    order = np.argsort(-shares)
    size = 2 + 10 * found.excess(events)
    dots = left.scatter(
        events.x_km[order], events.y_km[order], c=shares[order], s=size[order], cmap="viridis", linewidth=0
    )
    left.figure.colorbar(dots, ax=left, label="needed no parent", shrink=0.8)
    outline = np.concatenate([Region.rectangle(0, 0, 300, 150).rings[0], [[0, 0]]])
    left.plot(*outline.T, color=SOFT, linewidth=0.8)
    left.set_aspect("equal")
    left.set_xlabel("km")
    left.set_ylabel("km")
    days, count = events.time_days, np.arange(1, len(events) + 1)
    right.axhline(0, color=INK, linewidth=0.7, linestyle=":")
    steady = days / setting.window.days * len(events)
    right.step(days, count - steady, color=SOFT, where="post", label="at a steady rate")
    expected = found.compensator(setting, history, days)
    right.step(days, count - expected, color=SERIES[0], where="post", label="by the model")
    right.set_xlabel("day")
    right.set_ylabel("events so far less those expected")
    right.legend()
    return left


@styled
def space_time() -> Any:
    """The example's events on their map, by how likely each needed no parent, and how far four reaches go."""
    model, setting = load("space_time").example()
    history = model.simulate(setting, rng=generator(4))
    events, offspring = history.events, model.offspring
    assert events is not None
    shares = model.branching(setting, history).background_probability
    left, right = panels(1, 2, height=2.8)[0]
    order = np.argsort(-shares)
    dots = left.scatter(events.x_km[order], events.y_km[order], c=shares[order], s=9, cmap="viridis", linewidth=0)
    left.figure.colorbar(dots, ax=left, label="needed no parent", shrink=0.8)
    for tile in setting.region.tiles:
        for ring in tile.rings:
            left.plot(*np.concatenate([ring, ring[:1]]).T, color=SOFT, linewidth=0.8)
    left.set_aspect("equal")
    left.set_xlabel("km")
    left.set_ylabel("km")
    reaches = (Gaussian(10.0), Exponential(12.0), PowerLaw(12.0, 3.5), Steps(10.0, Effects({"30": -1.5, "60": -3.0})))
    km = np.linspace(0, offspring.furthest_km, 200)
    for reach, colour in zip(reaches, SERIES, strict=False):
        come = reach.disc(km)
        right.plot(km, come / come[-1], color=colour, label=reach.__class__.__name__)
    right.set_ylim(0, 1)
    right.set_xlabel("km from the event that set them off")
    right.set_title("share of offspring within")
    right.legend(loc="lower right")
    return left


@styled
def recruitment() -> Any:
    """Members over time by how far ties lead, and participants under three jail terms with the same luck."""
    alone = dict.fromkeys(("within", "between", "media", "organised", "call", "deterrence", "backlash"))
    left, right = panels(1, 2, height=2.8)[0]
    days = np.arange(70)
    city = Setting(Places.single(50_000), Window(date(2024, 1, 1), len(days)))
    rate, start = 0.15, 50.0
    kinds = {"anyone": None, "small world (random .1)": Ties(0.1, 0.5, 10), "ring": Ties(0.0, 0.5, 10)}
    for (name, ties), colour in zip(kinds.items(), SERIES, strict=False):
        model = Recruitment(Background(0.0), **alone, ties=ties, groups=Groups(start, 365 * rate, 0.0, 4.0))
        for seed in range(3):
            members = model.simulate(city, rng=generator(seed))["members"][0]
            left.plot(days, members, color=colour, linewidth=1.1, label=name if seed == 0 else None)
    left.plot(days, 4 * start * (1 + rate) ** days, color=INK, linewidth=0.8, linestyle=":", label="never running out")
    left.set_ylim(0, 52_000)
    left.set_xlabel("day")
    left.set_title("members of groups, of 50,000 persons")
    left.legend()
    hard = dict(alone, within=Within(0.6), deterrence=None)
    setting = Setting(Places.single(100_000), Window(date(2024, 1, 1), 60), active_on_day0=("population",))
    for (name, jail), colour in zip({"free the next day": None, "up to 30 days": Jail(30.0),
                                     "up to a year": Jail(365.0)}.items(), SERIES, strict=False):  # fmt: skip
        model = Recruitment(Background(6.0), **hard, groups=None, jail=jail, specific_deterrence=None,
                            arrests=Arrests(60.0, 1.0), crowds=Crowds(300.0, 0.8), overdispersion=0.5)  # fmt: skip
        runs = [model.simulate(setting, rng=generator(seed))["participants"][0] for seed in range(40)]
        right.plot(np.arange(60), np.mean(runs, axis=0), color=colour, label=name)
    right.set_ylim(0, None)
    right.set_xlabel("day")
    right.set_title("participants a day, of 100,000 persons")
    right.legend()
    return left


def regimes() -> Any:
    """The phase diagram for one c*."""
    from groundswell.report.figures.phases import phase_diagram

    return phase_diagram(0.45)


@styled
def thresholds() -> Any:
    """Granovetter's map on either side of the jump."""
    from groundswell.models.agents.thresholds import Normal, Thresholds
    from groundswell.report.figures.cascades import cobweb

    axes = panels(1, 2, height=3.6)[0]
    for column, sd in zip(axes, (12.0, 13.0), strict=True):
        cobweb(Thresholds(Normal(25.0, sd), rule="continuous"), axes=column)
        column.set_title(f"standard deviation {sd:g}")
    return axes[0]


@styled
def cascade() -> Any:
    """How often one seed goes global over threshold and mean degree; three cascades beside their mean field."""
    from groundswell.models.agents.cascade import Cascade
    from groundswell.models.agents.cascade_parts import Fraction, RandomSeeds
    from groundswell.models.agents.cascade_runs import window_frequencies
    from groundswell.models.agents.cascade_theory import mean_field
    from groundswell.models.agents.networks import RandomGraph
    from groundswell.report.figures.cascades import adoption, cascade_windows

    left, right = panels(1, 2, height=3.7)[0]
    shares, mean_degrees = np.arange(0.09, 0.301, 0.01), np.arange(0.5, 15.1, 0.5)
    found = window_frequencies(shares, mean_degrees, rng=generator(1), nodes=2000, runs=40)
    cascade_windows(shares, mean_degrees, found, seeds="1 of 2,000", axes=left)
    spreads, expected = {}, {}
    cases = {"6 neighbours": (6.0, 0.01), "7 neighbours": (7.0, 0.01), "7 neighbours, fewer seeds": (7.0, 0.005)}
    for label, (mean_degree, seeds) in cases.items():
        model = Cascade(RandomGraph(100_000, mean_degree), Fraction(0.18), RandomSeeds(seeds))
        spreads[label] = model.run(rng=generator(1), steps=30)
        expected[label] = mean_field(model.threshold, model.network.degree_shares(), seeds, 30)
    adoption(spreads, expected=expected, axes=right)
    return left


@styled
def intergroup_violence() -> Any:
    """Persons by group where each grants the other much, little, and little with officers among them."""
    kind = load("intergroup_violence")
    cases = {
        "legitimacy .9": kind(),
        "legitimacy .8": kind(legitimacy=0.8),
        "legitimacy .8, officers .08": kind(legitimacy=0.8, officer_density=0.08),
    }
    axes = panels(1, 3, height=2.6)[0]
    for column, (title, model) in zip(axes, cases.items(), strict=True):
        series = run(model.populate(rng=generator(1)), 200).series
        for name, label, colour in zip(("first", "second"), ("first group", "second group"), SERIES, strict=False):
            column.plot(series[name], color=colour, label=label)
        column.plot(
            series["killed_first"] + series["killed_second"], color=INK, linewidth=0.8, label="killed in the step"
        )
        column.set_title(title)
        column.set_xlabel("step")
    axes[0].set_ylabel("persons")
    axes[0].legend(loc="center right")
    return axes[0]


@styled
def civil_violence_network() -> Any:
    """Who is active around a ring of persons, step by step, as more of its ties are moved."""
    from groundswell.models.agents.civil_violence import CivilViolence
    from groundswell.models.agents.crowd import ACTIVE
    from groundswell.models.agents.crowd import run as run_crowd
    from groundswell.models.agents.networks import SmallWorld
    from groundswell.report.figures.maps import colour_scale

    axes = panels(3, 1, height=5.4)[:, 0]
    for row, rewiring in zip(axes, (0.0, 0.1, 1.0), strict=True):
        model = CivilViolence.among(SmallWorld(1120, 50, rewiring), officer_density=0.04)
        tracks = run_crowd(model.populate(rng=generator(1)), 400, record="agents", agents=np.arange(1120)).tracks
        assert tracks is not None
        share = (tracks.state[1:] == ACTIVE).reshape(400, 56, 20).mean(2)
        row.imshow(share.T, aspect="auto", cmap=colour_scale(), vmin=0, vmax=0.6, extent=(0.5, 400.5, 1120, 0),
                   interpolation="none")  # fmt: skip
        row.set_title(f"{100 * rewiring:g} % of the ties moved")
    axes[1].set_ylabel("persons, in order around the ring")
    axes[-1].set_xlabel("step")
    return axes[-1]


PICTURES: tuple[Callable[[], Any], ...] = (
    endemic_epidemic, mobilisation, self_exciting, mutually_exciting, space_time, etas, riot_wave, regimes,
    intergroup_violence, thresholds, cascade, recruitment, civil_violence_network,
)  # fmt: skip


if __name__ == "__main__":
    for picture in PICTURES:
        name = picture.__name__
        write_text(IMAGES / f"{name}.svg", svg(picture(), name.replace("_", "-")) + "\n")
        print(IMAGES / f"{name}.svg")
