"""What a reader must know of events in the plane: doubtful data before a fit, parameters that mean little after it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from groundswell.data.history import Events
from groundswell.data.setting import Setting
from groundswell.errors import GroundswellWarning
from groundswell.params import names

if TYPE_CHECKING:
    from groundswell.models.events.space_time import SpaceTime

NO_TRIGGERING = 1e-3
"""Fewer offspring of an event are none, as far as a fit can tell."""

FLAT = 0.8
"""A reach that keeps more than this part of its height as far as it goes is no more than a constant."""


def warn(model: SpaceTime, setting: Setting, events: Events) -> None:
    """GroundswellWarnings for events that share their position, and for areas and positions in different units."""
    at = np.asarray(events.x_km, dtype=float) + 1j * np.asarray(events.y_km, dtype=float)
    shared = len(at) - len(np.unique(at))
    if shared and model.offspring is not None and "scale_km" in names(model.offspring.reach):
        _say(
            f"{shared} of {len(at)} events have the position of another, to the digit. The log density then rises "
            "without end as the reach's scale goes to 0, and a search may go there: positions rounded to a town are "
            "places. Use SelfExciting on places, Steps as the reach, or positions as they were before rounding."
        )
    if model.endemic is None:
        return
    area = float(setting.covariates["area_km2"][:, 0].sum()) if "area_km2" in setting.covariates else np.nan
    if setting.region is not None and abs(area - setting.region.area_km2) > 0.05 * setting.region.area_km2:
        _say(
            f"the covariate area_km2 adds up to {area:.4g} km^2 and Setting.region has {setting.region.area_km2:.4g}; "
            "expected the same, since the endemic rate is integrated over the places. Are both in km^2, and do the "
            "places fill the region?"
        )
    if setting.region is None and len(at) > 9 and (np.abs(at.real) <= 180).all() and (np.abs(at.imag) <= 90).all():
        box = max(float(np.ptp(at.real) * np.ptp(at.imag)), 1e-9)
        if area > 1000 * box:
            _say(
                f"all events lie within {np.ptp(at.real):.3g} by {np.ptp(at.imag):.3g} km, on places of {area:.4g} "
                "km^2: these look like degrees. Give km: Projection.around(latitude, longitude) makes them."
            )


def remarks(model: SpaceTime, setting: Setting, events: Events | None) -> tuple[str, ...]:
    """See `SpaceTime.remarks`."""
    found = []
    if events is not None and not len(events):
        found.append(
            "There is no event in this history: rates run to 0, and nothing can be learnt of what they depend on or of "
            "triggering. Estimates without a standard error mean nothing here."
        )
    part = model.offspring
    if part is None:
        return tuple(found)
    if setting.region is None and model.regions is None:
        found.append(
            "The setting has no region: offspring count as seen wherever they fall within furthest_km. Near the border "
            "of what was recorded that takes too many as seen, and the estimate of the offspring comes out low."
        )
    marks = np.ones((1, 1)) if events is None else part.columns(events)
    if events is not None and not len(events):
        return tuple(found)
    if events is not None or not part.effects:
        eta = np.exp(marks @ np.array([part.intercept, *part.effects.values()]))
        offspring = float(eta.mean()) * (model.kinds if part.across else 1)
        if offspring < NO_TRIGGERING:
            found.append(
                "As far as these parameters tell, no event was set off by another: reach and delay have nothing to be "
                "learnt from, and the endemic part alone (offspring=None) says the same."
            )
            return tuple(found)
        if offspring > 1:
            found.append(f"Each event sets off {offspring:.3g} others on average: above 1 events grow without bound.")
    km = part.furthest_km * np.linspace(0, 1, 101)
    height = part.reach.value(km)
    if height[-1] > FLAT * height.max():
        found.append(
            f"The reach hardly falls within {part.furthest_km:g} km: what is called triggering is then a rise of the "
            "rate after events anywhere about, which an endemic part that moves would explain as well. Marks and kinds "
            "that change such offspring are hardly known. Raise furthest_km, or leave the offspring out."
        )
    return tuple(found)


def _say(words: str) -> None:
    warnings.warn(words, GroundswellWarning, stacklevel=5)
