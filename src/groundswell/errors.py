"""What can go wrong, as a tree; each branch carries the exit code of the command line.

Every message says what was given, what was expected, why it matters and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GroundswellError(Exception):
    """Anything this package refuses to do, with the reason in words."""

    exit_code = 1


class UsageError(GroundswellError, ValueError):
    """A call, option or configuration that cannot be meant as it stands."""

    exit_code = 2


class ParameterError(UsageError):
    """A parameter outside its range, or a name that no parameter has."""


class MissingVerb(UsageError, TypeError):
    """A method asked a model for something that the model does not have."""


class DataError(GroundswellError, ValueError):
    """A file, table or claim that cannot be read as what it should be."""

    exit_code = 3


class NotConverged(GroundswellError):
    """A computation ended below the stated quality; results are written and flagged."""

    exit_code = 4


class GroundswellWarning(UserWarning):
    """Something the reader of a result should know, though the result stands."""


def nearest(name: str, known: Iterable[str], count: int = 1) -> str:
    """The known names nearest to `name`, quoted, as the end of an error message."""
    found = difflib.get_close_matches(name, list(known), n=count, cutoff=0.5)
    if not found:
        return ""
    quoted = ", ".join(f'"{item}"' for item in found)
    return f" Nearest name: {quoted}." if len(found) == 1 else f" Nearest names: {quoted}."
