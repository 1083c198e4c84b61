"""Slow twin of the Knox statistic: every pair of events, one limit after the other."""

import math


def knox(events, places, distances_km, days, plane):
    """(D, T) pairs within each distance and lag."""
    out = [[0] * len(days) for _ in distances_km]
    for i in range(len(events.time_days)):
        for j in range(i):
            if plane:
                km = math.hypot(events.x_km[i] - events.x_km[j], events.y_km[i] - events.y_km[j])
            else:
                km = places.distance_km[events.place[i], events.place[j]]
            lag = abs(events.time_days[i] - events.time_days[j])
            for d, reach in enumerate(distances_km):
                for t, long in enumerate(days):
                    out[d][t] += km <= reach and lag <= long
    return out
