"""Forecasts as model output of the hubverse, the tools that many collaborative forecast hubs share.

One row for each prediction: task ID columns say of what; output_type, output_type_id and value say what. The rules that
`check` and `path` assert are those of the hubverse's documentation (docs.hubverse.io, user guide: "Model output",
"Sample output type", "Defining modeling tasks") and of its R package hubValidations (parse_file_name,
check_tbl_rows_unique, check_tbl_unique_round_id, check_tbl_spl_n, check_tbl_value_col_ascending,
check_tbl_value_col_sum1, opt_check_tbl_horizon_timediff). What a hub asks for beyond them, its targets, locations,
levels and number of samples, stands in its own tasks.json.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from groundswell.errors import DataError, UsageError
from groundswell.evaluate.forecast import Forecast
from groundswell.evaluate.scores import quantiles

LEVELS = (0.01, 0.025, *(round(0.05 * k, 2) for k in range(1, 20)), 0.975, 0.99)
"""The 23 probability levels of the forecast hubs."""

CATEGORIES = (0, 1, 2, 3, 5, 10)
"""Smallest counts of the categories of a pmf: 0, 1, 2, 3-4, 5-9, 10+."""

TEAM = "groundswell"

LONGEST = 15
"""Characters of a team's or a model's abbreviation: hubs take team_abbr and model_abbr of less than 16."""

_PERIOD = {1: "daily", 7: "weekly"}
_ABBREVIATION = re.compile(r"[A-Za-z0-9_]+")
_IDS = {
    "sample": (r"[1-9][0-9]*", "a positive whole number, the index of the sample"),
    "quantile": (r"0|1|0\.[0-9]*[1-9]", "a probability level from 0 to 1 without trailing zeros"),
    "mean": (None, "nothing, as there is one mean"),
    "pmf": (r".+", "the name of a category"),
}
"""Output types that are written, with the pattern of their output_type_id."""

OUTPUTS = tuple(_IDS)


def table(
    made: Forecast,
    *,
    target: str | None = None,
    outputs: Sequence[str] = OUTPUTS,
    origin_column: str = "origin_date",
    samples: int | None = None,
    levels: Sequence[float] = LEVELS,
    categories: Sequence[int] = CATEGORIES,
) -> Any:
    """The model output of one origin as a pyarrow table: task by task, the output types in the order asked for.

    target : the hub's name of the target, by default "daily events" or alike. origin_column : "origin_date"
    or what the hub calls it ("reference_date"). It holds the last known day, so that target_end_date,
    the last day of a step, is it plus horizon times the length of a step. location : names of places.
    samples : the first so many draws, by default all; hubs as a rule fix a number. A sample's index is
    the draw's, from 1, over all horizons and locations: a sample is one path, joint across both.
    levels : of the quantiles, which are draws and never interpolated. categories : smallest counts of
    the categories of a pmf. DataError for several origins or more samples than draws.
    """
    import pyarrow

    if not outputs or not {*outputs} <= {*OUTPUTS}:
        raise UsageError(f"output types are {', '.join(outputs) or 'none'}; expected some of {', '.join(OUTPUTS)}.")
    if not categories or categories[0] != 0 or list(categories) != sorted({int(c) for c in categories}):
        raise UsageError(f"categories are {list(categories)}; expected whole numbers that rise from 0.")
    if len(set(made.origin.tolist())) != 1:
        raise DataError("a hubverse file holds one round, which is one origin; write a file for each.")
    size = made.draws.shape[1] if samples is None else samples
    if not 1 <= size <= made.draws.shape[1]:
        raise DataError(f"{size} samples of {made.draws.shape[1]} draws; forecast with at least as many draws.")
    parts = [_predictions(kind, made.draws, size, levels, categories) for kind in outputs]
    labels = [label for names, _ in parts for label in names]
    kinds = [kind for kind, (names, _) in zip(outputs, parts, strict=True) for _ in names]
    step = made.window.step
    origin = made.window.date(step * int(made.origin[0]) - 1)
    ends = [origin + timedelta(days=step * ahead) for ahead in range(int(made.step.max()) + 1)]

    def column(values: Sequence[Any], code: np.ndarray) -> Any:
        return pyarrow.array(values).take(pyarrow.array(code))

    cells, each = len(made), len(labels)
    task, label = np.repeat(np.arange(cells), each), np.tile(np.arange(each), cells)
    found = pyarrow.table(
        {
            origin_column: column([origin], np.zeros_like(task)),
            "target": column([target or f"{_PERIOD.get(step, f'{step}-day')} {made.series}"], np.zeros_like(task)),
            "horizon": pyarrow.array(made.step.astype(np.int32)[task]),
            "location": column(made.places.name, made.unit[task]),
            "target_end_date": column(ends, made.step[task]),
            "output_type": column(kinds, label),
            "output_type_id": pyarrow.array(labels, pyarrow.string()).take(pyarrow.array(label)),
            "value": np.hstack([values for _, values in parts]).ravel(),
        }
    )
    check(found, step, origin_column)
    return found


def check(table: Any, step: int, origin_column: str = "origin_date") -> None:
    """DataError, naming the rule, unless the pyarrow table is model output of one round with steps of `step` days."""
    code, known = _columns(table, origin_column)
    if len(known[origin_column]) != 1:
        raise DataError(
            f"a hubverse file has {len(known[origin_column])} values of {origin_column}; expected one round."
        )
    ahead = table["target_end_date"].to_numpy() - table[origin_column].to_numpy()
    if (ahead != step * table["horizon"].to_numpy().astype("timedelta64[D]")).any():
        raise DataError(f"hubverse: a target_end_date is not {origin_column} + horizon x {step} days.")
    if not {*known["output_type"]} <= {*OUTPUTS}:
        raise DataError(f"hubverse output_type {known['output_type']}; expected some of {', '.join(OUTPUTS)}.")

    value = table["value"].to_numpy()
    if not (np.isfinite(value) & (value >= 0)).all():
        row = int(np.flatnonzero(~(np.isfinite(value) & (value >= 0)))[0])
        raise DataError(f"hubverse row {row + 1}: value is {value[row]}; expected a number of 0 or more.")
    parts = ("target", "horizon", "location")
    sizes = [len(known[name]) for name in parts]
    task = np.ravel_multi_index([code[name] for name in parts], sizes)
    prediction = np.ravel_multi_index(
        [task, code["output_type"], code["output_type_id"]],
        (int(np.prod(sizes)), len(known["output_type"]), len(known["output_type_id"])),
    )
    prediction.sort()
    if (prediction[1:] == prediction[:-1]).any():
        raise DataError(
            "hubverse: a task has one prediction twice; expected each output_type_id of an output_type once."
        )
    for number, kind in enumerate(known["output_type"]):
        rows = np.flatnonzero(code["output_type"] == number)
        pattern, expected = _IDS[kind]
        which = code["output_type_id"][rows]
        labels = {i: known["output_type_id"][i] for i in np.flatnonzero(np.bincount(which)).tolist()}
        for label in labels.values():
            if (pattern is None) != (label is None) or (label is not None and not re.fullmatch(str(pattern), label)):
                raise DataError(f'hubverse {kind}: output_type_id is "{label}"; expected {expected}.')
        _check_values(kind, value[rows], task[rows], labels, which)


def path(origin: date, model: str, team: str = TEAM, ending: str = "parquet") -> str:
    """Where a hub keeps the file: model-output/<team>-<model>/<origin>-<team>-<model>.<ending>.

    team, model : letters, digits and underscores only, since the hyphen separates the parts; at most LONGEST of each.
    """
    for what, name in (("team", team), ("model", model)):
        if not _ABBREVIATION.fullmatch(name) or len(name) > LONGEST:
            raise UsageError(
                f'{what} "{name}" ({len(name)} characters) cannot stand in a hubverse file name, which is '
                f"<date>-<team>-<model>; use 1 to {LONGEST} letters, digits and underscores for each."
            )
    if ending not in ("parquet", "csv"):
        raise UsageError(f'a hubverse file ends in parquet or csv, not in "{ending}".')
    return f"model-output/{team}-{model}/{origin.isoformat()}-{team}-{model}.{ending}"


def abbreviation(name: str) -> str:
    """A model's name as a file name can hold it: "endemic + within" becomes "endemic_within".

    Where that is longer than LONGEST, every word is cut to as many letters as fit, the same number for all:
    "endemic + within + between" becomes "ende_with_betw".
    """
    words = re.findall(r"[A-Za-z0-9]+", name)
    for letters in range(max(map(len, words), default=0), 0, -1):
        if len(short := "_".join(word[:letters] for word in words)) <= LONGEST:
            return short
    return "".join(word[:1] for word in words)[:LONGEST]


def _predictions(
    kind: str, draws: np.ndarray, size: int, levels: Sequence[float], categories: Sequence[int]
) -> tuple[list[str | None], np.ndarray]:
    """The ids of the predictions of one output type, and their (N, ...) values."""
    if kind == "sample":
        return [str(s + 1) for s in range(size)], draws[:, :size]
    if kind == "quantile":
        return [f"{level:.10g}" for level in levels], quantiles(draws, levels)
    if kind == "mean":
        return [None], draws.mean(axis=1)[:, None]
    names: list[str | None] = []
    for low, high in zip(categories, [*categories[1:], None], strict=True):
        names.append(f"{low}+" if high is None else str(low) if high == low + 1 else f"{low}-{high - 1}")
    reached = np.stack([*((draws >= low).mean(axis=1) for low in categories), np.zeros(len(draws))], axis=1)
    return names, reached[:, :-1] - reached[:, 1:]


def _columns(table: Any, origin_column: str) -> tuple[dict[str, np.ndarray], dict[str, list[Any]]]:
    """Names and types of the columns are checked; each as codes and the values that they stand for."""
    import pyarrow

    expected = {
        origin_column: pyarrow.date32(), "target": pyarrow.string(), "horizon": pyarrow.int32(),
        "location": pyarrow.string(), "target_end_date": pyarrow.date32(), "output_type": pyarrow.string(),
        "output_type_id": pyarrow.string(), "value": pyarrow.float64(),
    }  # fmt: skip
    found = dict(zip(table.column_names, table.schema.types, strict=True))
    if found != expected or table.num_columns != len(expected):
        said = ", ".join(f"{name} ({kind})" for name, kind in found.items())
        raise DataError(
            f"hubverse columns are {said}; expected {', '.join(f'{n} ({k})' for n, k in expected.items())}."
        )
    if not table.num_rows:
        raise DataError("a hubverse file has no row; expected one for each prediction.")
    codes, known = {}, {}
    for name in table.column_names:
        if name != "output_type_id" and table[name].null_count:
            raise DataError(f"hubverse: {name} is missing in {table[name].null_count} rows; only the id of a mean is.")
        if name != "value":
            coded = table[name].combine_chunks().dictionary_encode("encode")
            codes[name], known[name] = coded.indices.to_numpy(), coded.dictionary.to_pylist()
    return codes, known


def _check_values(kind: str, value: np.ndarray, task: np.ndarray, labels: dict[int, Any], which: np.ndarray) -> None:
    """What the values of one output type must be together; (R,) its rows' values, tasks, and which label each has."""
    count = np.bincount(task)
    if kind == "pmf":
        total = np.bincount(task, value)[count > 0]
        if not np.isclose(total, 1, rtol=0, atol=1.5e-8).all():
            raise DataError(
                f"hubverse pmf: a task's probabilities sum to {total[np.abs(total - 1).argmax()]}; expected 1."
            )
    if kind == "quantile":
        level = np.zeros(max(labels) + 1)
        level[list(labels)] = [float(label) for label in labels.values()]
        order = np.lexsort((level[which], task))
        fall = (np.diff(value[order]) < 0) & (np.diff(task[order]) == 0)
        if fall.any():
            raise DataError("hubverse quantile: a task's values fall as the level rises; expected values that do not.")
    if kind == "sample" and (count[count > 0] != len(labels)).any():
        raise DataError("hubverse sample: a path lacks some task; expected every sample index once for every task.")
