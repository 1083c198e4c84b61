"""One place where a seed becomes randomness."""

from __future__ import annotations

import numpy as np

from groundswell.errors import UsageError


def generator(seed: int) -> np.random.Generator:
    """A numpy Generator (PCG64) from a non-negative whole seed.

    The same seed gives the same answer, always; every stochastic function of
    the package takes the Generator as its keyword `rng` and has no default.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(
            f"seed is {seed!r}; expected a whole number, 0 or more. Runs with the same seed give the same result."
        )
    return np.random.Generator(np.random.PCG64(int(seed)))


def keyed(root: int, *key: int) -> np.random.Generator:
    """The Generator that belongs to `key` (say stage, move, particle) under `root`.

    Work that is spread over processes draws from keyed generators, so that the
    answer does not depend on how many processes there are or who finishes first.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(root, spawn_key=key)))


def hash_key(rng: np.random.Generator) -> np.uint64:
    """The 64-bit key of an agent engine's counter-based hash, drawn from `rng`."""
    return rng.integers(0, 2**64, dtype=np.uint64)
