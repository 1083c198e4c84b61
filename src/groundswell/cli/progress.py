"""A progress bar on a terminal, a line now and then elsewhere; always on stderr."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

QUIET_SECONDS = 15.0
"""Between two lines where there is no terminal."""

PATIENT_SECONDS = 3.0
"""After which a run that tells no progress says why it may take so long."""


@contextmanager
def patience() -> Iterator[None]:
    """For work that tells no progress: a line on stderr if it takes long, as a model's first run does."""
    words = "Working. A model's first run compiles its loops, once, which takes up to half a minute."
    timer = threading.Timer(PATIENT_SECONDS, lambda: print(words, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def bar() -> Iterator[Callable[[float, str], None]]:
    """Yield progress(share done, a few words)."""
    if not sys.stderr.isatty():
        spoken = [time.monotonic()]

        def line(share: float, words: str) -> None:
            if time.monotonic() - spoken[0] >= QUIET_SECONDS:
                spoken[0] = time.monotonic()
                print(f"{100 * share:3.0f} %  {words}", file=sys.stderr, flush=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("starting", total=1.0)
        yield lambda share, words: shown.update(task, completed=share, description=words)
