"""Pictures of a grid as text for a page: as many cells in a byte as fit, then base 64.

Agents that move leave little to a compressor: deflate made such pictures 34 to 44 % smaller, at the price of a page
that only the newest browsers open (docs/decisions/059). `unpack` of replay.js is the inverse.
"""

from __future__ import annotations

import base64

import numpy as np


def cells_in_a_byte(states: int) -> int:
    """How many cells of so many states one byte holds: 8 of 2, 5 of 3, 3 of 5."""
    return max(n for n in range(1, 9) if max(states, 2) ** n <= 256)


def packed(frames: np.ndarray, states: int) -> str:
    """(K, rows, columns) uint8 below `states`, in that order, the first cell of a byte in its lowest digit."""
    count = cells_in_a_byte(states)
    flat = np.ravel(frames)
    digits = np.pad(flat, (0, -len(flat) % count)).reshape(-1, count)
    weights = max(states, 2) ** np.arange(count)
    return base64.b64encode((digits @ weights).astype(np.uint8).tobytes()).decode("ascii")
