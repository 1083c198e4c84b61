"""A moment of a run as an .npz file: written whole or not at all, and read back or refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data.files import BROKEN_ARCHIVE, replacing_file
from groundswell.errors import DataError

ARCHIVE = b"PK"
"""With what an .npz file begins."""

DAMAGE = (*BROKEN_ARCHIVE, ValueError, KeyError)
"""What reading arrays of a broken archive can end in."""


def write_moment(path: Path | str, kind: type, version: int, **values: Any) -> None:
    """Arrays, numbers and texts by name, with the class that they make and the version of what they mean."""
    with replacing_file(Path(path)) as temporary, temporary.open("wb") as out:
        np.savez_compressed(out, format=version, kind=kind.__name__, **values)


def read_moment(path: Path | str, kind: type, version: int) -> dict[str, np.ndarray]:
    """What `write_moment` wrote for a class; DataError for any other file, a damaged one or another version."""
    what = kind.__name__.lower()
    try:
        with Path(path).open("rb") as file:
            if file.read(len(ARCHIVE)) != ARCHIVE:
                raise DataError(f"{path} is no saved {what}: it is no .npz file. Give one of {kind.__name__}.save().")
            file.seek(0)
            with np.load(file, allow_pickle=False) as held:
                saved = {name: held[name] for name in held.files}
    except FileNotFoundError as error:
        raise DataError(
            f"{path} does not exist; expected a {what}, from {kind.__name__}.save() or `simulate --save-after`."
        ) from error
    except DataError:
        raise
    except DAMAGE as error:
        raise DataError(f"{path} is no saved {what}, or a damaged one ({error}). Save it again.") from error
    other = str(saved["kind"]) if "kind" in saved else kind.__name__  # the first files did not say
    if other != kind.__name__:
        raise DataError(
            f"{path} was saved by another model ({other}); expected {kind.__name__}. Name the model that was run."
        )
    found = int(saved["format"]) if "format" in saved and saved["format"].dtype.kind in "iu" else 0
    if found != version:
        raise DataError(
            f"{path} has format {found}; this version reads format {version}. "
            "Continue the run with the version that saved it."
        )
    return saved
