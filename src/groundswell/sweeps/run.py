"""Running a sweep: the tasks that are not done yet, here, over processes, or over a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from groundswell.errors import DataError, GroundswellError, UsageError
from groundswell.sweeps.folder import Folder, Run, Shard, Status
from groundswell.sweeps.sweep import Sweep, Task

Progress = Callable[[float, str], None]

WAIT_SECONDS = 60
"""For the first worker of a cluster."""


def run_sweep(
    sweep: Sweep,
    folder: Folder,
    *,
    workers: int = 1,
    shard: Shard | None = None,
    again: bool = False,
    cluster: str | None = None,
    progress: Progress = lambda share, words: None,
) -> Status:
    """Run what is missing of a shard, and say how it stands then. What is done is never run twice, nor lost by Ctrl-C.

    workers : processes. again : run those that failed once more. cluster : the address of a Dask scheduler, whose
    workers see the same folder; a worker that dies there has its runs done by the others.
    """
    folder = replace(folder, path=folder.path.resolve())  # the workers of a cluster run elsewhere
    runs, task = folder.runs(shard), sweep.task()

    def parameters(run: Run) -> dict[str, float]:
        return dict(zip(folder.parameters, sweep.configurations[run.configuration].tolist(), strict=True))

    ran = 0
    calls = ((task, folder, run, parameters(run), again) for run in runs)
    for count, fresh in enumerate(_each(calls, workers, cluster), 1):
        ran += fresh
        progress(count / len(runs), f"{count:,} of {len(runs):,} runs, {count - ran:,} of them done before")
    return folder.status(shard)


def do(task: Task, folder: Folder, run: Run, parameters: dict[str, float], again: bool) -> bool:
    """One task, unless its result is there; whether it was run."""
    try:
        before = folder.read(run)
    except DataError:
        before = None
    if before is not None and not (again and "error" in before):
        return False
    folder.write(run, parameters, task(parameters, run.seed))
    return True


def _each(calls: Iterable[tuple], workers: int, cluster: str | None) -> Iterator[bool]:
    """Whether each task was run, as they come in."""
    if workers == 1 and cluster is None:
        yield from (do(*call) for call in calls)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    with nullcontext() if cluster is None else _dask(cluster):
        made: Any = Parallel(n_jobs=workers, return_as="generator_unordered")
        try:
            yield from made(delayed(do)(*call) for call in calls)
        except TerminatedWorkerError as error:
            raise GroundswellError(
                "a worker process was killed, most often for want of memory. The runs that are done are kept; the same "
                "command goes on from there, with fewer --workers if memory was short."
            ) from error


@contextmanager
def _dask(address: str) -> Iterator[None]:
    """joblib's work on the workers of a Dask scheduler, for the time of the block."""
    from joblib import parallel_config

    try:
        from distributed import Client  # type: ignore
    except ModuleNotFoundError as error:
        raise UsageError(
            'a cluster needs dask.distributed. Install it with: pip install "groundswell[cluster]"'
        ) from error
    try:
        client = Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise GroundswellError(
            f"no Dask scheduler answers at {address} ({error}). Start one with `dask scheduler`, its workers with "
            "`dask worker ADDRESS`, and give the address that it prints."
        ) from error
    with client, parallel_config(backend="dask", client=client, wait_for_workers_timeout=WAIT_SECONDS):
        yield
