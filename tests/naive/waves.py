"""Slow twins of the riot wave and of the regimes: the equations as they are written, and densities term by term."""

import math

import numpy as np


def riot_wave_means(model, setting, first):
    """(P, T - 1) integrals of lambda over the steps after the first, by a general integrator at a tight tolerance."""
    from scipy.integrate import solve_ivp

    places, step = setting.places, setting.window.step
    count = len(places)
    weights = np.eye(count)
    if model.reach is not None:
        for k in range(count):
            for j in range(count):
                if j != k:
                    weights[k, j] = model.reach.value(model.reach.apart(setting)[k, j])
    active, susceptible = [], []
    for k in range(count):
        lit = first[k] / step
        if setting.active_on_day0 and places.name[k] not in setting.active_on_day0:
            lit = 0.0
        active.append(model.start * lit)
        log = 0.0
        for name, value in model.susceptible.effects.items():
            log += value * setting.covariates[name][k, 0]
        susceptible.append(model.susceptible.per_100k * places.population[k] / 100_000 * math.exp(log))

    def slope(_, state):
        activity, left = state[:count], state[count : 2 * count]
        joining = left * model.contagion * (weights @ activity)
        return np.concatenate([joining - model.decay * activity, -joining, activity])

    steps = setting.window.periods - 1
    start = np.concatenate([active, susceptible, np.zeros(count)])
    edges = np.arange(steps + 1) * step
    solved = solve_ivp(slope, (0, edges[-1]), start, method="DOP853", rtol=1e-12, atol=1e-13, t_eval=edges)
    return np.diff(solved.y[2 * count :], axis=1)


def regimes_shares(model, setting, parts):
    """(P, T parts + 1) r_p from the window's start on, by midpoint steps, `parts` in a step; no crossing is sought."""
    out = []
    for p, name in enumerate(setting.places.name):
        r = model.initial_at.get(name, model.initial)
        path = [r]
        for t in range(setting.window.periods):
            if model.call is not None and setting.calls is not None and setting.calls[p, t] > 0:
                r = r + model.call.jump * (1 - r)
            for _ in range(parts):
                h = setting.window.step / parts
                middle = r + h / 2 * rate(model, r)
                r = r + h * rate(model, middle)
                path.append(r)
        out.append(path)
    return np.array(out)


def rate(model, r):
    """r' as the paper writes it."""
    growing = model.growth * (1 - r) if r > model.visibility_threshold else 0.0
    falling = model.decay * r if r < model.policing_threshold else 0.0
    return growing - falling


def log_density(counts, mean, psi):
    """Sum of log probabilities, Poisson or negative binomial with variance mean (1 + psi mean)."""
    total = 0.0
    for y, m in zip(np.ravel(counts), np.ravel(mean), strict=True):
        if psi == 0:
            total += y * math.log(m) - m - math.lgamma(y + 1)
        else:
            size = 1 / psi
            total += math.lgamma(y + size) - math.lgamma(size) - math.lgamma(y + 1)
            total += size * math.log(size / (size + m)) + y * math.log(m / (size + m))
    return total
