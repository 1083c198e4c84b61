"""Which claims of a record a study can weigh, and for every other one the reason in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from groundswell.data.provenance import counts_with
from groundswell.data.quantities import INPUTS, UNSPOKEN, quantity
from groundswell.data.record import Claim, Record
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import DataError, nearest


@dataclass(frozen=True)
class Unweighed:
    """A claim that is kept, listed and not weighed, and why."""

    claim: Claim
    reason: str


@dataclass(frozen=True)
class Sorted:
    """A record in three heaps. weighed : the claims that enter the likelihood.

    setting : claims that the study took as given. unspoken : claims about which the model or
    this window cannot say anything. Every claim of the record is in exactly one of the three.
    """

    weighed: Record
    setting: tuple[Unweighed, ...]
    unspoken: tuple[Unweighed, ...]

    def table(self) -> Table:
        """The claims that are not weighed: id, what was said, by whom, and the reason."""
        rows = [
            {"id": out.claim.id, "quantity": out.claim.quantity, "place": out.claim.place, "said": out.claim.words(),
             "speaker": out.claim.speaker, "used as setting": heap is self.setting, "reason": out.reason}
            for heap in (self.setting, self.unspoken) for out in heap
        ]  # fmt: skip
        names = ["id", "quantity", "place", "said", "speaker", "used as setting", "reason"]
        return Table.from_rows(sorted(rows, key=lambda row: row["id"]), names)


def sort_claims(record: Record, setting: Setting, given: Iterable[str] = ()) -> Sorted:
    """Sort a record for a setting.

    given : ids of claims that the study used to build the setting (say, the places active on the
    first day); weighing them or a repetition of them too would count them twice. A claim whose window begins before the
    study's is refused and not clipped: the part outside is not in the model, and a clipped figure is
    nobody's claim. After the daily window only the organised groups run on, up to the last later step.
    DataError names a claim with an unknown quantity, place or id, or a value that no count can have.
    """
    as_setting = set(given)
    for identifier in sorted(as_setting):
        record[identifier]
    stands = counts_with(record.claims)
    taken = {stands[identifier] for identifier in as_setting}
    weighed: list[Claim] = []
    used: list[Unweighed] = []
    unspoken: list[Unweighed] = []
    for claim in record:
        if claim.id in as_setting:
            used.append(Unweighed(claim, "used to build the setting, so not weighed a second time"))
        elif stands[claim.id] in taken:
            used.append(Unweighed(claim, f"tells claim {stands[claim.id]} again, which was used to build the setting"))
        elif claim.quantity in INPUTS:
            used.append(Unweighed(claim, INPUTS[claim.quantity]))
        elif claim.quantity in UNSPOKEN:
            unspoken.append(Unweighed(claim, UNSPOKEN[claim.quantity]))
        elif reason := outside(claim, setting):
            unspoken.append(Unweighed(claim, reason))
        else:
            check_value(claim)
            _check_place(claim, setting)
            weighed.append(claim)
    return Sorted(Record(tuple(weighed)), tuple(used), tuple(unspoken))


LARGEST = 1e12
"""No count of persons, places or teams reaches it."""


def check_value(claim: Claim) -> None:
    """DataError unless the claim's value is one that the quantity can have."""
    try:
        what = quantity(claim.quantity)
    except DataError as error:
        raise DataError(f"claim {claim.id}: {error}") from error
    values = [claim.value] if claim.value_high is None else [claim.value, claim.value_high]
    if what.functional == "ratio":
        if values[-1] <= 0:
            raise DataError(
                f"claim {claim.id}: a {what.name} of {values[-1]:g}; a ratio is above 0, so nothing can meet this. "
                "Give a positive threshold."
            )
    elif values[-1] >= LARGEST:
        raise DataError(
            f"claim {claim.id}: {claim.quantity} {values[-1]:g} is more than anything that is counted here; correct it."
        )
    elif any(value != int(value) for value in values):
        raise DataError(
            f"claim {claim.id}: {claim.quantity} {claim.value:g} is not whole; {what.unit} are counted in whole "
            'numbers, so no draw can meet it. Give the figure in single units, or a range with "between".'
        )


def require_inside(record: Record, setting: Setting) -> None:
    """DataError for a claim whose window is none of the setting's: nothing would be weighed, and nobody told."""
    for claim in record:
        if reason := outside(claim, setting):
            raise DataError(
                f"claim {claim.id} ({claim.words()}) cannot be weighed: {reason}. Correct its dates or the window; "
                "`sort_claims` lists such claims apart, with the reason."
            )


def outside(claim: Claim, setting: Setting) -> str:
    """Why a claim's window is none of the setting's; empty if it is one."""
    window = setting.window
    first, last = window.day(claim.start), window.day(claim.end)
    if first < 0:
        return f"its window begins {claim.start}, before the study's first day {window.start}; refused, not clipped"
    if last < window.days:
        return ""
    if not quantity(claim.quantity).runs_later:
        return f"its window ends {claim.end}, after the study's last day {window.end}"
    if not setting.later_edges:
        return f"its window ends {claim.end}; this study does not run the organised groups past {window.end}"
    if last >= setting.later_edges[-1]:
        until = window.date(setting.later_edges[-1] - 1)
        return f"its window ends {claim.end}; the organised groups run on only to {until}"
    return ""


def _check_place(claim: Claim, setting: Setting) -> None:
    try:
        setting.places.covered_by(claim.place)
    except DataError as error:
        raise DataError(f"claim {claim.id}: {error} Claims name a place, a region or the country.") from error


def unknown_label(what: str, label: str, known: Iterable[str]) -> str:
    """The message for a label that a reporting model does not have."""
    known = sorted(known)
    return f'{what} "{label}" is not among {", ".join(known) or "none"}.' + nearest(label, known)
