"""Made-up files of events, for tests of commands."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

from groundswell.rng import generator

CITIES = (
    ("Ashford", 35.0, 51.0, 900_000),
    ("Brightwater", 35.4, 51.6, 60_000),
    ("Calder", 35.5, 51.7, 45_000),
    ("Dunmore", 31.0, 58.0, 150_000),
)


def events_file(path: Path, days: int, *, seed: int = 11) -> Path:
    """Counts that follow the day before, written as one row an event."""
    rng = generator(seed)
    last = [2, 1, 1, 0]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["date", "city", "latitude", "longitude", "population"])
        for day in range(days):
            means = [min(0.2 + 0.6 * mine + 0.05 * sum(last), 5) for mine in last]
            last = [int(rng.poisson(mean)) for mean in means]
            for (name, north, east, people), count in zip(CITIES, last, strict=True):
                for _ in range(count):
                    rows.writerow([date(2021, 3, 1) + timedelta(day), name, north, east, people])
    return path
