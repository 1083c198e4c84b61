"""Parameters: declared once, then checked, named, flattened, transformed and tabulated.

A component of a model is a frozen dataclass that derives from `Component`. A field made
with `param(...)` is a leaf; a field that holds another component, or `None`, is a branch.
Dotted names ("between.reach.delta") address the leaves.

Every leaf has an unconstrained ("free") coordinate, set by its range alone: the log for
[0, inf), the logit for a bounded interval, the value itself for the whole line. A prior
is normal on that coordinate, so `Prior(median, sd)` is a log-normal, logit-normal or
normal distribution according to the range, and `sd` is in free units.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np

from groundswell.errors import ParameterError, nearest
from groundswell.fields import by_field, expected, fits, named

C = TypeVar("C", bound="Component")

NEAR = 5.0
"""A search that would start on the boundary of a range starts this far out: e^-5 above 0."""


@dataclass(frozen=True)
class Prior:
    """Normal on the parameter's free coordinate, given by its median and sd there."""

    median: float
    sd: float


Priors = tuple[tuple[str, Prior], ...]
"""Priors by dotted name of their parameter, as pairs, so that what holds them can be hashed."""


@dataclass(frozen=True)
class Declaration:
    """What `param` was told: unit, range, prior, meaning and its source."""

    unit: str
    low: float
    high: float
    prior: Prior | None
    doc: str


class Effects(Mapping[str, float]):
    """Coefficients keyed by labels (covariates, stances, speakers); frozen and hashable.

    The labels are part of the model's structure, the numbers are its parameters:
    `Effects(sin=.1, cos=-.2)` inside `endemic` gives `endemic.effects.sin`.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, float] | None = None, /, **more: float) -> None:
        merged = {**(dict(items) if items else {}), **more}
        self._items = {str(label): float(value) for label, value in merged.items()}

    @classmethod
    def zero(cls, *labels: str) -> Effects:
        """Coefficients of these columns, all starting at 0."""
        return cls(dict.fromkeys(labels, 0.0))

    def __getitem__(self, label: str) -> float:
        return self._items[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(tuple(self._items.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Effects) and self._items == other._items

    def __repr__(self) -> str:
        return f"Effects({self._items!r})"

    @property
    def values_array(self) -> np.ndarray:
        """The numbers in label order, (K,) float."""
        return np.array(list(self._items.values()), dtype=float)


def param(
    unit: str,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    prior: Prior | None = None,
    default: float | Effects | None = None,
    doc: str,
) -> Any:
    """Declare a parameter of a component; the starting value defaults to the prior's median.

    unit : as people say it ("events/day", "km", "1" for a pure number).
    low, high : the closed range of admissible values; they also choose the free coordinate.
    prior : for Bayesian methods; a parameter without one can only be fitted by likelihood.
    doc : what it is, in a clause; the documentation table and the flags quote it.
    """
    declared = Declaration(unit, low, high, prior, doc)
    if default is None and prior is not None:
        default = prior.median
    if default is None:
        return dataclasses.field(metadata={"param": declared})
    return dataclasses.field(default=default, metadata={"param": declared})


@dataclass(frozen=True)
class Leaf:
    """One number of a model, with its dotted name and its declaration."""

    name: str
    value: float
    unit: str
    low: float
    high: float
    prior: Prior | None
    doc: str

    @property
    def bounded(self) -> bool:
        """Whether the free coordinate differs from the value."""
        return math.isfinite(self.low) or math.isfinite(self.high)

    @property
    def start(self) -> float:
        """Free coordinate at which a search starts: inside the range, also where the value is on its boundary."""
        free = self.to_free(self.value)
        return float(min(max(free, -NEAR), NEAR if math.isinf(free) else free)) if self.bounded else free

    @property
    def center(self) -> float:
        """Free coordinate of the prior's median; ParameterError where there is no prior."""
        return self.to_free(self._known.median)

    @property
    def sd(self) -> float:
        """Standard deviation of the prior, which is normal on the free coordinate; ParameterError without one."""
        return self._known.sd

    @property
    def _known(self) -> Prior:
        if self.prior is None:
            raise ParameterError(f"{self.name} has no prior, so it cannot be drawn or weighed; hold it at a value.")
        return self.prior

    def to_free(self, value: float) -> float:
        """The value on the whole line; infinite exactly on the boundary of the range."""
        if math.isfinite(self.low) and math.isfinite(self.high):
            share = (value - self.low) / (self.high - self.low)
            if share <= 0:
                return -math.inf
            return math.inf if share >= 1 else math.log(share) - math.log1p(-share)
        if math.isfinite(self.low):
            return math.log(value - self.low) if value > self.low else -math.inf
        if math.isfinite(self.high):
            return -math.log(self.high - value) if value < self.high else math.inf
        return value

    def from_free(self, free: float) -> float:
        """Inverse of `to_free`."""
        if math.isfinite(self.low) and math.isfinite(self.high):
            share = 1 / (1 + math.exp(-free)) if free > -700 else 0.0
            return self.low + (self.high - self.low) * share
        if math.isfinite(self.low):
            return self.low + math.exp(min(free, 700.0))
        if math.isfinite(self.high):
            return self.high - math.exp(min(-free, 700.0))
        return free

    def slope(self, free: float) -> float:
        """d value / d free at `free`: the factor of the chain rule and of the Jacobian."""
        value = self.from_free(free)
        if math.isfinite(self.low) and math.isfinite(self.high):
            return (value - self.low) * (self.high - value) / (self.high - self.low)
        if math.isfinite(self.low):
            return value - self.low
        if math.isfinite(self.high):
            return self.high - value
        return 1.0

    def bend(self, free: float) -> float:
        """d slope / d free at `free`: what a second derivative on the free coordinate needs beside the slope."""
        value = self.from_free(free)
        if math.isfinite(self.low) and math.isfinite(self.high):
            return self.slope(free) * (self.high + self.low - 2 * value) / (self.high - self.low)
        if math.isfinite(self.low):
            return value - self.low
        if math.isfinite(self.high):
            return value - self.high
        return 0.0


class Component:
    """Base of every frozen dataclass that holds parameters; checks them, and what its other fields hold, when made."""

    priors: Priors = ()
    """Other priors than the declared ones, by dotted name; a field of those classes that may be put under such."""

    def __post_init__(self) -> None:
        plan = _PLANS.get(type(self)) or _plan(type(self))
        for name, declared in plan.parameters:
            given = getattr(self, name)
            if isinstance(given, Effects):
                for label, number in given.items():
                    _check(type(self), f"{name}.{label}", number, declared)
            else:
                _check(type(self), name, given, declared)
        for name, allowed in plan.others:
            given = getattr(self, name)
            if type(given) not in allowed and not fits(given, allowed):
                raise ParameterError(
                    f"{type(self).__name__}.{name} is {named(given)}; expected {expected(allowed)}. "
                    "What stands here decides how the model computes, so nothing else is taken for it."
                )

    def replacing(self, values: Mapping[str, float]) -> Self:
        """A copy with the named leaves changed; ParameterError for a name it does not have."""
        return replacing(self, values)


@dataclass(frozen=True)
class _Plan:
    """Of a class: its parameters, the kinds that its other fields may be of, and whether each field is a parameter."""

    parameters: tuple[tuple[str, Declaration], ...]
    others: tuple[tuple[str, tuple[type, ...]], ...]
    fields: Mapping[str, bool]


_PLANS: dict[type, _Plan] = {}
"""Made at a class's first instance: samplers rebuild a model at every step."""


def _plan(kind: type) -> _Plan:
    fields = dataclasses.fields(kind)
    parameters = {field.name: field.metadata["param"] for field in fields if "param" in field.metadata}
    others = {name: found for name, found in by_field(kind, Component).items() if name not in parameters}
    every = {field.name: field.name in parameters for field in fields}
    _PLANS[kind] = _Plan(tuple(parameters.items()), tuple(others.items()), every)
    return _PLANS[kind]


def _check(kind: type, name: str, number: object, declared: Declaration) -> None:
    if type(number) is float and declared.low <= number <= declared.high and math.isfinite(number):
        return
    if isinstance(number, bool) or not isinstance(number, int | float | np.number):
        raise ParameterError(f"{kind.__name__}.{name} is {number!r}; expected a number ({declared.unit}).")
    if not declared.low <= number <= declared.high or not math.isfinite(number):
        raise ParameterError(
            f"{kind.__name__}.{name} is {number:g}; expected a finite value in "
            f"[{declared.low:g}, {declared.high:g}] {declared.unit} ({declared.doc})."
        )


def leaves(component: Component, prefix: str = "") -> tuple[Leaf, ...]:
    """Every parameter of a component and of the components inside it, in field order, with the priors that hold."""
    found: list[Leaf] = []
    for field in dataclasses.fields(component):  # type: ignore[arg-type]
        given = getattr(component, field.name)
        declared: Declaration | None = field.metadata.get("param")
        name = prefix + field.name
        if declared is not None:
            numbers = (
                [(f"{name}.{label}", number) for label, number in given.items()]
                if isinstance(given, Effects)
                else [(name, given)]
            )
            found += [
                Leaf(
                    full,
                    float(number),
                    declared.unit,
                    declared.low,
                    declared.high,
                    declared.prior,
                    declared.doc,
                )
                for full, number in numbers
            ]
        elif isinstance(given, Component):
            found += leaves(given, name + ".")
    if component.priors:
        stated = {prefix + name: prior for name, prior in component.priors}
        found = [dataclasses.replace(leaf, prior=stated.get(leaf.name, leaf.prior)) for leaf in found]
    return tuple(found)


def names(component: Component) -> tuple[str, ...]:
    """Dotted names in vector order."""
    return tuple(leaf.name for leaf in leaves(component))


def vector(component: Component) -> np.ndarray:
    """All parameter values, (K,), in the order of `names`."""
    return np.array([leaf.value for leaf in leaves(component)], dtype=float)


def from_vector(component: C, values: Sequence[float] | np.ndarray) -> C:
    """The component with all its parameters set from a vector in the order of `names`."""
    order = names(component)
    if len(values) != len(order):
        raise ParameterError(
            f"{type(component).__name__} has {len(order)} parameters; the vector has {len(values)} values."
        )
    return replacing(component, dict(zip(order, map(float, values), strict=True)))


def replacing(component: C, values: Mapping[str, float]) -> C:
    """A copy of the component with the leaves named in `values` changed."""
    parts: dict[str, dict[str, float]] = {}
    for name, value in values.items():
        head, _, rest = name.partition(".")
        parts.setdefault(head, {})[rest] = value
    changes: dict[str, Any] = {}
    fields = (_PLANS.get(type(component)) or _plan(type(component))).fields
    for head, mine in parts.items():
        given = getattr(component, head) if head in fields else None
        if isinstance(given, Component) and "" not in mine:
            changes[head] = replacing(given, mine)
        elif isinstance(given, Effects) and "" not in mine:
            if unknown := sorted(set(mine) - set(given)):
                raise ParameterError(
                    f'{type(component).__name__}.{head} has no label "{unknown[0]}".' + nearest(unknown[0], given)
                )
            changes[head] = Effects({**given, **mine})
        elif fields.get(head) and not isinstance(given, Effects) and list(mine) == [""]:
            changes[head] = float(mine[""])
        else:
            wrong = next(f"{head}.{rest}" if rest else head for rest in mine)
            raise ParameterError(
                f'{type(component).__name__} has no parameter "{wrong}".'
                + nearest(wrong, names(component), 3)
                + " A component that is left out (None) has no parameters."
            )
    return dataclasses.replace(component, **changes) if changes else component  # type: ignore[type-var]


def checked_priors(component: Component, priors: Mapping[str, Prior]) -> None:
    """ParameterError for a prior of what is no parameter, or that is no distribution inside the parameter's range."""
    known = {leaf.name: leaf for leaf in leaves(component)}
    for name, prior in priors.items():
        if name not in known:
            here = _reached(component, name)
            raise ParameterError(
                f'a prior is stated of "{name}", which is no parameter here'
                + (
                    f": it is {named(here)}, a setting of the model without a free coordinate, and so without a prior."
                    if here is not None
                    else "."
                )
                + nearest(name, known, 3)
                + " A component that is left out (None) has no parameters."
            )
        leaf = known[name]
        if not (math.isfinite(prior.median) and math.isfinite(leaf.to_free(prior.median))):
            raise ParameterError(
                f"the prior of {name} has the median {prior.median:g}; expected a value inside "
                f"({leaf.low:g}, {leaf.high:g}) {leaf.unit} ({leaf.doc}), and not on its ends: the prior is normal on "
                "the free coordinate."
            )
        if not (math.isfinite(prior.sd) and prior.sd > 0):
            raise ParameterError(
                f"the prior of {name} has the sd {prior.sd:g}; expected a number above 0, in units of the free "
                "coordinate (of the log, where the range is 0 and above). To hold it at a value, fix it."
            )


def _reached(component: Any, name: str) -> Any:
    """What stands under a dotted name; None if nothing does."""
    for part in name.split("."):
        component = getattr(component, part, None) if isinstance(component, Component) else None
    return component


def flat(nested: Any, prefix: str = "", whole: Callable[[Mapping], bool] = lambda table: False) -> Any:
    """Tables of a TOML file as dotted names, so that `between.offspring = .3` needs no quotes; else as given.

    whole : whether a table is itself a value.
    """
    if not isinstance(nested, Mapping):
        return nested
    out: dict[str, Any] = {}
    for name, value in nested.items():
        outer = isinstance(value, Mapping) and not whole(value)
        out |= flat(value, f"{prefix}{name}.", whole) if outer else {prefix + name: value}
    return out
