"""Claims together with counts that somebody took place by place and day by day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from groundswell.data.history import History
from groundswell.data.record import Claim, Record
from groundswell.errors import DataError


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of one history: what was said of it, and events that a source counted itself.

    record : the claims. counts : a History with the series "events", of the study's places from its first day on;
    `counts.weighed` says where and when the source looked (None: everywhere), so a list that covers N cities is a
    history whose other cities are not weighed. detection : the share of events that it lists where it looked, each
    by chance and independently of the others; 1, and its counts are the truth. It is given, not learnt: vary it.

    A figure that was made from the same counts is no second source: leave such claims out of the record.
    """

    record: Record
    counts: History
    detection: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.detection <= 1:
            raise DataError(
                f"Evidence.detection is {self.detection:g}; expected a share of events above 0 and at most 1."
            )
        self.counts.counts("events")

    def __len__(self) -> int:
        return len(self.record)

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.record)

    def digest(self) -> str:
        """SHA-256 of claims, counts and the share of events that was seen."""
        whole = f"{self.record.digest()} {self.counts.digest()} {self.detection!r}"
        return hashlib.sha256(whole.encode()).hexdigest()
