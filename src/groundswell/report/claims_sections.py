"""The sections of the report of a study of claims: words, picture and table for each question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.report import claims_answers as answers
from groundswell.report.claims_one_by_one import stances
from groundswell.report.language import Speaker, number, percent, span
from groundswell.report.page import Picture, Section, Twin
from groundswell.report.svg import svg
from groundswell.report.words import listed, parameter_name

SILENT = (0.25, 0.9)
"""A parameter that moved by less (in prior sds) and kept more of its spread than this was not spoken of."""


def lean(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """By what factor each side's figures exceed what happened in the model."""
    say, rows = speaker.say, result["lean"]
    pictures, tables = [], []
    if rows:
        from groundswell.report.figures.claims import lean

        axes = lean(rows, words=speaker, stances=stances(result))
        told = "; ".join(
            f"{row['stance'].replace('_', ' ')}, {row['kind']}: {number(row['factor'][2])}" for row in rows
        )
        pictures.append(Picture(svg(axes, "lean"), say("claims-caption-lean"), say("claims-alt-lean", rows=told)))
        table = Table(
            {
                say("column-side"): [row["stance"].replace("_", " ") for row in rows],
                say("column-quantity"): [row["kind"] for row in rows],
                say("column-factor"): [row["factor"][2] for row in rows],
                say("column-range"): [span(row["factor"][0], row["factor"][-1]) for row in rows],
                say("column-prior-range"): [span(row["prior"][0], row["prior"][-1]) for row in rows],
                say("column-above"): [percent(row["above"]) for row in rows],
            }
        )
        tables.append(Twin(table, say("claims-table-lean")))
    words = [say("claims-words-lean", anchor=result["case"]["anchor"].replace("_", " "))]
    return Section("lean", say("claims-section-lean"), words, pictures, tables)


def mechanisms(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """Evidence for each mechanism, or how to run it; what the claims moved within the account."""
    say, rows = speaker.say, result.get("components")
    words, pictures, tables, missing = [], [], [], ""
    if rows:
        from groundswell.report.figures.evidence import components
        from groundswell.studies.run import DECISIVE

        words.append(say("claims-words-mechanisms"))
        names = {row["left_out"]: say(f"mechanism-name-{row['left_out']}") for row in rows}
        axes = components(rows, undecided=DECISIVE, names=names, words=speaker)
        told = "; ".join(
            f"{names[r['left_out']]} {r['log_bayes_factor']:.1f} ± {2 * r['monte_carlo_error']:.1f}" for r in rows
        )
        pictures.append(
            Picture(
                svg(axes, "evidence"),
                say("claims-caption-mechanisms", replicates=len(rows[0]["replicates"])),
                say("claims-alt-mechanisms", rows=told),
            )
        )
        table = Table(
            {
                say("column-without"): [names[row["left_out"]] for row in rows],
                say("column-bayes"): [row["log_bayes_factor"] for row in rows],
                say("column-error"): [row["monte_carlo_error"] for row in rows],
                say("column-verdict"): [row["verdict"] for row in rows],
            }
        )
        tables.append(Twin(table, say("claims-table-mechanisms"), folded=False))
    else:
        missing = say("claims-not-run")
    words.append(say("claims-words-moved"))
    parameters = result["parameters"]
    silent = [
        parameter_name(p["parameter"], speaker)
        for p in parameters
        if abs(p["shift"]) < SILENT[0] and p["sd_ratio"] > SILENT[1]
    ]
    notes = [say("claims-silent", names=listed(silent, speaker))] if silent else []
    table = Table(
        {
            say("column-parameter"): [parameter_name(p["parameter"], speaker) for p in parameters],
            say("column-parameter-name"): [p["parameter"] for p in parameters],
            say("column-unit"): [p["unit"] for p in parameters],
            say("column-prior-range"): [span(p["prior"][0], p["prior"][-1]) for p in parameters],
            say("column-middle"): [p["posterior"][1] for p in parameters],
            say("column-range"): [span(p["posterior"][0], p["posterior"][-1]) for p in parameters],
            say("column-moved"): [round(p["shift"], 2) for p in parameters],
            say("column-left"): [percent(p["sd_ratio"]) for p in parameters],
        }
    )
    tables.append(Twin(table, say("claims-table-parameters")))
    return Section("mechanisms", say("claims-section-mechanisms"), words, pictures, tables, notes, missing)


def joining(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """log(joins/arrests) under states of knowledge."""
    from groundswell.report.figures.evidence import densities

    say, found = speaker.say, result["joining"]
    labels = {
        row["label"]: say(f"claims-stage-{row['label']}", teams=found["teams"] or "", asked=found["asked"])
        for row in found["stages"]
    }
    masses = {labels[row["label"]]: row["histogram"] for row in found["stages"]}
    notes = {labels[row["label"]]: percent(row["probability"]) for row in found["stages"]}
    axes = densities(np.linspace(-4, 4, 65).tolist(), masses, notes=notes, words=speaker)
    told = "; ".join(f"{label} {notes[label]}" for label in masses)
    table = Table(
        {
            say("column-given"): list(masses),
            say("column-probability"): list(notes.values()),
            say("column-error"): [percent(row["error"]) for row in found["stages"]],
            f"log, {say('column-middle')}": [row["quantiles"][2] for row in found["stages"]],
            f"log, {say('column-range')}": [span(row["quantiles"][0], row["quantiles"][-1]) for row in found["stages"]],
        }
    )
    picture = Picture(svg(axes, "joining"), say("claims-caption-joining"), say("claims-alt-joining", rows=told))
    words = [answers.joining(result, speaker), say("claims-words-joining")]
    return Section(
        "joining", say("claims-section-joining"), words, [picture], [Twin(table, say("claims-table-joining"))]
    )


def method(result: Mapping[str, Any], speaker: Speaker) -> Section:
    """What was done, and its limits."""
    say, quality, size = speaker.say, result["quality"], result["size"]
    effective = ", ".join(f"{name} {number(value)}" for name, value in quality["effective_draws"].items())
    words = [
        say("claims-method-model"),
        say("claims-method-reporting"),
        say("claims-method-direction"),
        say(
            "claims-method-numbers", draws=size["draws"], histories=size["histories"],
            filters=f"{quality['filters']:,}", effective=effective, noise=number(quality["log_likelihood_sd"]),
            exploded=result["exploded_prior_draws"], priors=size["prior_draws"],
        ),
        say("claims-method-use"),
    ]  # fmt: skip
    documents = result["case"].get("documents", {})
    sources = [say("claims-document", short=short, title=title) for short, title in documents.items()]
    grains = Table(
        {
            say("column-grain"): [row["grain"] for row in result["grains"]],
            say("column-exactly"): [percent(row["exactly"]) for row in result["grains"]],
            say("column-otherwise"): [percent(row["otherwise"]) for row in result["grains"]],
        }
    )
    return Section(
        "method", say("claims-section-method"), words, [], [Twin(grains, say("claims-table-grains"))],
        [*result["notes"], *sources],
    )  # fmt: skip
