"""Run a study of claims from its folder to its outputs; the long form can be interrupted and resumed."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from groundswell import __version__
from groundswell.data.files import (
    contents,
    files_of_run,
    replacing_contents,
    rounded,
    writable_folder,
    write_json,
    write_text,
)
from groundswell.data.table import Table
from groundswell.errors import DataError, nearest
from groundswell.infer.base import Progress, fit, silent
from groundswell.infer.target import Start, Target
from groundswell.infer.tempered import TemperedSMC
from groundswell.infer.workers import kept_alive
from groundswell.rng import generator, keyed
from groundswell.studies.case import COMPONENTS, Built, Case, plain
from groundswell.studies.conditioning import FORM, Size, condition
from groundswell.studies.counts_check import check_tables
from groundswell.studies.moved import own_priors
from groundswell.studies.reweighing import refit
from groundswell.studies.second_look import Anew, second_tables, to_fit

BUNDLED = {"iran-2017": "iran2017"}
"""Studies that come with the package, by name."""

REPLICATES = 3
"""Replicates of every evidence in the full run: its Monte Carlo error is part of the answer."""

DECISIVE = float(np.log(3.0))
"""Log Bayes factor below which two accounts are not told apart; 1 to 3 is "not worth more than a bare mention" in
Kass and Raftery (1995), Bayes factors, J. Am. Stat. Assoc. 90, section 3.2."""


@dataclass(frozen=True)
class Effort:
    """Sizes of the main run and of one part of the full run: an evidence, or a fit with claims left out.

    Worth 100 draws, a mean is known to a tenth of its posterior sd; three evidences on either side leave a log Bayes
    factor an error of .08, where less than 1.1 is not `DECISIVE`.
    """

    main: Size = field(default_factory=Size)
    part: Size = field(default_factory=lambda: Size(draws=200, effective=100.0, most=8_000))


def folder_of(study: str) -> Path:
    """The folder of a bundled study, or the user's own folder with a study.toml."""
    if study in BUNDLED:
        return Path(str(resources.files("groundswell.studies") / BUNDLED[study]))
    folder = Path(study)
    if (folder / "study.toml").is_file():
        return folder
    raise DataError(
        f'"{study}" is neither a study of the package ({", ".join(BUNDLED)}) nor a folder with a study.toml.'
        + nearest(study, BUNDLED)
        + " `groundswell study new FOLDER` makes one."
    )


def run_study(
    study: str,
    out: Path,
    *,
    seed: int,
    processes: int,
    full: bool = False,
    anchors: bool = False,
    anchor: str | None = None,
    effort: Effort | None = None,
    progress: Progress = silent,
    also: Callable[[Mapping[str, Any], Path], object] | None = None,
) -> dict[str, Any]:
    """Run a study and write its tables, result.json, run.json and resolved case.toml into `out`; return the result.

    All of it takes the place of an earlier run's at once, when everything is there. full : every anchor, what the
    answers rest on fitted anew, and every account without a mechanism, resumable; anchors : of these every anchor
    alone. also : what else is to be written from the result, such as a report. result["reasons"] says which limits a
    run missed, its own, an anchor's or an evidence's; it is empty if none.
    """
    effort = effort or Effort()
    folder = folder_of(study)
    case = Case.read(folder / "study.toml")
    if anchor is not None:
        case = case.anchored(anchor)
    built = case.build(folder)
    writable_folder(out)
    started = datetime.now(UTC)
    share = 0.1 if full else 0.3 if anchors else 1.0

    def main() -> dict[str, Any]:
        result, timings = condition(
            built, effort.main, seed=seed, processes=processes, persons=full,
            progress=lambda s, w: progress(share * s, w),
        )  # fmt: skip
        return {"result": result, "timings": timings}

    key = _digest(built, case, "main", seed, asdict(effort.main), *(["persons"] if full else []))
    with kept_alive(processes, Target.__module__):
        found = _once(out, "main", key, main) if full or anchors else main()
        result = found["result"]
        result |= {"anchors": None, "components": None, "reasons": list(result["quality"]["reasons"])}
        if full:
            _in_full(result, case, folder, built, out, seed, processes, effort, progress)
        elif anchors:
            _anchors(
                result, case, folder, built, out, seed, processes, effort,
                lambda done, words: progress(share + (1 - share) * done, words),
            )  # fmt: skip
    # as it will be read again: a report made now and one made later are the same bytes
    result = json.loads(json.dumps(rounded(result), sort_keys=True, allow_nan=False))
    run = {
        "started": started.isoformat(),
        "version": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "folder": str(folder),
        "full": full,
        "anchors": full or anchors,
        "effort": asdict(effort),
        **found["timings"],
    }
    import tomli_w

    with replacing_contents(out, files_of_run(out)) as new:
        write_tables(result, new)
        write_text(new / "case.toml", tomli_w.dumps(plain(case)))
        if also is not None:
            also(result, new)
        write_json(new / "result.json", result)
        write_json(new / "run.json", run | {"files": contents(new)})
    return result


def _in_full(
    result: dict[str, Any], case: Case, folder: Path, built: Built, out: Path, seed: int, processes: int,
    effort: Effort, progress: Progress,
) -> None:  # fmt: skip
    """Add every anchor, the evidence of every account with one mechanism left out, in replicates, and then what the
    weights of the main run cannot tell of what it rests on.
    """
    anew = to_fit(built, result["look"])
    others = len(built.claims.weighed.stances()) - 1
    evidences = REPLICATES * len(_accounts(case))
    steps = others + evidences + len(anew)

    def report(done: int, share: float, words: str) -> None:
        progress(0.1 + 0.9 * (done + share) / steps, words)

    _anchors(
        result, case, folder, built, out, seed, processes, effort,
        lambda share, words: report(0, others * share, words),
    )  # fmt: skip
    # every other part is near the main run, and begins where its posterior lies; as a resumed run will read it
    start = Start(**rounded(result["start"]))
    sampler = effort.part.method(processes)
    assert isinstance(sampler, TemperedSMC)
    method = replace(sampler, start=start)
    evidence_of_components(
        result, case, folder, built, out, seed, method,
        lambda share, words: report(others, evidences * share, words),
    )  # fmt: skip
    for done, part in enumerate(anew, start=others + evidences):

        def told(share: float, words: str, done: int = done, part: Anew = part) -> None:
            report(done, share, f"{part.name}: {words}")

        def fitted(part: Anew = part, told: Progress = told) -> dict[str, Any]:
            rng = keyed(seed, 12, 1_000 + part.number)
            found = refit(
                built, part.reading, method, log_evidence=result["log_evidence"], rng=rng, processes=processes,
                progress=told,
            )  # fmt: skip
            return part.row(found)

        key = _digest(built, case, part.name, repr(part.reading), seed, repr(replace(method, processes=1)), start)
        part.put(_once(out, part.name, key, fitted))


def _accounts(case: Case) -> list[tuple[str, Case]]:
    """ "all" is the case as it is; the others lack a mechanism each, and have its name."""
    return [("all", case), *((name, case.without(name)) for name in COMPONENTS if name not in case.leave_out)]


def evidence_of_components(
    result: dict[str, Any], case: Case, folder: Path, built: Built, out: Path, seed: int, method: TemperedSMC,
    progress: Progress = silent,
) -> None:  # fmt: skip
    """Add the evidence of every account with one mechanism left out, in replicates, as `component_rows`.

    method : of every evidence, a `TemperedSMC` that may begin where the posterior of the case lies.
    """
    accounts = _accounts(case)
    evidence: dict[str, list[float]] = {name: [] for name, _ in accounts}
    tasks = [(replicate, *account) for replicate in range(REPLICATES) for account in accounts]
    for done, (replicate, name, account) in enumerate(tasks):
        what = f"evidence of {name}, replicate {replicate + 1}"

        def told(share: float, words: str, done: int = done, what: str = what) -> None:
            progress((done + share) / len(tasks), f"{what}: {words}")

        def weighed(account: Case = account, replicate: int = replicate, told: Progress = told) -> dict[str, Any]:
            made = account.build(folder)
            rng = generator(1_000 * (seed + 1) + replicate)
            found = fit(made.account, made.setting, made.observed(), method, rng=rng, fixed=made.held, progress=told)
            return {"log_evidence": found.log_density, "short": [] if found.converged else [found.status]}

        key = _digest(built, account, replicate, seed, repr(replace(method, processes=1)), method.start)
        found = _once(out, f"evidence {name} {replicate + 1}", key, weighed)
        evidence[name].append(found["log_evidence"])
        result["reasons"] += [f"{what}: {why}" for why in found["short"]]
    result["components"] = component_rows(evidence)


def _anchors(
    result: dict[str, Any], case: Case, folder: Path, built: Built, out: Path, seed: int, processes: int,
    effort: Effort, progress: Progress,
) -> None:  # fmt: skip
    """Add the answers under every anchor, each by a run of its own that begins where the main run's posterior lies."""
    start = Start(**rounded(result["start"]))
    stances = built.claims.weighed.stances()
    others = [stance for stance in stances if stance != case.anchor]
    shown = ("lean", "paths", "quality", "claims", "joining", "log_evidence")
    anchors: dict[str, Any] = {case.anchor: {key: result[key] for key in shown}}
    for done, stance in enumerate(others):

        def report(share: float, words: str, done: int = done, stance: str = stance) -> None:
            progress((done + share) / len(others), f"anchor {stance}: {words}")

        def anchored(stance: str = stance, report: Progress = report) -> dict[str, Any]:
            made = case.anchored(stance).build(folder)
            found, _ = condition(
                made, effort.main, seed=seed, processes=processes, progress=report, start=start, second=False
            )
            return {key: found[key] for key in shown}

        anchors[stance] = _once(
            out, f"anchor {stance}", _digest(built, case, stance, seed, asdict(effort.main), start), anchored
        )
        result["reasons"] += [f"anchor {stance}: {reason}" for reason in anchors[stance]["quality"]["reasons"]]
    result["anchors"] = {name: anchors[name] for name in stances}


def component_rows(evidence: Mapping[str, list[float]]) -> list[dict[str, Any]]:
    """Log Bayes factor of the whole account against the one without a mechanism, with Monte Carlo error."""
    whole = np.array(evidence["all"])
    rows = []
    for name, values in evidence.items():
        if name == "all":
            continue
        without = np.array(values)
        difference = float(whole.mean() - without.mean())
        error = float(np.sqrt(whole.var(ddof=1) / len(whole) + without.var(ddof=1) / len(without)))
        told = abs(difference) > max(DECISIVE, 2 * error)
        rows.append(
            {
                "left_out": name,
                "log_bayes_factor": difference,
                "monte_carlo_error": error,
                "replicates": [float(v) for v in without],
                "verdict": ("needed" if difference > 0 else "not wanted") if told else "cannot tell",
            }
        )
    return rows


def _once(out: Path, name: str, digest: str, work: Any) -> dict[str, Any]:
    """The result of `work`, from its file if an earlier run with the same inputs wrote it."""
    path = out / "runs" / f"{name.replace(' ', '-')}.json"
    if path.is_file():
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError:
            kept = {}
        if kept.get("digest") == digest:
            return kept["result"]
    result = work()
    write_json(path, {"digest": digest, "result": result})
    return result


def _digest(built: Built, case: Case, *parts: Any) -> str:
    """Of all that a part of the run depends on: a changed table of places makes it anew, as changed claims do."""
    places = built.setting.places.columns()
    text = json.dumps(
        [__version__, built.observed(built.record).digest(), places, plain(case), *map(str, parts)], sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


def write_tables(result: Mapping[str, Any], out: Path) -> None:
    """Every table of the result as CSV and Parquet."""
    for name, table in tables(result).items():
        table.write(out / "tables" / f"{name}.csv")
        table.write(out / "tables" / f"{name}.parquet")


def tables(result: Mapping[str, Any]) -> dict[str, Table]:
    """The tables of a result, flat, by name."""
    dates = result["dates"]
    paths: dict[str, list] = {"date": dates}
    silent_on = {f"{name}_so_far" for name in result.get("unanswered", ())}
    for name, sides in result["paths"].items():
        if name in silent_on:
            continue
        for side, levels in sides.items():
            for level, values in levels.items():
                paths[f"{name} {side} {level}"] = values
    found = {
        "paths": Table(paths),
        "claims": Table.from_rows([_flat(row) for row in result["claims"]]),
        "not_weighed": Table.from_rows(result["unweighed"]),
        "parameters": Table.from_rows([_flat(row) for row in result["parameters"]]),
        "lean": Table.from_rows([_flat(row) for row in result["lean"]]),
        "places": Table.from_rows([{**row, "seen": row["seen"][-1]} for row in result["places"]]),
        "places_by_day": Table.from_rows(
            [{"place": row["place"], **dict(zip(dates, row["seen"], strict=True))} for row in result["places"]]
        ),
    }
    found |= {name: Table.from_rows(result[name]) for name in ("expected", "provenance")}
    if result.get("counts"):
        found |= check_tables(result)
    if moved := own_priors(result):
        found["priors"] = Table.from_rows([_flat(row) for row in moved])
    if result["joining"]:
        stages = [{k: v for k, v in row.items() if k != "histogram"} for row in result["joining"]["stages"]]
        found["joining"] = Table.from_rows([_flat(row) for row in stages])
    if result.get("look"):
        found |= second_tables(result["look"])
    if result.get("persons"):
        found["persons"] = Table.from_rows([_flat(row) for row in result["persons"]["rows"]])
    if result.get("components"):
        found["components"] = Table.from_rows([_flat(row) for row in result["components"]])
    return found


LEVELS = {5: ("5 %", "25 %", "50 %", "75 %", "95 %"), 3: ("5 %", "50 %", "95 %")}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of quantiles become columns."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, list | tuple):
            labels = LEVELS.get(len(value), tuple(str(i + 1) for i in range(len(value))))
            if name == "replicates":
                labels = tuple(f"{i + 1}" for i in range(len(value)))
            out |= {f"{name} {label}": v for label, v in zip(labels, value, strict=True)}
        else:
            out[name] = value
    return out


def read_result(folder: Path) -> dict[str, Any]:
    """The result.json of a finished run; DataError if there is none."""
    path = folder / "result.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; run the study first, or name its output folder.") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path} is not the result of a study: {error}.") from error
    if not isinstance(found, dict) or not {"case", "claims", "paths", "quality"} <= set(found):
        raise DataError(
            f"{path} is not the result of a study of claims: it lacks the case, the claims or the paths. Name the "
            "output folder of `groundswell study run`; `groundswell compare` writes its own report."
        )
    written = found.get("version"), found.get("form")
    if written != (__version__, FORM):
        raise DataError(
            f"{path} was written by groundswell {written[0]} in form {written[1] or 1} of its results; this is "
            f"{__version__}, which reads form {FORM}. Run the study again."
        )
    return found
