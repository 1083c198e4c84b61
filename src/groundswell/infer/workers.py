"""The same function in one or several processes, with the same answers in the same order."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_work: Callable[..., Any] | None = None


class Workers:
    """`make(*arguments)` builds the function once in every process; `map` applies it to tuples of arguments.

    With one process everything runs here. Otherwise processes are started from a clean one that has imported
    the function's module (where the system has such, else afresh; never forked from here, so that threads and
    compiled code are safe). Ctrl-C reaches the parent alone, which ends them.
    """

    def __init__(self, function: tuple[Callable[..., Any], tuple], processes: int) -> None:
        self.make, self.arguments = function
        self.processes = processes
        self.pool: Any = None

    def __enter__(self) -> Workers:
        if self.processes == 1:
            self.work = self.make(*self.arguments)
            return self
        from concurrent.futures import ProcessPoolExecutor

        self.pool = ProcessPoolExecutor(
            self.processes,
            mp_context=_context(self.make.__module__),
            initializer=_begin,
            initargs=(self.make, self.arguments),
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)

    def map(self, tasks: Sequence[tuple]) -> list[Any]:
        """Results in the order of the tasks."""
        return list(self.each(tasks))

    def each(self, tasks: Sequence[tuple]) -> Iterator[Any]:
        """The results one after the other, in the order of the tasks, as they come in."""
        if self.pool is None:
            yield from (self.work(*task) for task in tasks)
            return
        size = max(1, len(tasks) // (16 * self.processes))
        chunks = [tasks[i : i + size] for i in range(0, len(tasks), size)]
        for chunk in self.pool.map(_run, chunks):
            yield from chunk


def _context(module: str) -> Any:
    import multiprocessing

    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


def _begin(make: Callable[..., Any], arguments: tuple) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _work = make(*arguments)
    gc.freeze()  # what is there by now stays, and need not be looked through again and again


def _run(tasks: Sequence[tuple]) -> list[Any]:
    assert _work is not None
    return [_work(*task) for task in tasks]
