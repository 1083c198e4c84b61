"""Models that live outside the library: in a file of one's own, or in another package.

my_model.py             the one model that the file holds
my_model.py:Waves       one of several
package.module:Waves    a model of an installed package
"""

from __future__ import annotations

import sys
from importlib import import_module, invalidate_caches, util
from pathlib import Path
from types import ModuleType

from groundswell.errors import DataError, UsageError, nearest
from groundswell.models.base import Model


def is_outside(name: str) -> bool:
    """Whether a model's name is that of a file or module and not of the library."""
    return ":" in name or name.endswith(".py")


def load_outside(name: str) -> type[Model]:
    """The class that `name` means; imports its file or module, so that its code runs.

    DataError for a file that is not there or cannot be imported; UsageError where it holds no such model, or several.
    """
    source, wanted = (name, "") if name.endswith(".py") else name.rsplit(":", 1)
    module = _of_file(Path(source)) if source.endswith(".py") else _imported(source)
    models = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Model) and value is not Model
    }
    own = {key: value for key, value in models.items() if value.__module__ == module.__name__}
    if wanted:
        if wanted not in models:
            raise UsageError(f'{source} has no model "{wanted}".' + nearest(wanted, models) + _known(own))
        return models[wanted]
    if len(own) != 1:
        raise UsageError(
            f"{source} defines {len(own)} models; expected one class that derives from groundswell.models.base.Model, "
            f"or its name after a colon, as {source}:Name." + _known(own)
        )
    return next(iter(own.values()))


def _of_file(path: Path) -> ModuleType:
    """The file as a module by its own name, as Python would import it from its folder.

    So it may import its neighbours, and another process finds it by that name; a name that is taken would be
    imported in its place there, and is refused.
    """
    name, path = path.stem, path.resolve()
    if not path.is_file():
        raise DataError(f"{path} does not exist; expected a Python file that holds a model.")
    if not name.isidentifier():
        raise UsageError(f'{path.name}: "{name}" is no name that Python can import; use letters, digits and _.')
    invalidate_caches()
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    found = util.find_spec(name) if name not in sys.modules else sys.modules[name].__spec__
    if found is None or found.origin is None or Path(found.origin).resolve() != path:
        taken = "another module" if found is None else found.origin or "a module built into Python"
        raise UsageError(f'{path}: the name "{name}" is taken by {taken}; rename the file.')
    return _imported(name)


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except Exception as error:
        raise DataError(
            f"{name} cannot be imported: {type(error).__name__}: {error}. A model is a Python module that imports "
            "without an error; run it with python to see where it fails."
        ) from error


def _known(models: dict[str, type[Model]]) -> str:
    return f" It holds: {', '.join(models)}." if models else ""
