"""Second derivatives of the ETAS log density: one pass over pairs in place of two for every parameter.

The logarithm of w, what an earlier event adds, has in each parameter a slope that is linear in seven terms,
phi = (1, excess, log2 a, 1 / a, log2 b, 1 / b, excess / b) (`_etas_loops`), and its second derivatives are linear in
their products. Sums of w phi phi' over pairs are therefore all that is needed of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from groundswell.models.events.etas import Triggering

LN2 = math.log(2)
SHORTEST_DAYS = 1e-9
SMALLEST_KM2 = 1e-9
"""A c or D below is taken as this: the kernel is a spike already, and stays finite."""

SHAPE = ("alpha", "c", "p", "D", "gamma", "q")
"""The parameters of w, in field order."""


def log_slopes(part: Triggering) -> np.ndarray:
    """(6, 7) slopes of log w in the parameters of SHAPE: this matrix times phi."""
    c, area, p, q = max(part.c, SHORTEST_DAYS), max(part.D, SMALLEST_KM2), part.p, part.q
    return np.array(
        [
            [0, 1, 0, 0, 0, 0, 0],
            [(p - 1) / c, 0, 0, -p / c, 0, 0, 0],
            [1 / max(p - 1, 1e-300), 0, -LN2, 0, 0, 0, 0],
            [(q - 1) / area, 0, 0, 0, 0, -q / area, 0],
            [0, q - 1, 0, 0, 0, 0, -q],
            [1 / max(q - 1, 1e-300), 0, 0, 0, -LN2, 0, 0],
        ]
    )


def second_derivatives(part: Triggering, products: np.ndarray) -> np.ndarray:
    """(6, 6) sums of the second derivatives of w, from the sums of w phi phi' (7, 7), over whatever pairs."""
    c, area, p, q = max(part.c, SHORTEST_DAYS), max(part.D, SMALLEST_KM2), part.p, part.q
    slopes = log_slopes(part)
    of_log = np.zeros((6, 6))
    one, excess, inverse_a, inverse_b, excess_b = products[0, [0, 1, 3, 5, 6]]
    bend = -q * (excess_b - products[5, 6])
    of_log[1, 1] = (p * products[3, 3] - (p - 1) * one) / c**2
    of_log[1, 2] = (one - inverse_a) / c
    of_log[2, 2] = -one / max(p - 1, 1e-150) ** 2
    of_log[3, 3] = (q * products[5, 5] - (q - 1) * one) / area**2
    of_log[3, 4] = bend / area
    of_log[3, 5] = (one - inverse_b) / area
    of_log[4, 4] = -q * (products[1, 6] - products[6, 6])
    of_log[4, 5] = excess - excess_b
    of_log[5, 5] = -one / max(q - 1, 1e-150) ** 2
    return slopes @ products @ slopes.T + of_log + np.triu(of_log, 1).T


def of_rates(part: Triggering, products: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """(8, 8) minus the second derivatives of the sum of log rates, in background, offspring and SHAPE.

    products (7, 7) are sums of w phi phi' / rate, squares (8, 8) those of parts times parts / rate^2, parts being
    (spread, sum of w phi): see `_etas_loops.weigh_products`.
    """
    slopes = log_slopes(part)
    whole = np.zeros((8, 8))
    whole[0, 0] = whole[1, 1] = 1
    whole[2:, 1:] = part.offspring * slopes
    curved = np.zeros((8, 8))
    curved[1, 2:] = curved[2:, 1] = slopes @ products[:, 0]
    curved[2:, 2:] = part.offspring * second_derivatives(part, products)
    return whole @ squares @ whole.T - curved
