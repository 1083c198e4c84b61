"""Compiled loops of the riot wave: forwards by fixed Runge-Kutta steps of order 4, backwards by their adjoint.

With a linear pull the model has one unknown a place, the activity so far I = integral of lambda:

    I' = lambda(0) + sigma(0) (1 - exp(-contagion W I)) - decay I

since sigma = sigma(0) exp(-contagion W I), and lambda + sigma + decay I never changes. The integral over
a step of the window is a difference of I, and a Runge-Kutta step costs four products with W. W is
symmetric, (P, P), and has no rows at all where every place is on its own. Arrays run (.., P), places last.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def forwards(active, susceptible, contagion, decay, weights, days, steps, parts):
    """I at the edges of the window's steps, (T + 1, P); W I and the share gone at every stage, (T parts 4, P) each.

    active, susceptible : (P,) lambda(0) and sigma(0), events a day. days : length of a step of the window,
    which is made of `parts` Runge-Kutta steps. Cost O(P^2) a stage.
    """
    places = len(active)
    h = days / parts
    total = np.zeros((steps + 1, places))
    pull, gone = np.empty((steps * parts * 4, places)), np.empty((steps * parts * 4, places))
    here, tried, gain = np.zeros(places), np.zeros(places), np.empty(places)
    at = 0
    for t in range(steps):
        for _ in range(parts):
            gain[:] = 0.0
            tried[:] = here
            for stage in range(4):
                _spread(weights, tried, pull[at])
                share = 1.0 / 6.0 if stage == 0 or stage == 3 else 1.0 / 3.0
                reach = h if stage == 2 else h / 2
                for p in range(places):
                    gone[at, p] = -np.expm1(-contagion * pull[at, p])
                    rate = active[p] + susceptible[p] * gone[at, p] - decay * tried[p]
                    gain[p] += share * rate
                    tried[p] = here[p] + reach * rate
                at += 1
            for p in range(places):
                here[p] += h * gain[p]
        total[t + 1] = here
    return total, pull, gone


@njit(cache=True, nogil=True)
def backwards(slope, total, pull, gone, active, susceptible, contagion, decay, weights, days, parts, paired):
    """The adjoint of `forwards`: what the slope of a value in each step's integral, (T, P), makes of its slopes.

    In active (P,), susceptible (P,), contagion, decay and the weights (P, P), these only if `paired`, else
    (0, 0). Stages are rebuilt from the share gone, at O(P) each. Cost O(P^2) a stage.
    """
    steps, places = slope.shape
    h = days / parts
    in_active, in_susceptible = np.zeros(places), np.zeros(places)
    in_contagion, in_decay = 0.0, 0.0
    size = places if paired else 0
    in_weights = np.zeros((size, size))
    stages = np.empty((parts * 4, places))
    sent = np.empty((parts * 4, places))
    worth, back, out, told = np.zeros(places), np.empty(places), np.empty(places), np.empty(places)
    here, gain = np.empty(places), np.empty(places)
    for t in range(steps - 1, -1, -1):
        first = t * parts * 4
        here[:] = total[t]
        for part in range(parts):
            gain[:] = 0.0
            stages[part * 4] = here
            for stage in range(4):
                at = part * 4 + stage
                share = 1.0 / 6.0 if stage == 0 or stage == 3 else 1.0 / 3.0
                reach = h if stage == 2 else h / 2
                for p in range(places):
                    rate = active[p] + susceptible[p] * gone[first + at, p] - decay * stages[at, p]
                    gain[p] += share * rate
                    if stage < 3:
                        stages[at + 1, p] = here[p] + reach * rate
            for p in range(places):
                here[p] += h * gain[p]
        for p in range(places):
            worth[p] += slope[t, p]
        for part in range(parts - 1, -1, -1):
            told[:] = 0.0
            back[:] = 0.0
            for stage in range(3, -1, -1):
                at = part * 4 + stage
                share = h / 6.0 if stage == 0 or stage == 3 else h / 3.0
                reach = 0.0 if stage == 3 else h if stage == 2 else h / 2
                for p in range(places):
                    # the worth of this stage's rate: through the step's end, and through the next stage
                    rate_worth = share * worth[p] + reach * back[p]
                    in_active[p] += rate_worth
                    in_susceptible[p] += rate_worth * gone[first + at, p]
                    in_decay -= rate_worth * stages[at, p]
                    sent[at, p] = rate_worth * susceptible[p] * (1.0 - gone[first + at, p])
                    in_contagion += sent[at, p] * pull[first + at, p]
                    back[p] = -decay * rate_worth
                _spread(weights, sent[at], out)
                for p in range(places):
                    back[p] += contagion * out[p]
                    told[p] += back[p]
            for p in range(places):
                worth[p] += told[p]
        for p in range(places):
            worth[p] -= slope[t, p]
        if paired:
            _pair(sent, stages, in_weights)
    return in_active, in_susceptible, in_contagion, in_decay, contagion * in_weights


@njit(cache=True, nogil=True)
def _spread(weights, sent, out):
    """out = W sent, by rows of the symmetric W, four at a time, so that the inner loop runs along memory."""
    places = len(sent)
    if len(weights) == 0:
        out[:] = sent
        return
    out[:] = 0.0
    fours = places - places % 4
    for q in range(0, fours, 4):
        a, b, c, d = sent[q], sent[q + 1], sent[q + 2], sent[q + 3]
        for p in range(places):
            out[p] += a * weights[q, p] + b * weights[q + 1, p] + c * weights[q + 2, p] + d * weights[q + 3, p]
    for q in range(fours, places):
        for p in range(places):
            out[p] += sent[q] * weights[q, p]


@njit(cache=True, nogil=True)
def _pair(sent, stages, into):
    """into += sent' stages, for (a multiple of four, P) both; no threads, which cost more than they gain here."""
    places = into.shape[0]
    for at in range(0, len(sent), 4):
        for q in range(places):
            a, b, c, d = sent[at, q], sent[at + 1, q], sent[at + 2, q], sent[at + 3, q]
            for p in range(places):
                into[q, p] += a * stages[at, p] + b * stages[at + 1, p] + c * stages[at + 2, p] + d * stages[at + 3, p]
