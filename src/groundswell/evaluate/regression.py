"""Negative binomial regression on a place's own recent mean, the calendar and its population: the regression to beat.

    Y_it ~ negative binomial, mean mu_it, variance mu_it + psi mu_it^2
    log mu_it = a + b log m_it + e log population_i + calendar_t

m_it is the place's mean over the n steps before t with half an event added, (events + 1/2) / n, so that a place without
a recent event has one too. a = 0 and b = 1 would be the mean going on. One fit for all places.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.evaluate.forecast import steps_ahead

MOST_ROWS = 100_000
"""Place-steps of a fit; of a longer past the latest are taken. A fit of so many takes about a second."""

FEWEST_STEPS = 4
"""Of the recent mean, where `days` holds fewer steps."""

HALF = 0.5
"""Events added to the recent ones before the logarithm."""

WEEKS, YEARS = 4, 3
"""Length of a past that can tell the days of the week, or a season of the year, from one wave of events."""

PSI = (1e-4, 1e3)
"""The overdispersion is looked for in this range; its lower end is Poisson for all purposes."""


@dataclass(frozen=True)
class NegativeBinomialRegression:
    """The regression of this file, refitted to the past at every origin; steps ahead are drawn one after the other.

    days : length of the recent mean, at least FEWEST_STEPS steps, cut to the history's beginning. A
    path's own draws enter the recent mean of its later steps, which is cut at the largest mean of the
    past, so that no path explodes.
    Calendar: the day of the week for daily steps, where the past spans WEEKS weeks; one sine and cosine
    of the year where it spans YEARS years. Population: its logarithm, standardised, where it varies.
    All coefficients but the intercept have a normal prior with mean 0 and sd 1 (a ridge), so that a
    weekday without any event gets a low rate and not none. Maximum of the penalised likelihood.
    With one known step, or no event in a step that could be fitted: Poisson draws around the mean of all places.
    """

    days: int = 14
    name = "negative binomial regression"

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K) draws of the fitted regression."""
        steps = steps_ahead(setting, history)
        counts = np.asarray(history[series], dtype=float)
        places, known = counts.shape
        rows = np.arange(max(1, known - max(1, MOST_ROWS // places)), known)
        if not counts[:, rows].any():
            return rng.poisson(counts.mean(), (draws, places, steps)).astype(float)
        width = max(FEWEST_STEPS, self.days // history.window.step)
        recent = recent_means(counts, width)
        largest = recent[:, 1:].max()
        fixed = _population(setting)
        calendar = _calendar(setting, known)
        beta, psi = fit(_columns(recent[:, rows], fixed, calendar[rows]), counts[:, rows].ravel())

        rest = beta[0] + fixed @ beta[2 : 2 + fixed.shape[1]]
        season = calendar @ beta[2 + fixed.shape[1] :]
        out = np.empty((draws, places, steps))
        last = counts[:, -width:]
        total = np.repeat(last.sum(axis=1)[None], draws, axis=0)
        for k in range(steps):
            mean = np.minimum((total + HALF) / min(known + k, width), largest)
            mu = np.exp(beta[1] * np.log(mean) + (rest + season[known + k]))
            out[:, :, k] = rng.poisson(mu * rng.gamma(1 / psi, psi, mu.shape))
            total += out[:, :, k]
            if known + k >= width:  # the window is full: its oldest step leaves it
                total -= last[:, k - width + last.shape[1]] if k < width else out[:, :, k - width]
        return out


def recent_means(counts: np.ndarray, width: int) -> np.ndarray:
    """(P, T + 1) m of each place at each step and the one after the last; `width` is the most that n may be."""
    total = np.concatenate([np.zeros((len(counts), 1)), np.cumsum(counts, axis=1)], axis=1)
    step = np.arange(total.shape[1])
    start = np.maximum(step - width, 0)
    return (total - total[:, start] + HALF) / np.maximum(step - start, 1)


def fit(columns: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, float]:
    """Coefficients, the intercept first, and psi, of (N, K) columns and (N,) counts with an event."""
    from scipy.optimize import minimize

    seen = np.flatnonzero(counts)
    start = np.zeros(columns.shape[1] + 1)
    start[0] = np.log(counts.mean())
    bounds = [(None, None)] * columns.shape[1] + [tuple(np.log(PSI))]
    found = minimize(loss, start, (columns, counts, seen), jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[:-1], float(np.exp(found.x[-1]))


def loss(x: np.ndarray, columns: np.ndarray, counts: np.ndarray, seen: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus the penalised log-likelihood at (coefficients, log psi), up to a constant, and its gradient.

    seen : indices of the counts above 0, the only ones with a gamma function.
    """
    from scipy.special import digamma, gammaln

    beta, psi = x[:-1], np.exp(x[-1])
    eta = np.minimum(columns @ beta, 500.0)  # a trial step of the search must not overflow
    mu = np.exp(eta)
    y, size = counts[seen], 1 / psi
    wide = np.log1p(psi * mu)
    value = y @ (eta[seen] + x[-1]) + (gammaln(y + size) - gammaln(size)).sum() - ((counts + size) * wide).sum()
    share = psi * mu / (1 + psi * mu)
    slope = columns.T @ (counts - (counts + size) * share)
    by_psi = y.sum() - size * (digamma(y + size) - digamma(size)).sum() + size * wide.sum()
    by_psi -= ((counts + size) * share).sum()
    ridge = beta.copy()
    ridge[0] = 0.0
    return ridge @ ridge / 2 - value, np.append(ridge - slope, -by_psi)


def _columns(recent: np.ndarray, fixed: np.ndarray, calendar: np.ndarray) -> np.ndarray:
    """(P T, K) columns of the place-steps, place by place: 1, recent mean, population, calendar."""
    places, steps = recent.shape
    own = np.log(recent).reshape(-1, 1)
    return np.hstack([np.ones_like(own), own, np.repeat(fixed, steps, axis=0), np.tile(calendar, (places, 1))])


def _population(setting: Setting) -> np.ndarray:
    """(P, 1) standardised log population, or (P, 0) where all are alike."""
    log = np.log(setting.places.population)[:, None]
    return (log - log.mean()) / log.std() if np.ptp(log) > 0 else log[:, :0]


def _calendar(setting: Setting, known: int) -> np.ndarray:
    """(T, K) calendar columns of every step of the setting."""
    window = setting.window
    days: list[date] = [window.start + timedelta(days=window.step * t) for t in range(window.periods)]
    found = [np.zeros((window.periods, 0))]
    if window.step == 1 and known >= 7 * WEEKS:
        weekday = np.array([day.weekday() for day in days])
        found.append((weekday[:, None] == np.arange(1, 7)).astype(float))
    if known * window.step >= YEARS * 365:
        angle = 2 * np.pi * np.array([day.timetuple().tm_yday for day in days]) / 365.25
        found.append(np.stack([np.sin(angle), np.cos(angle)], axis=1))
    return np.hstack(found)
