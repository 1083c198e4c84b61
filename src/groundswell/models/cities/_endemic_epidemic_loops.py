"""Compiled loops of the endemic-epidemic model: the log density of counts, its gradient and its curvature.

Two facts make an evaluation cheap. A column of a log-linear part mostly varies by step only
(trend, harmonics) or by place only (population, a census share), so its exponential is taken
T or P times, not P T times. And the negative binomial needs neither a gamma function nor a
logarithm per cell: Gamma(y + 1/psi) / Gamma(1/psi) psi^y is a product of y factors that can be
counted over all cells beforehand, and sums of log(1 + psi mu) are logarithms of products.

The curvature has the shape of an arrow: a random intercept, or an overdispersion, of one place meets
those of another place nowhere. So there are K x K second derivatives of what all places share, and for
each place those of its own parameters with the shared ones and among themselves.

Arrays run (T, P), places last, so that the inner loops run along memory. T counts the steps
that have a density: those after the longest lag.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit


class Design(NamedTuple):
    """Everything that setting and history fix; C parts (endemic, within, between), K parameters.

    counts (T, P). intercept_at (C,): places in the vector. random_at (C, P): those of the random
    intercepts, -1 for a part without. A column is one row of *_x and of *_of, which holds its part and its
    place in the vector: over time (.., T), places (.., P) or cells (.., T, P). free_of (F, 2): the same for the
    parameters of weights and lags, on which the drive depends. dispersion_at (G,): places of the
    overdispersions in the vector, none for Poisson; dispersion_of (P,): which of them is a place's;
    by_place: whether each place has its own, as a single place may.
    exceeding (G, max y): cells with a count above k.
    """

    counts: np.ndarray
    intercept_at: np.ndarray
    random_at: np.ndarray
    time_x: np.ndarray
    time_of: np.ndarray
    place_x: np.ndarray
    place_of: np.ndarray
    cell_x: np.ndarray
    cell_of: np.ndarray
    free_of: np.ndarray
    dispersion_at: np.ndarray
    dispersion_of: np.ndarray
    by_place: bool
    exceeding: np.ndarray
    log_factorials: float


FLUSH = 16
"""After so many factors 1 + psi mu a product becomes its logarithm; it holds means up to 1e19 / psi."""

NEARLY_POISSON = 1e-4
"""Below this psi the logarithms are taken one by one, since 1 + psi mu loses digits that 1/psi magnifies."""


@njit(cache=True, error_model="numpy")
def value_and_gradient(x, design, drive, slopes):
    """Log density of the counts and its gradient in the vector x, (all,). Cost O(P T).

    drive (C, T, P): what each part's rate multiplies (offset, own and neighbours' weighted past counts).
    slopes (F, T, P): its derivatives in the parameters of weights and lags.
    """
    parts, steps, places = drive.shape
    gradient = np.zeros(x.size)
    by_time, by_place = _rates(x, design, drive.shape)
    cells = design.cell_of.shape[0] > 0
    by_cell = _cell_rates(x, design, drive.shape) if cells else np.ones((1, 1, 1))

    psi = _dispersions(x, design)
    nearly_poisson = psi.min() < NEARLY_POISSON
    value = -design.log_factorials
    psi_slope = np.zeros(max(1, design.dispersion_at.size))
    for g in range(psi_slope.size):
        p = x[design.dispersion_at[g]] if design.dispersion_at.size > 0 else 0.0
        for k in range(1, design.exceeding.shape[1]):
            if p > 0.0:
                value += design.exceeding[g, k] * np.log1p(p * k)
            psi_slope[g] += design.exceeding[g, k] * k / (1.0 + p * k)

    in_time = np.zeros(parts, np.bool_)
    for m in range(design.time_of.shape[0]):
        in_time[design.time_of[m, 0]] = True
    part, mean, slope = np.empty((parts, places)), np.empty(places), np.empty(places)
    time_sums, place_sums = np.zeros((parts, steps)), np.zeros((parts, places))
    product, shares, log_product = np.ones(places), np.zeros(places), np.zeros(places)
    for t in range(steps):
        mean[:] = 0.0
        for c in range(parts):
            rate = by_time[c, t]
            for i in range(places):
                part[c, i] = rate * by_place[c, i] * drive[c, t, i]
            if cells:
                for i in range(places):
                    part[c, i] *= by_cell[c, t, i]
            for i in range(places):
                mean[i] += part[c, i]
        if nearly_poisson:
            for i in range(places):
                y, m, p = design.counts[t, i], mean[i], psi[i]
                penalty, penalty_slope = _scaled_log(p, m)
                value -= penalty
                psi_slope[design.dispersion_of[i]] -= penalty_slope + y * m / (1.0 + p * m)
                slope[i] = -(1.0 + p * y) / (1.0 + p * m)
        else:
            for i in range(places):
                grown = 1.0 + psi[i] * mean[i]
                product[i] *= grown
                slope[i] = -(1.0 + psi[i] * design.counts[t, i]) / grown
                shares[i] -= mean[i] * slope[i]
            if t % FLUSH == FLUSH - 1:
                log_product += np.log(product)
                product[:] = 1.0
        for i in range(places):
            y = design.counts[t, i]
            if y > 0.0:
                value += y * np.log(mean[i] / (1.0 + psi[i] * mean[i]))
                slope[i] += y / mean[i]
        for f in range(design.free_of.shape[0]):
            c, k = design.free_of[f]
            total = 0.0
            if cells:
                for i in range(places):
                    total += slope[i] * by_place[c, i] * by_cell[c, t, i] * slopes[f, t, i]
            else:
                for i in range(places):
                    total += slope[i] * by_place[c, i] * slopes[f, t, i]
            gradient[k] += by_time[c, t] * total
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

    if not nearly_poisson:
        # sum of log(1 + psi mu)/psi, whose slope in psi joins with y mu/(1 + psi mu) to the sum of shares
        log_product += np.log(product)
        for i in range(places):
            value -= log_product[i] / psi[i]
            psi_slope[design.dispersion_of[i]] += log_product[i] / psi[i] ** 2 - shares[i] / psi[i]
    for g in range(design.dispersion_at.size):
        gradient[design.dispersion_at[g]] += psi_slope[g]
    for c in range(parts):
        gradient[design.intercept_at[c]] += place_sums[c].sum()
        if design.random_at[c, 0] >= 0:
            for i in range(places):
                gradient[design.random_at[c, i]] += place_sums[c, i]
    for m in range(design.time_of.shape[0]):
        c, k = design.time_of[m]
        gradient[k] += np.sum(time_sums[c] * design.time_x[m])
    for m in range(design.place_of.shape[0]):
        c, k = design.place_of[m]
        gradient[k] += np.sum(place_sums[c] * design.place_x[m])
    return value, gradient


@njit(cache=True, error_model="numpy")
def curvature(x, design, drive, slopes, bends):
    """Minus the second derivatives of the log density, as an arrow: (H (all, all), cross, own).

    bends (F, F, T, P): second derivatives of the drive. H holds those of the shared parameters and zeros
    elsewhere. With Q kinds of parameters by place (the parts' random intercepts, in the order of the parts, then the
    overdispersions), cross (Q, all, P) and own (Q, Q, P) are those of a place's own. Cost O(K^2 P T).
    """
    parts, steps, places = drive.shape
    by_time, by_place = _rates(x, design, drive.shape)
    cells = design.cell_of.shape[0] > 0
    by_cell = _cell_rates(x, design, drive.shape) if cells else np.ones((1, 1, 1))
    psi = _dispersions(x, design)
    groups = design.dispersion_at.size

    # the shared parameters one after another: intercepts, columns, then those of weights and lags
    times, fixed, varied = design.time_of.shape[0], design.place_of.shape[0], design.cell_of.shape[0]
    linear = parts + times + fixed + varied
    count = linear + design.free_of.shape[0]
    of, at = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for c in range(parts):
        of[c], at[c] = c, design.intercept_at[c]
    for m in range(times):
        of[parts + m], at[parts + m] = design.time_of[m]
    for m in range(fixed):
        of[parts + times + m], at[parts + times + m] = design.place_of[m]
    for m in range(varied):
        of[parts + times + fixed + m], at[parts + times + fixed + m] = design.cell_of[m]
    for f in range(count - linear):
        of[linear + f], at[linear + f] = design.free_of[f]
    # by place and summed over steps only: the sums over places and a place's own share both follow
    sums = np.zeros((count, count, places))
    psi_cross, psi_own = np.zeros((count, places)), np.zeros(places)
    column, u = np.ones((linear, places)), np.empty((count, places))
    part, scale = np.empty((parts, places)), np.empty((parts, places))
    mean, first, second, mixed = np.empty(places), np.empty(places), np.empty(places), np.empty(places)
    weighted, bent = np.empty(places), np.empty(places)
    for m in range(fixed):
        column[parts + times + m] = design.place_x[m]
    for t in range(steps):
        mean[:] = 0.0
        for c in range(parts):
            for i in range(places):
                scale[c, i] = by_time[c, t] * by_place[c, i]
            if cells:
                for i in range(places):
                    scale[c, i] *= by_cell[c, t, i]
            for i in range(places):
                part[c, i] = scale[c, i] * drive[c, t, i]
                mean[i] += part[c, i]
        for i in range(places):
            y, m, p = design.counts[t, i], mean[i], psi[i]
            grown = 1.0 + p * m
            rest = (1.0 + p * y) / grown
            first[i], second[i] = rest, -p * rest / grown
            if y > 0.0:
                first[i] -= y / m
                second[i] += y / (m * m)
            mixed[i] = (y - m) / (grown * grown)
            if groups > 0:
                psi_own[i] += _bend_of_scaled_log(p, m) - y * m * m / (grown * grown)
        for m in range(times):
            column[parts + m, :] = design.time_x[m, t]
        for m in range(varied):
            column[parts + times + fixed + m] = design.cell_x[m, t]
        for k in range(linear):
            c = of[k]
            for i in range(places):
                u[k, i] = part[c, i] * column[k, i]
        for f in range(count - linear):
            c = of[linear + f]
            for i in range(places):
                u[linear + f, i] = scale[c, i] * slopes[f, t, i]
        for k in range(count):
            for i in range(places):
                weighted[i] = second[i] * u[k, i]
                bent[i] = first[i] * u[k, i]
                psi_cross[k, i] += mixed[i] * u[k, i]
            for n in range(k + 1):
                if of[k] != of[n]:
                    for i in range(places):
                        sums[k, n, i] += weighted[i] * u[n, i]
                elif n < linear:
                    for i in range(places):
                        sums[k, n, i] += weighted[i] * u[n, i] + bent[i] * column[n, i]
                else:
                    c = of[k]
                    for i in range(places):
                        turn = first[i] * scale[c, i] * bends[k - linear, n - linear, t, i]
                        sums[k, n, i] += weighted[i] * u[n, i] + turn

    full = np.zeros((x.size, x.size))
    for k in range(count):
        for n in range(k + 1):
            sums[n, k] = sums[k, n]
            full[at[k], at[n]] = full[at[n], at[k]] = sums[k, n].sum()
    for g in range(groups):
        p, beyond = x[design.dispersion_at[g]], 0.0
        for k in range(1, design.exceeding.shape[1]):
            beyond += design.exceeding[g, k] * (k / (1.0 + p * k)) ** 2
        psi_own[g] += beyond
    with_random = np.flatnonzero(design.random_at[:, 0] >= 0)
    randoms = with_random.size
    kinds = randoms + (1 if design.by_place else 0)
    cross, own = np.zeros((kinds, x.size, places)), np.zeros((kinds, kinds, places))
    for q in range(randoms):
        c = with_random[q]
        for k in range(count):
            cross[q, at[k]] = sums[c, k]
        for r in range(randoms):
            own[q, r] = sums[c, with_random[r]]
    if groups == 1 and not design.by_place:
        k = design.dispersion_at[0]
        full[k, k] = psi_own.sum()
        for n in range(count):
            full[k, at[n]] = full[at[n], k] = psi_cross[n].sum()
        for q in range(randoms):
            cross[q, k] = psi_cross[with_random[q]]
    elif design.by_place:
        own[randoms, randoms] = psi_own
        for n in range(count):
            cross[randoms, at[n]] = psi_cross[n]
        for q in range(randoms):
            own[q, randoms] = own[randoms, q] = psi_cross[with_random[q]]
    return full, cross, own


@njit(cache=True, error_model="numpy")
def received(weights, sender_step, sender_place, sender_count, steps):
    """(M, steps, P) sums over senders j of weights[m, j, i] times j's count at the step; weights (M, P, P).

    Only the N place-steps with a count are gone through. Cost O(M N P).
    """
    kinds, places, _ = weights.shape
    out = np.zeros((kinds, steps, places))
    for n in range(sender_count.size):
        t, j, count = sender_step[n], sender_place[n], sender_count[n]
        for m in range(kinds):
            for i in range(places):
                out[m, t, i] += count * weights[m, j, i]
    return out


@njit(cache=True, error_model="numpy")
def _rates(x, design, shape):
    """exp of what varies by step, intercept included (C, T), and of what varies by place (C, P)."""
    parts, steps, places = shape
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
        if design.random_at[c, 0] >= 0:
            varies_by_place[c] = True
            for i in range(places):
                by_place[c, i] += x[design.random_at[c, i]]
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
def _cell_rates(x, design, shape):
    """exp of what varies by place and step, (C, T, P)."""
    by_cell = np.zeros(shape)
    for m in range(design.cell_of.shape[0]):
        c, k = design.cell_of[m]
        by_cell[c] += x[k] * design.cell_x[m]
    return np.exp(by_cell)


@njit(cache=True, error_model="numpy")
def _dispersions(x, design):
    """(P,) psi of each place; 0 for Poisson."""
    psi = np.zeros(design.dispersion_of.size)
    if design.dispersion_at.size > 0:
        for i in range(psi.size):
            psi[i] = x[design.dispersion_at[design.dispersion_of[i]]]
    return psi


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


@njit(cache=True, error_model="numpy")
def _bend_of_scaled_log(psi, mean):
    """The second derivative in psi of log(1 + psi mean) / psi."""
    grown = psi * mean
    if grown < 0.02:
        series = 2 / 3 + grown * (-6 / 4 + grown * (12 / 5 + grown * (-20 / 6 + grown * (30 / 7 - grown * 42 / 8))))
        return mean**3 * series
    rest = grown / (1.0 + grown)
    return (2.0 * np.log1p(grown) - 2.0 * rest - rest * rest) / psi**3
