"""Speed of threshold cascades: the engine alone, on a graph that is there; its peer is ndlib, else the plain twin.

Persons join once a tenth of their neighbours have, on a random graph with 20 ties a person, from one in a hundred at
random: everyone joins, within seven steps. Timed is `spread` from the numbers of neighbours needed: checking and
copying them, every step, and the list of who joined when. Drawing the graph is not (some 12 s for 1e8 ties).

The peers run on a small graph, their answers are compared with ours step by step, and their time is scaled up by ties.
That flatters them: their work a tie grows once a graph leaves the cache. As a script this file is what the peers'
interpreter runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Line, best_of

ROOT = Path(__file__).parents[1]
INTERPRETER = ROOT / ".venv-bench" / "bin" / "python"
GOAL = "1.0 s, 1.2 GB"
SHARE, TIES_EACH, SEEDS = 0.1, 20.0, 0.01
SMALL = 20_000


@cache
def case(persons: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """(graph, needed, seeds) of so many persons."""
    from groundswell.models.agents.cascade_parts import Fraction, RandomSeeds
    from groundswell.models.agents.networks import RandomGraph
    from groundswell.rng import generator

    graph = RandomGraph(persons, TIES_EACH).draw(rng=generator(1))
    needed = Fraction(SHARE).needed(graph.degree, np.zeros(0)).astype(np.uint8)
    return graph, needed, RandomSeeds(SEEDS).pick(graph, np.uint64(1))


def ours(persons: int, runs: int) -> float:
    """Seconds of a cascade."""
    from groundswell.models.agents.spreading import spread

    graph, needed, seeds = case(persons)
    return best_of(lambda: spread(graph, needed, seeds), runs)


def peer(persons: int) -> float:
    """Seconds of the peer on the small graph, scaled up by ties to that of so many persons."""
    from groundswell.models.agents.spreading import spread

    graph, needed, seeds = case(SMALL)
    expected = spread(graph, needed, seeds).active.tolist()
    seconds, active = _ndlib(graph, seeds, len(expected)) if INTERPRETER.exists() else _twin(graph, needed, seeds)
    if active[: len(expected)] != expected:
        raise ValueError(f"the peer's persons active by step are {active}, ours {expected}; no time counts.")
    return seconds * case(persons)[0].ties / graph.ties


def _twin(graph: Any, needed: np.ndarray, seeds: np.ndarray) -> tuple[float, list[int]]:
    from tests.naive.cascade import steps_of, ties_of

    ties = ties_of(graph)
    start = time.perf_counter()
    joined = np.array(steps_of(ties, needed.tolist(), seeds.tolist(), 8))
    return time.perf_counter() - start, [int(((joined >= 0) & (joined <= step)).sum()) for step in range(9)]


def _ndlib(graph: Any, seeds: np.ndarray, steps: int) -> tuple[float, list[int]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "case.npz"
        np.savez(file, pairs=graph.pairs(), persons=len(graph), seeds=seeds, steps=steps)
        command = [str(INTERPRETER), "-m", "benchmarks.cascades", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"ndlib failed:\n{done.stderr}")
    told = json.loads(done.stdout.splitlines()[-1])
    return told["seconds"], told["active"]


def _script(file: str) -> None:
    """ndlib's threshold model on the case in a file, to standard output."""
    import ndlib.models.epidemics as epidemics  # type: ignore[import-not-found]
    import ndlib.models.ModelConfig as config  # type: ignore[import-not-found]
    import networkx  # type: ignore[import-not-found]

    with np.load(file) as held:
        pairs, persons, seeds, steps = (held[name] for name in ("pairs", "persons", "seeds", "steps"))
    graph = networkx.Graph()
    graph.add_nodes_from(range(int(persons)))
    graph.add_edges_from(pairs.tolist())
    settings = config.Configuration()
    settings.add_model_initial_configuration("Infected", seeds.tolist())
    for person in range(int(persons)):
        settings.add_node_configuration("threshold", person, SHARE)
    model = epidemics.ThresholdModel(graph)
    model.set_initial_status(settings)
    start = time.perf_counter()
    told = [model.iteration(node_status=False) for _ in range(int(steps))]
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "active": [int(step["node_count"][1]) for step in told]}))


def lines() -> list[Line]:
    """A million persons, and the goal's ten million."""
    name = ("ndlib" if INTERPRETER.exists() else "slow twin") + f" on {SMALL:,} persons, scaled by ties"
    what = "graph given, 20 ties a person, 1 thread"
    return [
        Line(f"agents/threshold cascade, 1e6 persons and 1e7 ties, {what}", GOAL, lambda: ours(1_000_000, 5),
             lambda: peer(1_000_000), name),
        Line(f"agents/threshold cascade, 1e7 persons and 1e8 ties, {what}", GOAL, lambda: ours(10_000_000, 3),
             lambda: peer(10_000_000), name, goal_seconds=1.0),
    ]  # fmt: skip


if __name__ == "__main__":
    _script(*sys.argv[1:])
