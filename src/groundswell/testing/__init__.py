"""The contract: what every model promises, by capability, for models of the library and for your own.

    from groundswell.testing import promises
    from my_model import MyModel

    MODEL, SETTING = MyModel.example()

    @pytest.mark.parametrize("promise", promises(MODEL), ids=str)
    def test_contract(promise):
        promise(MODEL, SETTING)

`check_contract(MyModel)` does the same without pytest and names every promise that is broken.
"""

from __future__ import annotations

from groundswell.data.setting import Setting
from groundswell.models.base import Model
from groundswell.testing.base import BrokenPromise, Promise
from groundswell.testing.days import PROMISES as OF_DAYS
from groundswell.testing.density import PROMISES as OF_DENSITIES
from groundswell.testing.draws import PROMISES as OF_DRAWS

__all__ = ["CONTRACT", "BrokenPromise", "Promise", "check_contract", "promises"]

CONTRACT: tuple[Promise, ...] = (*OF_DRAWS, *OF_DENSITIES, *OF_DAYS)
"""Every promise there is."""


def promises(model: Model) -> tuple[Promise, ...]:
    """The promises that this very model has made, by the verbs that it has."""
    return tuple(promise for promise in CONTRACT if promise.applies(model))


def check_contract(kind: type[Model] | Model, setting: Setting | None = None) -> list[str]:
    """Check every promise of a model; the names of those that were checked.

    kind : a model's class, which is tried on its own `example()`, or an instance together with a setting. Some
    promises draw 400 histories, so the setting should be small. BrokenPromise lists all that are broken.
    """
    model, where = kind.example() if isinstance(kind, type) else (kind, setting)
    if where is None:
        raise TypeError("check_contract was given an instance without a setting; give it the class, or both.")
    broken: list[str] = []
    made = promises(model)
    for promise in made:
        try:
            promise(model, where)
        except BrokenPromise as error:
            broken.append(f"- {promise}: {error}")
        except Exception as error:
            broken.append(f"- {promise}: {type(error).__name__}: {error}")
    if broken:
        raise BrokenPromise(
            f"{type(model).__name__} breaks {len(broken)} of {len(made)} promises:\n" + "\n".join(broken)
        )
    return [str(promise) for promise in made]
