"""A sweep's folder: a manifest, one file for each run, and what stands there at the moment.

    sweep.json                     what the runs depend on; another sweep is refused
    runs/0001/000300-00002.json    configuration 300 under seed 2; written whole or not at all

A run's name says all of which run it is, so that nothing can be there twice, and whatever ended the work before, the
same command goes on from what is there. A file that cannot be read, or does not carry its own checksum, counts as
missing and is written again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from groundswell.data.files import rounded, writable_folder, write_json
from groundswell.errors import DataError, UsageError
from groundswell.sweeps.sweep import Sweep

MANIFEST = "sweep.json"
FORMAT = 1
BESIDE = 256
"""Configurations whose files share a folder."""


@dataclass(frozen=True)
class Run:
    """One task: its place in the design and its seed."""

    configuration: int
    seed: int


@dataclass(frozen=True)
class Shard:
    """Every `of`-th run from the `number`-th on, for job arrays; numbers begin at 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From "3/50"."""
        number, slash, of = text.partition("/")
        if not (slash and number.isascii() and of.isascii() and number.isdigit() and of.isdigit()):
            raise UsageError(f'--shard "{text}": expected the shard\'s number and how many there are, as in 3/50.')
        return cls(int(number), int(of))

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise UsageError(f"shard {self.number}/{self.of}: expected a number from 1 to {self.of}.")


@dataclass(frozen=True)
class Status:
    """How many runs there are and how they stand; done are those with a result.

    damaged : files that cannot be read, which count as missing. exploded : of those done.
    first_error : of the failed run that comes first, with its place in the design.
    """

    runs: int
    done: int = 0
    failed: int = 0
    missing: int = 0
    damaged: int = 0
    exploded: int = 0
    first_error: str | None = None

    def words(self) -> str:
        """One sentence or two."""
        parts = [f"{self.done:,} of {self.runs:,} runs done, {self.failed:,} failed, {self.missing:,} missing"]
        parts += [f"{self.damaged:,} of them damaged"] if self.damaged else []
        parts += [f"{self.exploded:,} of those done exploded"] if self.exploded else []
        return ", ".join(parts) + "." + (f"\nFirst failure: {self.first_error}" if self.first_error else "")


@dataclass(frozen=True)
class Folder:
    """The folder of one sweep, by its manifest."""

    path: Path
    parameters: tuple[str, ...]
    summaries: tuple[str, ...]
    design: str
    configurations: int
    seeds: int
    seed: int
    digest: str

    @classmethod
    def made(cls, path: Path, sweep: Sweep) -> Self:
        """The folder for this sweep, new or with some of its runs; UsageError if another sweep's runs are there.

        More seeds than before are taken; fewer leave the manifest as it is.
        """
        writable_folder(path)
        manifest, seeds = path / MANIFEST, sweep.seeds
        if manifest.exists():
            before = _read_manifest(manifest)
            apart = [what for what, value in sweep.identity.items() if before["identity"].get(what) != value]
            if apart:
                raise UsageError(
                    f"{path} holds runs of another sweep: {', '.join(apart)} differ. Mixed runs could not be told "
                    f"apart; name another --out, or delete {path} to begin anew."
                )
            seeds = max(seeds, before["seeds"])
        content = {
            "format": FORMAT,
            "identity": sweep.identity,
            "parameters": list(sweep.design.names),
            "summaries": list(sweep.summaries.names),
            "design": sweep.design.kind,
            "configurations": len(sweep.configurations),
            "seeds": seeds,
            "seed": sweep.seed,
        }
        write_json(manifest, content)
        return cls.opened(path)

    @classmethod
    def opened(cls, path: Path) -> Self:
        """The folder that an earlier `run` made; DataError if there is none."""
        read = _read_manifest(path / MANIFEST)
        return cls(
            path, tuple(read["parameters"]), tuple(read["summaries"]), read["design"], read["configurations"],
            read["seeds"], read["seed"], _digest(read["identity"]),
        )  # fmt: skip

    def runs(self, shard: Shard | None = None) -> list[Run]:
        """The tasks of a shard in order, seeds within configurations."""
        shard = shard or Shard()
        every = range(shard.number - 1, self.configurations * self.seeds, shard.of)
        return [Run(*divmod(at, self.seeds)) for at in every]

    def file(self, run: Run) -> Path:
        """Where a run's result stands."""
        name = f"{run.configuration:06d}-{run.seed:05d}.json"
        return self.path / "runs" / f"{run.configuration // BESIDE:04d}" / name

    def write(self, run: Run, parameters: Mapping[str, float], result: Mapping[str, Any]) -> None:
        """Put a run's result in its place, whole or not at all."""
        where = {"configuration": run.configuration, "seed": run.seed, "sweep": self.digest}
        body = rounded({**where, "parameters": dict(parameters), **result})
        write_json(self.file(run), {"run": body, "checksum": _digest(body)})

    def read(self, run: Run) -> dict[str, Any] | None:
        """What was written for a run; None if nothing was. DataError for a damaged file."""
        path = self.file(run)
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            body = held["run"]
            whole = held["checksum"] == _digest(body) and body["sweep"] == self.digest
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            whole = False
        if not whole or (body["configuration"], body["seed"]) != (run.configuration, run.seed):
            raise DataError(f"{path} is damaged or belongs elsewhere; `sweep run` writes it again.")
        return body

    def results(self, shard: Shard | None = None) -> Iterator[tuple[Run, dict[str, Any] | None, bool]]:
        """Each run with what was written for it, and whether its file is damaged."""
        for run in self.runs(shard):
            try:
                yield run, self.read(run), False
            except DataError:
                yield run, None, True

    def status(self, shard: Shard | None = None) -> Status:
        """How the runs of a shard stand."""
        found = Status(len(self.runs(shard)))
        for run, body, damaged in self.results(shard):
            if body is None:
                found = replace(found, missing=found.missing + 1, damaged=found.damaged + damaged)
            elif "error" in body:
                told = f"configuration {run.configuration}, seed {run.seed}: {body['error']}"
                found = replace(found, failed=found.failed + 1, first_error=found.first_error or told)
            else:
                found = replace(found, done=found.done + 1, exploded=found.exploded + body["exploded"])
        return found


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        version = read["format"]
    except FileNotFoundError as error:
        raise DataError(
            f"{path.parent} holds no sweep: {path.name} is missing. `sweep run --out` makes one."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is no manifest of a sweep, or a damaged one. Delete it and run the same sweep again: the runs "
            "that are done are kept."
        ) from error
    if version != FORMAT:
        raise DataError(f"{path} has format {version}; this version reads {FORMAT}. Run it with the version before.")
    return read


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
