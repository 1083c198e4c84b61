"""What to try with civil violence: five runs that its paper describes, as recalled, each a model ready to populate.

`SCENARIOS` has the same as changes of a run, each beside the run without it, from any step of any crowd on.

Nothing here was checked against the text: neither that officers, vision and terms are the same in the later runs as in
the second, nor the step in which legitimacy drops. A change in the middle of a run needs no model of its own:
`dataclasses.replace(crowd, model=other)` goes on under other rules, with the same luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from groundswell.errors import UsageError
from groundswell.models.agents.civil_violence import CivilViolence, Course
from groundswell.models.moments import Scenario

if TYPE_CHECKING:
    from groundswell.models.agents.crowd import Crowd


def deception(**changes: Any) -> CivilViolence:
    """Run 1: the aggrieved turn quiet when an officer is near and act again when none is; vision 1.7."""
    return CivilViolence.paper_run(1, **changes)


def punctuated_equilibrium(**changes: Any) -> CivilViolence:
    """Run 2: long quiet and sudden outbursts; the paper's ratio shows none here, so C/A is rounded down."""
    return CivilViolence.paper_run(2, **{"ratio": "floor", **changes})


def legitimacy_falling(**changes: Any) -> CivilViolence:
    """Run 3: legitimacy falls from .9 to 0 by .01 a step, ninety steps."""
    return punctuated_equilibrium(**{"legitimacy": 0.9, "legitimacy_course": Course(to=0.0, by=0.01), **changes})


def legitimacy_dropping(**changes: Any) -> CivilViolence:
    """Run 4: legitimacy falls from .9 to .7 at once, in step 77."""
    return punctuated_equilibrium(**{"legitimacy": 0.9, "legitimacy_course": Course(to=0.7, first=77.0), **changes})


def officers_withdrawn(**changes: Any) -> CivilViolence:
    """Run 5: at a legitimacy of .8, officers go from .074 a cell to none, 1/1600 a step: one of 40 x 40 cells."""
    course = Course(to=0.0, by=1 / 1600)
    return punctuated_equilibrium(**{"legitimacy": 0.8, "officer_density": 0.074, "officers_course": course, **changes})


def _ruled(change: Callable[[CivilViolence, int], CivilViolence]) -> Callable[[Crowd], Crowd]:
    """A change of the model after so many steps, as one of the crowd."""
    return lambda crowd: replace(crowd, model=change(crowd.model, crowd.step))


def _legitimacy(model: CivilViolence, step: int, to: Callable[[float], float], by: float) -> CivilViolence:
    """On its way from where it is after so many steps."""
    now = model.at(step).legitimacy
    return replace(model, legitimacy=now, legitimacy_course=Course(to=to(now), first=step + 1.0, by=by))


def _none(_: float) -> float:
    return 0.0


def _lower(now: float) -> float:
    return max(0.0, round(now - 0.2, 12))


def _withdrawing(model: CivilViolence, step: int) -> CivilViolence:
    if model.officers_course is not None:
        raise UsageError("CivilViolence.officers_course is set: officers are being withdrawn in this run as it is.")
    course = Course(to=0.0, first=step + 1.0, by=1 / model.cells)
    return replace(model, officers_course=course)


SCENARIOS: Mapping[str, Scenario] = {
    "deception": Scenario(
        "fear of arrest: the aggrieved turn quiet when an officer is near",
        deception(arrest_constant=0.0), 0, _ruled(lambda model, _: replace(model, arrest_constant=2.3)),
    ),
    "punctuated_equilibrium": Scenario(
        "officers for each active agent in view count whole: long quiet and sudden outbursts",
        CivilViolence.paper_run(2), 0, _ruled(lambda model, _: replace(model, ratio="floor")),
    ),
    "legitimacy_falling": Scenario(
        "legitimacy falls to 0 by .01 a step",
        punctuated_equilibrium(legitimacy=0.9), 0, _ruled(lambda model, step: _legitimacy(model, step, _none, 0.01)),
    ),
    "legitimacy_dropping": Scenario(
        "legitimacy falls by .2 at once",
        punctuated_equilibrium(legitimacy=0.9), 76, _ruled(lambda model, step: _legitimacy(model, step, _lower, 1.0)),
    ),
    "officers_withdrawn": Scenario(
        "officers leave, one a step, until there is none",
        punctuated_equilibrium(legitimacy=0.8, officer_density=0.074), 0, _ruled(_withdrawing),
    ),
}  # fmt: skip
"""By name; the model of each is the one above without its change, for who states no other."""
