"""Packages that evaluate the Hawkes log density, as peers: tick, hawkesbook and HawkesPyLib.

They live in an environment of their own (`make bench-peers`), because they ask for other versions than the project.
This file runs on both sides: imported here, and as a script by the peers' interpreter, which gets the events in a file
and answers in JSON. A time counts only if the peer's numbers are ours: `answer` refuses others.

What each computes. tick: value and gradient in background and offspring, at a decay that is given; at a new decay it
prepares anew, which is part of its time here. It has no derivative in the decay. hawkesbook and HawkesPyLib: value, and
in a second pass the gradient in all three parameters of one kind of events; compiled by numba, as ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import best_of

ROOT = Path(__file__).parents[1]
INTERPRETER = ROOT / ".venv-bench" / "bin" / "python"
AGREE = 1e-8
"""Largest relative difference to ours. The peers' plain sums of a million terms lose some 1e-11."""


@dataclass(frozen=True, eq=False)
class Case:
    """Events of K kinds over [0, days], and where to evaluate; offspring (K, K), row the sender."""

    times: np.ndarray
    kind: np.ndarray
    days: float
    background: np.ndarray
    offspring: np.ndarray
    decay: float


@dataclass(frozen=True, eq=False)
class Answer:
    """Value, derivatives in background, offspring and decay (None: the peer has none), seconds of one evaluation."""

    value: float
    background: np.ndarray
    offspring: np.ndarray
    decay: float | None
    seconds: float


def present() -> bool:
    """Whether the peers' environment is there."""
    return INTERPRETER.exists()


def name(peer: str) -> str:
    """What the peer is called in the table."""
    has = {"tick": "value and gradient without the decay's, 1 thread, at a new decay"}
    if not present():
        return f"{peer} is absent: make bench-peers"
    return f"{peer}, {has.get(peer, 'value, then gradient')}"


def answer(peer: str, case: Case, ours: Answer, runs: int = 9) -> Answer:
    """The peer's numbers and time, best of so many runs; ValueError unless they are ours to AGREE."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "case.npz"
        np.savez(file, **vars(case))
        command = [str(INTERPRETER), "-m", "benchmarks.hawkes_peers", peer, str(file), str(runs)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"{peer} failed:\n{done.stderr}")
    told = json.loads(done.stdout.splitlines()[-1])
    theirs = Answer(
        told["value"], np.array(told["background"]), np.array(told["offspring"]), told["decay"], told["seconds"]
    )
    agreeing(peer, theirs, ours)
    return theirs


def agreeing(peer: str, theirs: Answer, ours: Answer) -> None:
    """ValueError for the first number that differs. Slopes are compared on the scale of their two opposed sums."""
    for what in ("value", "background", "offspring", "decay"):
        given, expected = getattr(theirs, what), getattr(ours, what)
        if given is None:
            continue
        size = np.maximum(np.abs(expected), abs(ours.value) if what != "value" else 0)
        if not (np.abs(given - expected) <= AGREE * size).all():
            raise ValueError(
                f"{peer}: {what} is {given}, ours {expected}; not the same computation, so no time counts."
            )


def _tick(case: Case, runs: int) -> dict[str, Any]:
    from tick.hawkes import ModelHawkesExpKernLogLik  # type: ignore[import-not-found]

    kinds, count = len(case.background), len(case.times)
    model = ModelHawkesExpKernLogLik(case.decay, n_threads=1)
    model.fit([case.times[case.kind == k] for k in range(kinds)], end_times=case.days)
    at = np.concatenate([case.background, case.offspring.T.ravel()])  # its adjacency has a row for the receiver
    loss, slope = model.loss_and_grad(at)
    slope = -count * slope
    moved = [0]

    def work() -> None:
        moved[0] += 1
        model.decay = case.decay * (1 + 1e-3 * moved[0])
        model.loss_and_grad(at)

    return {
        "value": -count * loss - kinds * case.days,  # its loss is (-log density - kinds x days) / events
        "background": slope[:kinds].tolist(),
        "offspring": slope[kinds:].reshape(kinds, kinds).T.tolist(),
        "decay": None,
        "seconds": best_of(work, runs),
    }


def _of_one_kind(case: Case, runs: int, evaluate: Callable[[float, float, float], tuple[float, Any]]) -> dict[str, Any]:
    """From value and slopes in background, offspring and decay, at numbers that a search would come to."""
    at = float(case.background[0]), float(case.offspring[0, 0]), float(case.decay)
    value, slope = evaluate(*at)
    return {
        "value": float(value),
        "background": [float(slope[0])],
        "offspring": [[float(slope[1])]],
        "decay": float(slope[2]),
        "seconds": best_of(lambda: evaluate(at[0], at[1], at[2] * (1 + 1e-3)), runs),
    }


def _hawkesbook(case: Case, runs: int) -> dict[str, Any]:
    import hawkesbook  # type: ignore[import-not-found]

    def evaluate(background: float, offspring: float, decay: float) -> tuple[float, Any]:
        at = np.array([background, offspring * decay, decay])  # its jump is offspring times decay
        value = hawkesbook.exp_log_likelihood(case.times, case.days, at)
        slope = hawkesbook.deriv_exp_log_likelihood(case.times, case.days, at)
        return value, (slope[0], slope[1] * decay, slope[2] + slope[1] * offspring)

    return _of_one_kind(case, runs, evaluate)


def _hawkespylib(case: Case, runs: int) -> dict[str, Any]:
    from HawkesPyLib.core.logll import uvhp_expo_logL, uvhp_expo_logL_grad  # type: ignore[import-not-found]

    def evaluate(background: float, offspring: float, decay: float) -> tuple[float, Any]:
        at = np.array([background, offspring, 1 / decay])  # its theta is the mean delay; it minimises
        value, slope = uvhp_expo_logL(at, case.times, case.days), uvhp_expo_logL_grad(at, case.times, case.days)
        return -value, (-slope[0], -slope[1], slope[2] / decay**2)

    found = _of_one_kind(case, runs, evaluate)
    # 0.3.0 has the edge's part of the slope in theta, offspring / theta^2 times x = lag exp(-lag / theta) up to the end
    # of the window, with the wrong sign, and for the first event with a factor too many, as differences of its own
    # value show. It is put right here, outside the time, so that the rest of the slope is compared
    offspring, theta = float(case.offspring[0, 0]), 1 / case.decay
    lag = case.days - case.times
    edge = lag * np.exp(-lag / theta)
    extra = offspring / theta**2 * (offspring / theta**2 * edge[0] - edge[0] - 2 * edge[1:].sum())
    found["decay"] += float(extra * theta**2)
    return found


PEERS: dict[str, Callable[[Case, int], dict[str, Any]]] = {
    "tick": _tick,
    "hawkesbook": _hawkesbook,
    "HawkesPyLib": _hawkespylib,
}


def _script(peer: str, file: str, runs: str) -> None:
    with np.load(file) as stored:
        given = {key: stored[key] for key in stored.files}
    case = Case(**{**given, "days": float(given["days"]), "decay": float(given["decay"])})
    print(json.dumps(PEERS[peer](case, int(runs))))


if __name__ == "__main__":
    _script(*sys.argv[1:])
