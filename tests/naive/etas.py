"""Slow twins of the space-time ETAS model: every pair is visited, integrals are sums over rays."""

import math


def kappa(part, excess):
    return part["offspring"] * math.exp(part["alpha"] * excess)


def sigma(part, excess):
    return part["D"] * math.exp(part["gamma"] * excess)


def added(part, lag, square, excess):
    """What an event adds to the intensity `lag` days later at a squared distance."""
    delay = (part["p"] - 1) / part["c"] * (1 + lag / part["c"]) ** -part["p"]
    area = sigma(part, excess)
    near = (part["q"] - 1) / (math.pi * area) * (1 + square / area) ** -part["q"]
    return kappa(part, excess) * delay * near


def by(part, days):
    """The share of an event's offspring that come within so many days."""
    return 1 - (1 + days / part["c"]) ** (1 - part["p"])


def share_in_box(part, x, y, excess, box, rays=4_000):
    """The share of an event's reach that lies in a rectangle: where each ray goes in and out."""
    west, south, east, north = box
    area, total = sigma(part, excess), 0.0
    for k in range(rays):
        angle = 2 * math.pi * (k + 0.5) / rays
        first, last = 0.0, math.inf
        for start, low, high, along in ((x, west, east, math.cos(angle)), (y, south, north, math.sin(angle))):
            one, other = (low - start) / along, (high - start) / along
            first, last = max(first, min(one, other)), min(last, max(one, other))
        if last > first:
            total += (1 + first**2 / area) ** (1 - part["q"]) - (1 + last**2 / area) ** (1 - part["q"])
    return total / rays


def rate(part, background, time, x, y, excess, t, at_x, at_y):
    """The intensity at a point, events at the very moment left out; background is that per km^2 there."""
    found = background
    for j in range(len(time)):
        if time[j] < t:
            found += added(part, t - time[j], (at_x - x[j]) ** 2 + (at_y - y[j]) ** 2, excess[j])
    return found


def compensator(part, background, time, excess, shares, until):
    """Expected events from day 0 to `until`; background is events a day, shares are those of each event's reach."""
    found = background * until
    for j in range(len(time)):
        if time[j] < until:
            done = by(part, max(0.0, -time[j]))
            found += kappa(part, excess[j]) * shares[j] * (by(part, until - time[j]) - done)
    return found


def density(at_x, at_y, points, bandwidth, weight):
    """Gaussian kernels at a point."""
    found = 0.0
    for (x, y), d, w in zip(points, bandwidth, weight, strict=True):
        found += w * math.exp(-((at_x - x) ** 2 + (at_y - y) ** 2) / (2 * d**2)) / (2 * math.pi * d**2)
    return found / sum(weight)
