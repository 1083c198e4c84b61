"""The stretch of time under study: one ISO date and a number of equal steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from groundswell.errors import DataError, UsageError


@dataclass(frozen=True)
class Window:
    """`periods` steps of `step` days from local midnight of `start`.

    Everywhere else time is a float in days since that midnight (events) or a step number
    in [0, periods) (series). Daily series have step 1, weekly ones 7.
    """

    start: date
    periods: int
    step: int = 1

    def __post_init__(self) -> None:
        if self.periods < 1 or self.step < 1:
            raise UsageError(f"Window has {self.periods} periods of {self.step} days; expected 1 or more of each.")
        if self.days > (date.max - self.start).days:
            raise UsageError(
                f"Window has {self.periods} periods of {self.step} days from {self.start}, which ends after the year "
                "9999, the last that dates can name; give fewer."
            )

    @classmethod
    def between(cls, start: date | str, end: date | str, step: int = 1) -> Window:
        """From the first to the last day, both inclusive; a part of a last step is left out."""
        first, last = as_date(start), as_date(end)
        if last < first:
            raise DataError(f"window ends {last} before it starts {first}; swap the two dates.")
        return cls(first, ((last - first).days + 1) // step, step)

    @property
    def days(self) -> int:
        """Length in days."""
        return self.periods * self.step

    @property
    def end(self) -> date:
        """The last day inside."""
        return self.start + timedelta(days=self.days - 1)

    def day(self, when: date | str) -> int:
        """Days from the start to `when`; negative before the window, no check."""
        return (as_date(when) - self.start).days

    def date(self, day: float) -> date:
        """The calendar day that holds time `day`."""
        return self.start + timedelta(days=int(day // 1))

    def dates(self) -> list[date]:
        """The first day of each step."""
        return [self.start + timedelta(days=self.step * i) for i in range(self.periods)]


def as_date(value: date | str) -> date:
    """A date from a date or an ISO text; DataError for anything else."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value.strip())
    except (ValueError, AttributeError) as error:
        raise DataError(f'"{value}" is not an ISO date; write it as 2017-12-28.') from error
