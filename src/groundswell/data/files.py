"""Files are written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from groundswell.errors import GroundswellError


@contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes that name only if the block succeeds."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    except OSError as error:
        raise GroundswellError(
            f"{path} cannot be written: {error.strerror or error}. "
            "Choose another folder with --out, or make this one writable."
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
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
