"""The short answers of a study of claims, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundswell.report.language import Speaker, number, percent
from groundswell.report.words import listed


def lean(result: Mapping[str, Any], speaker: Speaker) -> str:
    """On which side of what the model finds each side's figures lie, where the claims can tell."""
    said, open_cells = [], []
    for row in result["lean"]:
        name = row["stance"].replace("_", " ")
        low, _, middle, _, high = row["factor"]
        if row["above"] > 0.95 or row["above"] < 0.05:
            key = "claims-lean-up" if row["above"] > 0.5 else "claims-lean-down"
            said.append(
                speaker.say(
                    key, stance=name, kind=row["kind"], low=number(low), middle=number(middle), high=number(high)
                )
            )
        else:
            open_cells.append(f"{name}: {row['kind']}")
    if not said:
        return speaker.say("claims-lean-none")
    if open_cells:
        said.append(speaker.say("claims-lean-open", cells=listed(open_cells, speaker)))
    return " ".join(said)


def mechanisms(result: Mapping[str, Any], speaker: Speaker) -> str:
    """Which mechanisms the claims need, and about which they cannot tell."""
    if not result.get("components"):
        return speaker.say("claims-say-mechanisms-missing")
    parts = []
    for verdict, key in (("needed", "needed"), ("not wanted", "unwanted"), ("cannot tell", "open")):
        names = [
            speaker.say(f"mechanism-name-{row['left_out']}")
            for row in result["components"]
            if row["verdict"] == verdict
        ]
        if names:
            parts.append(speaker.say(f"claims-say-{key}", names=listed(names, speaker)))
    return " ".join(parts)


def joining(result: Mapping[str, Any], speaker: Speaker) -> str:
    """Whether joining outpaced arrests, and whether that is identified at all."""
    found = result["joining"]
    stages = {row["label"]: row for row in found["stages"]}
    said = {claim["id"]: claim["said"] for claim in result["claims"]}
    values = {
        "prior": percent(stages["prior"]["probability"]),
        "asked": said[found["asked"]],
        "claim": percent(stages["ratio"]["probability"]),
        "posterior": percent(found["ratio_hidden"]["probability"]),
    }
    if not found["teams"]:
        return speaker.say("claims-say-joining-bare", **values)
    values |= {"teams": said[found["teams"]], "given": percent(stages["teams"]["probability"])}
    key = "claims-say-joining-moved" if found["identified"] else "claims-say-joining-open"
    settle = speaker.say(
        "claims-say-joining-settle",
        formed=found["settling"][0],
        broken=found["settling"][1],
        settled=percent(stages["settled"]["probability"]),
    )
    return f"{speaker.say(key, **values)} {settle}"
