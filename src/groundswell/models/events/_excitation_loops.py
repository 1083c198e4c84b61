"""Compiled loops of self-excitation in general: delays of several terms, marks, backgrounds that move.

The state is (M, Q): for every term m of the delay and every place q what the earlier events of q add there. For a sum
of exponentials term m is sum factor exp(-decay_m lag), for a stepwise delay sum factor over the events whose age is
within band m. `lever` is the same sum weighted by the lag (minus its slope in the decay), `marked` the sum of the
slopes of the factors in the exponent of the mark. The plain exponential has faster loops of its own
(`_self_exciting_loops`).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

FORGOTTEN = 1e-200
"""A state below this is set to 0: products with it would be denormal numbers, which are slow."""


@njit(cache=True, nogil=True, error_model="numpy")
def _weigh(row, base, received, height, rise, lever, marked, d_received, d_height, d_decay):
    """log of the intensity base + sum height received . rise at one event, 1 / intensity, and the slope in the mark."""
    terms, places = rise.shape
    total = base
    for m in range(terms):
        for q in range(places):
            total += height[m] * received[row, q] * rise[m, q]
    inverse = 1.0 / total
    in_mark = 0.0
    for m in range(terms):
        here = pulled = 0.0
        jump = height[m] * inverse
        for q in range(places):
            here += received[row, q] * rise[m, q]
            pulled += received[row, q] * lever[m, q]
            in_mark += jump * received[row, q] * marked[m, q]
            d_received[row, q] += jump * rise[m, q]
        d_height[m] += here * inverse
        d_decay[m] -= jump * pulled
    return math.log(total), inverse, in_mark


@njit(cache=True, nogil=True, error_model="numpy")
def exponentials(
    times, place, first, factor, slope, base, received, height, decay, inverse, d_received, d_height, d_decay
):
    """Sum of log intensities at the events from `first` on, and its slope in the mark's exponent; O(E M Q).

    times, place, factor, slope (E,): rising in time; events of the same time do not excite each other. base (E,): the
    intensity without excitation. received (P, Q). height, decay (M,). Fills inverse (E,), d_received (P, Q), d_height
    and d_decay (M,), of which the last is the slope at fixed height.
    """
    terms, places = len(height), received.shape[1]
    rise = np.zeros((terms, places))
    lever, marked = np.zeros_like(rise), np.zeros_like(rise)
    value = in_mark = 0.0
    i = 0
    while i < len(times):
        gap = times[i] - times[max(i - 1, 0)]
        for m in range(terms):
            fall = math.exp(-decay[m] * gap)
            for q in range(places):
                lever[m, q] = fall * (lever[m, q] + gap * rise[m, q])
                rise[m, q] *= fall
                marked[m, q] *= fall
                if rise[m, q] < FORGOTTEN:
                    rise[m, q] = lever[m, q] = marked[m, q] = 0.0
        stop = i
        while stop < len(times) and times[stop] == times[i]:
            if stop >= first:
                logarithm, inverse[stop], more = _weigh(
                    place[stop], base[stop], received, height, rise, lever, marked, d_received, d_height, d_decay
                )
                value += logarithm
                in_mark += more
            stop += 1
        for j in range(i, stop):
            for m in range(terms):
                rise[m, place[j]] += factor[j]
                marked[m, place[j]] += slope[j]
        i = stop
    return value, in_mark


@njit(cache=True, nogil=True, error_model="numpy")
def steps(times, place, first, factor, slope, base, received, height, edges, inverse, d_received, d_height):
    """The same for a delay that is height_m at ages in (edges_m, edges_m+1], edges (M + 1,) from 0; O(E M Q)."""
    terms, places = len(height), received.shape[1]
    rise = np.zeros((terms, places))
    lever, marked = np.zeros_like(rise), np.zeros_like(rise)
    ignored = np.zeros(terms)
    joined = np.zeros(terms + 1, np.int64)  # how many events are older than each edge
    value = in_mark = 0.0
    i = 0
    while i < len(times):
        now = times[i]
        for m in range(terms + 1):
            while joined[m] < len(times) and now - times[joined[m]] > edges[m]:
                j = joined[m]
                if m < terms:
                    rise[m, place[j]] += factor[j]
                    marked[m, place[j]] += slope[j]
                if m > 0:
                    rise[m - 1, place[j]] -= factor[j]
                    marked[m - 1, place[j]] -= slope[j]
                joined[m] += 1
        if i >= first:
            logarithm, inverse[i], more = _weigh(
                place[i], base[i], received, height, rise, lever, marked, d_received, d_height, ignored
            )
            value += logarithm
            in_mark += more
        i += 1
    return value, in_mark


@njit(cache=True, nogil=True)
def fading_at(times, place, factor, slope, edges, decay, places):
    """(M, P, K) of the events before each of the rising `edges` (K,): rise, lever and marked as in `exponentials`."""
    terms, count = len(decay), len(edges)
    rise = np.zeros((terms, places, count))
    lever, marked = np.zeros_like(rise), np.zeros_like(rise)
    for m in range(terms):
        j = 0
        for e in range(count):
            if e > 0:
                gap = edges[e] - edges[e - 1]
                fall = math.exp(-decay[m] * gap)
                for p in range(places):
                    rise[m, p, e] = fall * rise[m, p, e - 1]
                    lever[m, p, e] = fall * (lever[m, p, e - 1] + gap * rise[m, p, e - 1])
                    marked[m, p, e] = fall * marked[m, p, e - 1]
            while j < len(times) and times[j] < edges[e]:
                lag = edges[e] - times[j]
                fall = math.exp(-decay[m] * lag)
                rise[m, place[j], e] += factor[j] * fall
                lever[m, place[j], e] += factor[j] * lag * fall
                marked[m, place[j], e] += slope[j] * fall
                j += 1
    return rise, lever, marked


@njit(cache=True, nogil=True)
def still_to_come(times, amount, edges, weight, decay):
    """(K,) sum of amount weight_m exp(-decay_m lag) over the events before each of the rising `edges`. O(M (E + K))."""
    out = np.zeros(len(edges))
    for m in range(len(decay)):
        left, last, j = 0.0, edges[0], 0
        for e in range(len(edges)):
            left *= math.exp(-decay[m] * (edges[e] - last))
            if left < FORGOTTEN:
                left = 0.0
            last = edges[e]
            while j < len(times) and times[j] < last:
                left += amount[j] * math.exp(-decay[m] * (last - times[j]))
                j += 1
            out[e] += weight[m] * left
    return out
