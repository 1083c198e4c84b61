"""`groundswell models new`: a model of one's own, in one file, beside a test of its contract."""

from __future__ import annotations

import keyword
import re
from importlib import resources, util
from pathlib import Path

from groundswell.data.files import write_text
from groundswell.errors import UsageError
from groundswell.models.library import LIBRARY

TEST = '''"""The contract of {model}, and what is known of it exactly."""

import numpy as np
import pytest
from {name} import {model}

from groundswell import generator
from groundswell.testing import promises

MODEL, SETTING = {model}.example()


@pytest.mark.parametrize("promise", promises(MODEL), ids=str)
def test_contract(promise):
    promise(MODEL, SETTING)


def test_the_mean_is_what_the_equations_give():
    """Expected events: background at the first step, then background + offspring times those of the step before."""
    expected = np.zeros(SETTING.window.periods)
    for t in range(len(expected)):
        expected[t] = MODEL.background + (MODEL.offspring * expected[t - 1] if t else 0)
    draws = np.array([MODEL.simulate(SETTING, rng=rng)["events"].mean(axis=0) for rng in generator(1).spawn(1000)])
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    assert np.all(np.abs(draws.mean(axis=0) - expected) < 4.5 * error)
'''


def new_model(name: str, folder: Path) -> list[Path]:
    """Write NAME.py and test_NAME.py into the folder; UsageError for a name that cannot be, or a file that is there."""
    name = name.replace("-", "_")
    _check(name)
    paths = [folder / f"{name}.py", folder / f"test_{name}.py"]
    for path in paths:
        if path.exists():
            raise UsageError(f"{path} exists already and is left as it is; choose another name or folder.")
    if util.find_spec(name) is not None:
        raise UsageError(f'Python has a module "{name}" already and would take one for the other; choose another name.')
    model = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    source = (resources.files("groundswell.models") / "starter.py").read_text(encoding="utf-8")
    source = re.sub(r"\n`groundswell models new` copies this file\. ", "\n", source)
    write_text(paths[0], source.replace("Starter", model).replace("starter", name.replace("_", " ")))
    write_text(paths[1], TEST.format(name=name, model=model))
    return paths


def _check(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UsageError(
            f'"{name}" cannot be the name of a model; expected small letters, digits and _, beginning with a letter, '
            "as my_model. It becomes a Python module and, in capitals, a class."
        )
    if name in LIBRARY:
        raise UsageError(f'the library has a model "{name}" already; choose another name.')
