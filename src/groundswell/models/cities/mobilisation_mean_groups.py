"""Expected organised groups by day and after the daily window, and the slopes in their parameters.

Given no effect of events on them, and no contact, groups are a branching process whose mean is a product over days.
"""

from __future__ import annotations

import numpy as np

from groundswell.data.setting import Setting
from groundswell.models.cities import _group_loops
from groundswell.models.cities.mechanisms import YEAR, Groups
from groundswell.models.day_by_day import Total


def steps_of(setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """Begin and end, (K,) each, of the days of the window and of the later steps, in days since the window's start."""
    days = setting.window.periods
    edges = np.array([*range(days), *(setting.later_edges or (days,))])
    return edges[:-1], edges[1:]


def of_one_group(groups: Groups, setting: Setting, total: Total) -> tuple[float, float]:
    """Mean and variance of what one group at the start, with all that it recruits, adds to a total of groups.

    As if events and contact did not act on groups. The places of the total are not looked at.
    """
    begin, end = steps_of(setting)
    years = (end - begin) / YEAR
    inside = (begin <= total.last) & (end > total.first)
    mean, variance = _group_loops.of_one(
        groups.recruitment * years, 1 - np.exp(-groups.breakup * years), inside, total.series == "formed"
    )
    if total.series in ("members_arrested", "members_warned"):
        mean, variance = groups.members * mean, groups.members**2 * variance
    if total.series == "members_warned":
        warned = groups.warned_per_member_arrested
        mean, variance = warned * mean, warned**2 * variance + warned * mean
    return mean, variance


class GroupsCourse:
    """What becomes of one group at the start, in the mean, by step: days of the window, then the later steps.

    alive, formed, broken : (3, K), the value, its slope in recruitment and its slope in breakup. acting (T, P) : groups
    by place and day, over those expected at the start.
    """

    columns = ("formed", "broken_up", "members_arrested", "members_warned")

    def __init__(self, groups: Groups, setting: Setting, share: np.ndarray) -> None:
        self.groups, self.share = groups, share
        days = setting.window.periods
        self.begin, self.end = steps_of(setting)
        years = (self.end - self.begin) / YEAR
        recruited, stays = groups.recruitment * years, np.exp(-groups.breakup * years)
        growth = recruited + stays
        none = np.zeros_like(years)
        before = np.concatenate([[1.0], np.cumprod(growth)[:-1]])
        slopes = [np.concatenate([[0.0], np.cumsum(rate)[:-1]]) for rate in (years / growth, -years * stays / growth)]
        self.alive = before * np.array([none + 1, *slopes])
        self.formed = recruited * self.alive + before * np.array([none, years, none])
        self.broken = (1 - stays) * self.alive + before * np.array([none, none, stays * years])
        self.daily = self.alive[:, :days]
        self.there = groups.initial / max(groups.initial, 1.0)
        self.acting = self.there * np.outer(self.daily[0], share)

    def read(self, total: Total) -> tuple[float, dict[str, float], np.ndarray]:
        """The expected total, its slopes by name, and its slopes (P,) in the shares of the places."""
        groups = self.groups
        inside = (self.begin <= total.last) & (self.end > total.first)
        steps = (self.formed if total.series == "formed" else self.broken)[:, inside].sum(axis=1)
        warned = groups.warned_per_member_arrested
        factor, found = {
            "formed": (1.0, {}),
            "broken_up": (1.0, {}),
            "members_arrested": (groups.members, {"members": 1.0}),
            "members_warned": (
                groups.members * warned,
                {"members": warned, "warned_per_member_arrested": groups.members},
            ),
        }[total.series]
        here = groups.initial * float(self.share[total.where].sum())
        slopes = {name: here * float(steps[0]) * value for name, value in found.items()}
        slopes["initial"] = factor * here / groups.initial * float(steps[0]) if groups.initial > 0 else 0.0
        slopes["recruitment"], slopes["breakup"] = factor * here * steps[1], factor * here * steps[2]
        in_share = np.zeros_like(self.share)
        in_share[total.where] = factor * groups.initial * steps[0]
        return factor * here * float(steps[0]), {f"groups.{name}": value for name, value in slopes.items()}, in_share

    def pull(self, slope: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
        """From slopes (T, P) in `acting`: those by name, and (P,) in the shares."""
        by_day = slope @ self.share
        found = {
            "groups.initial": float(by_day @ self.daily[0]) if self.groups.initial < 1 else 0.0,
            "groups.recruitment": self.there * float(by_day @ self.daily[1]),
            "groups.breakup": self.there * float(by_day @ self.daily[2]),
        }
        return found, self.there * (self.daily[0] @ slope)
