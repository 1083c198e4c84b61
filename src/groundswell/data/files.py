"""Files are written whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from groundswell.errors import GroundswellError

BROKEN_ARCHIVE = (OSError, EOFError, RuntimeError, struct.error, zipfile.BadZipFile, zlib.error)
"""What opening a zip archive that is none, or a damaged one, can end in."""


@contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes that name only if the block succeeds."""
    path = Path(path)
    # named before it is made: an interrupt in between leaves nothing behind
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(mode=0o600, exist_ok=False)
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise GroundswellError(
            f"{path} cannot be written: {error.strerror or error}. "
            "Name another place, or make this one writable with room left on it."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text through a temporary name."""
    with replacing_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


DIGITS = 12
"""Digits of a number that are kept in JSON: what lies beyond is rounding, and differs between machines."""


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys and 12 digits, so that equal results are equal files; NaN is refused."""
    text = json.dumps(rounded(value), indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    write_text(path, text + "\n")


def rounded(value: Any) -> Any:
    """The same lists and dictionaries with every float to DIGITS significant digits."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list | tuple) else value


@contextmanager
def replacing_contents(folder: Path, before: Iterable[str] = ()) -> Iterator[Path]:
    """Yield a new folder inside `folder`; if the block succeeds, each file in it takes its place there.

    before : files of an earlier run by their paths in `folder`; those that the new run does not have are removed, so
    that nothing old stands beside the new. Files of other origin are left alone.
    """
    staging = Path(tempfile.mkdtemp(dir=writable_folder(folder), prefix=".new-"))
    try:
        yield staging
        new = contents(staging)
        for name in new:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(staging / name, folder / name)
        for name in set(before) - set(new):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise GroundswellError(f"{folder} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def contents(folder: Path) -> list[str]:
    """Every file of a folder and the folders in it, by its path there, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def files_of_run(folder: Path) -> list[str]:
    """The files that an earlier run wrote into the folder, as the "files" of its run.json have them; else none."""
    try:
        files = json.loads((folder / "run.json").read_text(encoding="utf-8")).get("files", [])
    except (OSError, ValueError, AttributeError):
        return []
    return [name for name in files if isinstance(name, str) and ".." not in name and not name.startswith("/")]


def writable_folder(path: Path) -> Path:
    """The folder, made if need be, after a trial write; an error now beats one after an hour."""
    with replacing_file(Path(path) / ".trial"):
        pass
    (Path(path) / ".trial").unlink(missing_ok=True)
    return Path(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
