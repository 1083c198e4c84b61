"""Compiled loops of the endemic-epidemic model: the log density of counts and its gradient.

Two facts make an evaluation cheap. A column of a log-linear part mostly varies by step only
(trend, harmonics) or by place only (population, a census share), so its exponential is taken
T or P times, not P T times. And the negative binomial needs neither a gamma function nor a
logarithm per cell: Gamma(y + 1/psi) / Gamma(1/psi) psi^y is a product of y factors that can be
counted over all cells beforehand, and sums of log(1 + psi mu) are logarithms of products.

Arrays run (T, P), places last, so that the inner loops run along memory. T counts the steps
that have a density: the second to the last of the window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit


class Design(NamedTuple):
    """Everything that setting and history fix; C parts (endemic, within, between), K parameters.

    counts (T, P). factors (C, T, P): what each part's rate multiplies (offset, own last count,
    neighbours' weighted last counts; for parametric weights the last holds the offset alone).
    intercept_at (C,): places in the vector. A column is one row of *_x and of *_of, which holds its
    part and its place in the vector: over time (.., T), places (.., P) or cells (.., T, P).
    dispersion_at : place of psi, -1 for Poisson. exceeding (max y,): cells with a count above k.
    Nonzero last counts as sender_step, sender_place, sender_count, all (N,).
    weight_base (P, P), weight_x (.., P, P), weight_at: w = base exp(sum theta x), sender by row.
    """

    counts: np.ndarray
    factors: np.ndarray
    intercept_at: np.ndarray
    time_x: np.ndarray
    time_of: np.ndarray
    place_x: np.ndarray
    place_of: np.ndarray
    cell_x: np.ndarray
    cell_of: np.ndarray
    dispersion_at: int
    exceeding: np.ndarray
    log_factorials: float
    sender_step: np.ndarray
    sender_place: np.ndarray
    sender_count: np.ndarray
    weight_base: np.ndarray
    weight_x: np.ndarray
    weight_at: np.ndarray
    normalised: bool


FLUSH = 16
"""After so many factors 1 + psi mu a product becomes its logarithm; it holds means up to 1e19 / psi."""

NEARLY_POISSON = 1e-4
"""Below this psi the logarithms are taken one by one, since 1 + psi mu loses digits that 1/psi magnifies."""


@njit(cache=True, error_model="numpy")
def value_and_gradient(x, design, received, received_slopes):
    """Log density of the counts and its gradient in the vector x, (K,). Cost O(P T).

    received (T, P) and received_slopes (K of the weights, T, P) come from `weigh` where the weights
    have parameters, and are not read where they have none.
    """
    parts, steps, places = design.factors.shape
    gradient = np.zeros(x.size)
    last = parts - 1
    free_weights = design.weight_at.size > 0
    by_time, by_place = _rates(x, design)
    cells = design.cell_of.shape[0] > 0
    by_cell = _cell_rates(x, design) if cells else np.ones((1, 1, 1))

    psi = x[design.dispersion_at] if design.dispersion_at >= 0 else 0.0
    value = -design.log_factorials
    psi_slope = 0.0
    for k in range(1, design.exceeding.size):
        if psi > 0.0:
            value += design.exceeding[k] * np.log1p(psi * k)
        psi_slope += design.exceeding[k] * k / (1.0 + psi * k)

    in_time = np.zeros(parts, np.bool_)
    for m in range(design.time_of.shape[0]):
        in_time[design.time_of[m, 0]] = True
    part, mean, slope = np.empty((parts, places)), np.empty(places), np.empty(places)
    time_sums, place_sums = np.zeros((parts, steps)), np.zeros((parts, places))
    product, shares, log_product = np.ones(places), np.zeros(places), 0.0
    for t in range(steps):
        mean[:] = 0.0
        for c in range(parts):
            rate = by_time[c, t]
            for i in range(places):
                part[c, i] = rate * by_place[c, i] * design.factors[c, t, i]
            if free_weights and c == last:
                for i in range(places):
                    part[c, i] *= received[t, i]
            if cells:
                for i in range(places):
                    part[c, i] *= by_cell[c, t, i]
            for i in range(places):
                mean[i] += part[c, i]
        if psi < NEARLY_POISSON:
            for i in range(places):
                y, m = design.counts[t, i], mean[i]
                penalty, penalty_slope = _scaled_log(psi, m)
                value -= penalty
                psi_slope -= penalty_slope + y * m / (1.0 + psi * m)
                slope[i] = -(1.0 + psi * y) / (1.0 + psi * m)
        else:
            for i in range(places):
                grown = 1.0 + psi * mean[i]
                product[i] *= grown
                slope[i] = -(1.0 + psi * design.counts[t, i]) / grown
                shares[i] -= mean[i] * slope[i]
            if t % FLUSH == FLUSH - 1:
                log_product += np.log(product).sum()
                product[:] = 1.0
        for i in range(places):
            y = design.counts[t, i]
            if y > 0.0:
                value += y * np.log(mean[i] / (1.0 + psi * mean[i]))
                slope[i] += y / mean[i]
        for c in range(parts):
            for i in range(places):
                part[c, i] *= slope[i]
                place_sums[c, i] += part[c, i]
            if in_time[c]:
                time_sums[c, t] = part[c].sum()
        for m in range(design.cell_of.shape[0]):
            c, k = design.cell_of[m]
            for i in range(places):
                gradient[k] += part[c, i] * design.cell_x[m, t, i]
        if free_weights:
            for i in range(places):
                # d value / d received: the part without what it multiplies
                slope[i] *= by_time[last, t] * by_place[last, i] * design.factors[last, t, i]
                if cells:
                    slope[i] *= by_cell[last, t, i]
            for m in range(design.weight_at.size):
                total = 0.0
                for i in range(places):
                    total += slope[i] * received_slopes[m, t, i]
                gradient[design.weight_at[m]] += total

    if psi >= NEARLY_POISSON:
        # sum of log(1 + psi mu)/psi, whose slope in psi joins with y mu/(1 + psi mu) to the sum of shares
        log_product += np.log(product).sum()
        value -= log_product / psi
        psi_slope += log_product / psi**2 - shares.sum() / psi
    if design.dispersion_at >= 0:
        gradient[design.dispersion_at] += psi_slope
    for c in range(parts):
        gradient[design.intercept_at[c]] += place_sums[c].sum()
    for m in range(design.time_of.shape[0]):
        c, k = design.time_of[m]
        gradient[k] += np.sum(time_sums[c] * design.time_x[m])
    for m in range(design.place_of.shape[0]):
        c, k = design.place_of[m]
        gradient[k] += np.sum(place_sums[c] * design.place_x[m])
    return value, gradient


@njit(cache=True, error_model="numpy")
def weigh(theta, design):
    """What each place receives at each step, (T, P), and its slopes in the weights' parameters, (K, T, P).

    A sender that reaches nobody keeps a zero row. Cost O((N + P) P) for each of the K + 1 results.
    """
    _, steps, places = design.factors.shape
    free = theta.size
    weights = design.weight_base.copy()
    slopes = np.zeros((free, places, places))
    for j in range(places):
        total = 0.0
        for i in range(places):
            if weights[j, i] != 0.0:
                power = 0.0
                for m in range(free):
                    power += theta[m] * design.weight_x[m, j, i]
                weights[j, i] *= np.exp(power)
                total += weights[j, i]
        if design.normalised and total > 0.0:
            weights[j] /= total
        for m in range(free):
            centre = 0.0
            if design.normalised:
                for i in range(places):
                    centre += weights[j, i] * design.weight_x[m, j, i]
            for i in range(places):
                slopes[m, j, i] = weights[j, i] * (design.weight_x[m, j, i] - centre)
    received = np.zeros((steps, places))
    received_slopes = np.zeros((free, steps, places))
    for n in range(design.sender_count.size):
        t, j, count = design.sender_step[n], design.sender_place[n], design.sender_count[n]
        for i in range(places):
            received[t, i] += count * weights[j, i]
        for m in range(free):
            for i in range(places):
                received_slopes[m, t, i] += count * slopes[m, j, i]
    return received, received_slopes


@njit(cache=True, error_model="numpy")
def _rates(x, design):
    """exp of what varies by step, intercept included (C, T), and of what varies by place (C, P)."""
    parts, steps, places = design.factors.shape
    by_time, by_place = np.zeros((parts, steps)), np.zeros((parts, places))
    varies_in_time, varies_by_place = np.zeros(parts, np.bool_), np.zeros(parts, np.bool_)
    for m in range(design.time_of.shape[0]):
        c, k = design.time_of[m]
        varies_in_time[c] = True
        by_time[c] += x[k] * design.time_x[m]
    for m in range(design.place_of.shape[0]):
        c, k = design.place_of[m]
        varies_by_place[c] = True
        by_place[c] += x[k] * design.place_x[m]
    for c in range(parts):
        level = x[design.intercept_at[c]]
        if varies_in_time[c]:
            for t in range(steps):
                by_time[c, t] = np.exp(level + by_time[c, t])
        else:
            by_time[c] = np.exp(level)
        if varies_by_place[c]:
            for i in range(places):
                by_place[c, i] = np.exp(by_place[c, i])
        else:
            by_place[c] = 1.0
    return by_time, by_place


@njit(cache=True, error_model="numpy")
def _cell_rates(x, design):
    """exp of what varies by place and step, (C, T, P)."""
    by_cell = np.zeros(design.factors.shape)
    for m in range(design.cell_of.shape[0]):
        c, k = design.cell_of[m]
        by_cell[c] += x[k] * design.cell_x[m]
    return np.exp(by_cell)


@njit(cache=True, error_model="numpy")
def _scaled_log(psi, mean):
    """log(1 + psi mean) / psi and its slope in psi, both finite and exact as psi falls to 0."""
    grown = psi * mean
    if grown < 1e-3:
        share = mean * (1.0 + grown * (-1 / 2 + grown * (1 / 3 + grown * (-1 / 4 + grown / 5))))
        slope = mean * mean * (-1 / 2 + grown * (2 / 3 + grown * (-3 / 4 + grown * 4 / 5)))
        return share, slope
    logarithm = np.log1p(grown)
    return logarithm / psi, (grown / (1.0 + grown) - logarithm) / psi**2
