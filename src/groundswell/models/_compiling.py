"""How loops are compiled that hand arrays to each other at every turn."""

from __future__ import annotations

from typing import Any

BORROWS: dict[str, Any] = {"cache": True, "_nrt": False}
"""For `njit` of a function that makes no array. Else numba counts the references to every array that is handed over, by
operations that lock its memory for all threads (docs/decisions/053)."""
