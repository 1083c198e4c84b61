"""Compiled loops of the mobilisation model's mean field, forwards and backwards in time.

A place is quiet, without an event since the first day, or not. The probability of quiet, the rate of either sort and
the means of all memories are carried from day to day; `back` is the adjoint of `ahead`, so the gradient in everything
that went in costs about as much as the value. Arrays run (T, P), places last; index t is the start of day t.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

SURELY_QUIET = 1e-9
"""Probability of having been active below which a place has no rate of its own as an active one."""


class Coefficients(NamedTuple):
    """The scalars of the recursion; what comes back from `back` has their derivatives in the same order."""

    keep: float
    within: float  # times 1 - keep, as the next two
    between: float
    media: float
    deterrence: float
    backlash: float
    memory: float
    per_event: float
    psi: float


class Course(NamedTuple):
    """What `ahead` finds. events : expected. quiet (T + 1, P) : probability of no event since the first day.

    calm, stirred : expected events of a place that was quiet so far, and of one that was not. momentum, drive, hurt :
    mean memories. total, alarm (T + 1,) : those of the country.
    """

    events: np.ndarray
    quiet: np.ndarray
    calm: np.ndarray
    stirred: np.ndarray
    momentum: np.ndarray
    drive: np.ndarray
    hurt: np.ndarray
    total: np.ndarray
    alarm: np.ndarray


@njit(cache=True)
def none_of(mean, psi):
    """P(Y = 0) of a negative binomial."""
    return math.exp(-mean) if psi < 1e-9 else math.exp(-math.log1p(psi * mean) / psi)


@njit(cache=True)
def _add(to, row, times):
    """to += times row, several places at a time; a library's product would share its threads with other work."""
    for p in range(len(to)):
        to[p] += times * row[p]


@njit(cache=True, nogil=True)
def rows(index, part, value, weight):
    """(P, P) w_qp with sender q in rows, and (P,) what each row was divided by; see `_group_loops.make_row`."""
    places = len(weight)
    out, total = np.empty((places, places)), np.zeros(places)
    for q in range(places):
        for p in range(places):
            i = index[q, p]
            out[q, p] = 0.0 if p == q else weight[p] * (value[i] + part[q, p] * (value[i + 1] - value[i]))
            total[q] += out[q, p]
        for p in range(places):
            out[q, p] = out[q, p] / total[q] if total[q] > 0.0 else 0.0
    return out, total


@njit(cache=True, nogil=True)
def rows_back(index, part, weight, made, total, slope, nodes):
    """Slopes (nodes,) in the table's values, and (P,) in the logs of the receivers' weights, from `slope` in w_qp."""
    places = len(weight)
    in_value, in_log_weight = np.zeros(nodes), np.zeros(places)
    for q in range(places):
        if total[q] <= 0.0:
            continue
        mean = 0.0
        for p in range(places):
            mean += slope[q, p] * made[q, p]
        for p in range(places):
            if p == q:
                continue
            worth = slope[q, p] - mean
            in_log_weight[p] += worth * made[q, p]
            per_value = worth * weight[p] / total[q]
            i = index[q, p]
            in_value[i] += per_value * (1.0 - part[q, p])
            in_value[i + 1] += per_value * part[q, p]
    return in_value, in_log_weight


@njit(cache=True, nogil=True)
def ahead(base, share, weights, pulse, per_100k, first, c):
    """The course of the means.

    base : (T, P) what does not depend on the past. first : (P,) 1 where day 0 has an event. Cost O(P^2 T).
    """
    days, places = base.shape
    population = per_100k.sum()
    events, calm, stirred = np.zeros((days, places)), np.zeros((days, places)), np.zeros((days, places))
    quiet = np.ones((days + 1, places))
    momentum, drive, hurt = np.zeros((days + 1, places)), np.zeros((days + 1, places)), np.zeros((days + 1, places))
    total, alarm = np.zeros(days + 1), np.zeros(days + 1)
    pushed = np.empty(places)
    events[0] = first
    for t in range(days):
        if t > 0:
            factor = pulse[t] * math.exp(c.backlash * math.log1p(alarm[t]))
            news = c.media * total[t]
            fresh, sore = c.keep ** (t - 1), c.per_event * c.memory ** (t - 1)
            for p in range(places):
                level = base[t, p] + drive[t, p] + share[p] * news
                own = first[p] * fresh
                held = first[p] * sore / per_100k[p]
                q = quiet[t, p]
                calm[t, p] = (level + c.within * own) * factor * math.exp(-c.deterrence * math.log1p(held))
                stirred[t, p] = calm[t, p]
                if 1.0 - q > SURELY_QUIET:
                    own = (momentum[t, p] - q * own) / (1.0 - q)
                    held = (hurt[t, p] - q * held) / (1.0 - q)
                    stirred[t, p] = (level + c.within * own) * factor * math.exp(-c.deterrence * math.log1p(held))
                events[t, p] = q * calm[t, p] + (1.0 - q) * stirred[t, p]
                quiet[t + 1, p] = q * none_of(calm[t, p], c.psi)
        pushed[:] = 0.0
        for q in range(places):
            _add(pushed, weights[q], events[t, q])
        for p in range(places):
            momentum[t + 1, p] = c.keep * momentum[t, p] + events[t, p]
            drive[t + 1, p] = c.keep * drive[t, p] + c.between * pushed[p]
            hurt[t + 1, p] = c.memory * hurt[t, p] + c.per_event * events[t, p] / per_100k[p]
        today = events[t].sum()
        total[t + 1] = c.keep * total[t] + today
        alarm[t + 1] = c.memory * alarm[t] + c.per_event * today / population
    return Course(events, quiet, calm, stirred, momentum, drive, hurt, total, alarm)


@njit(cache=True, nogil=True)
def back(base, share, weights, pulse, per_100k, first, c, course, in_events, in_quiet, in_stirred):
    """The adjoint of `ahead`: slopes in base (T, P), share (P,), w (P, P), pulse (T,) and the coefficients (9,).

    in_events, in_quiet, in_stirred : slopes of some number in what `ahead` returned under these names.
    """
    days, places = base.shape
    was_events, was_quiet, was_calm, was_stirred, was_momentum, was_drive, was_hurt, was_total, was_alarm = course
    population = per_100k.sum()
    in_base, in_share, in_pulse = np.zeros((days, places)), np.zeros(places), np.zeros(days)
    d_keep, d_within, d_between, d_media, d_deterrence, d_backlash, d_memory, d_per_event, d_psi = np.zeros(9)
    momentum, drive, hurt, quiet = np.zeros(places), np.zeros(places), np.zeros(places), in_quiet[days].copy()
    total, alarm = 0.0, 0.0
    pushes, received, by_receiver = np.zeros((days, places)), np.empty(places), weights.T.copy()
    for t in range(days - 1, -1, -1):
        pushes[t] = drive
        received[:] = 0.0
        for p in range(places):
            _add(received, by_receiver[p], drive[p])
        through = in_events[t].copy()
        for p in range(places):
            y = was_events[t, p]
            d_keep += momentum[p] * was_momentum[t, p] + drive[p] * was_drive[t, p]
            d_memory += hurt[p] * was_hurt[t, p]
            d_per_event += y * (hurt[p] / per_100k[p] + alarm / population)
            d_between += y * received[p]
            through[p] += momentum[p] + c.between * received[p] + c.per_event * hurt[p] / per_100k[p]
            through[p] += total + c.per_event * alarm / population
            momentum[p] *= c.keep
            drive[p] *= c.keep
            hurt[p] *= c.memory
        d_keep += total * was_total[t]
        d_memory += alarm * was_alarm[t]
        total *= c.keep
        alarm *= c.memory
        if t == 0:
            break
        known = math.log1p(was_alarm[t])
        factor = pulse[t] * math.exp(c.backlash * known)
        news = c.media * was_total[t]
        fresh, sore = c.keep ** (t - 1), c.per_event * c.memory ** (t - 1)
        in_factor, in_fresh, in_sore = 0.0, 0.0, 0.0
        for p in range(places):
            level = base[t, p] + was_drive[t, p] + share[p] * news
            own, held = first[p] * fresh, first[p] * sore / per_100k[p]
            q, calm = was_quiet[t, p], was_calm[t, p]
            wide = 1.0 + c.psi * calm
            grown = math.log(wide)
            none = math.exp(-grown / c.psi if c.psi >= 1e-9 else -calm)
            in_calm = quiet[p] * q * -none / wide + through[p] * q
            if c.psi >= 1e-9:
                d_psi += quiet[p] * q * none * (grown / c.psi - calm / wide) / c.psi
            in_q = quiet[p] * none + in_quiet[t, p]
            in_level = 0.0
            if 1.0 - q > SURELY_QUIET:
                stirred = was_stirred[t, p]
                in_q += through[p] * (calm - stirred)
                slope = through[p] * (1.0 - q) + in_stirred[t, p]
                mine = (was_momentum[t, p] - q * own) / (1.0 - q)
                stock = (was_hurt[t, p] - q * held) / (1.0 - q)
                raised = level + c.within * mine
                sore_logs = math.log1p(stock)
                scaled = factor * math.exp(-c.deterrence * sore_logs)
                in_level += slope * scaled
                d_within += slope * scaled * mine
                in_factor += slope * raised * scaled / factor
                d_deterrence -= slope * raised * scaled * sore_logs
                in_mine = slope * scaled * c.within / (1.0 - q)
                in_stock = -slope * raised * scaled * c.deterrence / (1.0 + stock) / (1.0 - q)
                momentum[p] += in_mine
                hurt[p] += in_stock
                in_q += in_mine * (mine - own) + in_stock * (stock - held)
                in_fresh -= in_mine * q * first[p]
                in_sore -= in_stock * q * first[p] / per_100k[p]
            else:
                in_calm += through[p] * (1.0 - q) + in_stirred[t, p]
            raised = level + c.within * own
            scaled = factor
            if first[p] > 0.0:
                sore_logs = math.log1p(held)
                scaled *= math.exp(-c.deterrence * sore_logs)
                d_within += in_calm * scaled * own
                d_deterrence -= in_calm * raised * scaled * sore_logs
                in_fresh += in_calm * scaled * c.within
                in_sore -= in_calm * raised * scaled * c.deterrence / (1.0 + held) / per_100k[p]
            in_level += in_calm * scaled
            in_factor += in_calm * raised * scaled / factor
            in_base[t, p] = in_level
            drive[p] += in_level
            in_share[p] += in_level * news
            d_media += in_level * share[p] * was_total[t]
            total += in_level * share[p] * c.media
            quiet[p] = in_q
        in_pulse[t] = in_factor * factor / pulse[t]
        d_backlash += in_factor * factor * known
        alarm += in_factor * factor * c.backlash / (1.0 + was_alarm[t])
        d_per_event += in_sore * c.memory ** (t - 1)
        if t > 1:
            d_keep += in_fresh * (t - 1) * c.keep ** (t - 2)
            d_memory += in_sore * c.per_event * (t - 1) * c.memory ** (t - 2)
    in_weights = np.zeros((places, places))
    for q in range(places):
        for t in range(days):
            _add(in_weights[q], pushes[t], c.between * was_events[t, q])
    slopes = np.array([d_keep, d_within, d_between, d_media, d_deterrence, d_backlash, d_memory, d_per_event, d_psi])
    return in_base, in_share, in_weights, in_pulse, slopes
