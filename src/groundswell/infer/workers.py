"""The same function in one or several processes, with the same answers in the same order."""

from __future__ import annotations

import gc
import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from threading import Thread
from typing import Any

_numbers = count()
_kept: tuple[int, Any] | None = None
"""Processes that several `Workers` share, and how many: in `kept_alive`."""
_work: tuple[int, Callable[..., Any]] | None = None
"""In a worker: the function that it has built, and whose it is."""


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
        if _kept is not None and _kept[0] == self.processes:
            # sent with every chunk, so that whichever process takes one can build the function
            self.pool, self.sent = _kept[1], (next(_numbers), pickle.dumps((self.make, self.arguments)))
        else:
            self.pool, self.sent = _pool(self.processes, self.make.__module__, self.make, self.arguments), None
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool is not None and self.sent is None:
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
        for chunk in self.pool.map(_run, [self.sent] * len(chunks), chunks):
            yield from chunk


@contextmanager
def kept_alive(processes: int, module: str) -> Iterator[None]:
    """Within it all `Workers` of so many processes share them: starting some costs seconds, each time.

    module : that of the functions, or most of them.
    """
    global _kept
    if processes == 1 or _kept is not None:
        yield
        return
    pool = _pool(processes, module)
    # they start while the caller is still at what it does alone
    starting = Thread(target=lambda: [pool.submit(_nothing) for _ in range(processes)], daemon=True)
    starting.start()
    _kept = (processes, pool)
    try:
        yield
    finally:
        _kept = None
        starting.join()
        pool.shutdown(wait=True, cancel_futures=True)


def _pool(processes: int, module: str, *function: Any) -> Any:
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(processes, mp_context=_context(module), initializer=_begin, initargs=function)


def _context(module: str) -> Any:
    import multiprocessing

    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


def _begin(make: Callable[..., Any] | None = None, arguments: tuple = ()) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if make is not None:
        _build(-1, make, arguments)


def _nothing() -> None:
    """A task that makes an executor start a process."""


def _build(number: int, make: Callable[..., Any], arguments: tuple) -> None:
    global _work
    if _work is not None:  # what was kept for the function before can go
        _work = None
        gc.unfreeze()
        gc.collect()
    _work = (number, make(*arguments))
    gc.freeze()  # what is there by now stays, and need not be looked through again and again


def _run(sent: tuple[int, bytes] | None, tasks: Sequence[tuple]) -> list[Any]:
    if sent is not None and (_work is None or _work[0] != sent[0]):
        _build(sent[0], *pickle.loads(sent[1]))
    assert _work is not None
    return [_work[1](*task) for task in tasks]
