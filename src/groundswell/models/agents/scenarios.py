"""What to try with civil violence: five runs that its paper describes, as recalled, each a model ready to populate.

Nothing here was checked against the text: neither that officers, vision and terms are the same in the later runs as in
the second, nor the step in which legitimacy drops. A change in the middle of a run needs no model of its own:
`dataclasses.replace(crowd, model=other)` goes on under other rules, with the same luck.
"""

from __future__ import annotations

from typing import Any

from groundswell.models.agents.civil_violence import CivilViolence, Course


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
