"""The command line: lazy commands, exit codes, messages, configurations, Ctrl-C."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path

import polars
import pytest
import typer

import groundswell.cli
from groundswell.cli import main as cli
from groundswell.cli import reproduce as reproduce_module
from groundswell.cli.common import Configuration, Json, assignments, flat, resolve, save, show
from groundswell.errors import DataError, GroundswellError, GroundswellWarning, NotConverged, UsageError
from groundswell.models.library import LIBRARY
from groundswell.studies.published.base import Published

FOLDER = Path(groundswell.cli.__file__).parent
WRITTEN = [name for name, entry in cli.COMMANDS.items() if (FOLDER / f"{entry.module}.py").exists()]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process: exit code, stdout, stderr."""

    def go(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return go


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., object]], None]:
    """Put a function in the place of `groundswell doctor`."""

    def put(function: Callable[..., object]) -> None:
        app = typer.Typer(add_completion=False)
        app.command("doctor")(function)
        monkeypatch.setattr(cli, "load", lambda name: typer.main.get_command(app))

    return put


def test_help_names_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name, entry in cli.COMMANDS.items():
        assert name in out
        assert entry.help in out, f"the line of {name} is too long for the help"


@pytest.mark.parametrize("name", WRITTEN)
def test_every_command_has_help_and_takes_json(run: Run, name: str) -> None:
    loaded = cli.load(name)
    code, out, _ = run(name, "--help")
    assert code == 0
    assert f"groundswell {name}" in out
    for path in [[name, inner] for inner in getattr(loaded, "commands", {})] or [[name]]:
        code, out, _ = run(*path, "--help")
        assert code == 0
        assert "--json" in out


def test_only_the_commands_own_module_is_imported() -> None:
    code = (
        "import sys; from groundswell.cli.main import main; main(['doctor', '--json']);"
        "print(sorted(m for m in sys.modules if m.startswith('groundswell.cli.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (
        done.stdout.splitlines()[-1] == "['groundswell.cli.common', 'groundswell.cli.doctor', 'groundswell.cli.main']"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["simulat"], 2, "Did you mean 'simulate'"),
        (["simulate", "--sed", "1"], 2, "--seed"),
        (["simulate"], 2, "model is missing"),
        (["simulate", "mobilization"], 2, 'Nearest name: "mobilisation"'),
        (["simulate", "mobilisation", "--seed", "-1"], 2, "seed is -1"),
        (["simulate", "mobilisation", "--seed", "one"], 2, "--seed"),
        (["simulate", "mobilisation", "--set", "keep"], 2, "write it as"),
        (["simulate", "mobilisation", "--set", "keep=2"], 2, "[0, 1]"),
        (["simulate", "mobilisation", "--set", "kepe=.5"], 2, '"keep"'),
        (["simulate", "mobilisation", "--without", "cal"], 2, '"call"'),
        (["simulate", "mobilisation", "--days", "0"], 2, "days is 0"),
        (["simulate", "mobilisation", "--days", "4000"], 2, "--country"),
        (["simulate", "mobilisation", "--start", "28/12/2017"], 2, "start is"),
        (["simulate", "mobilisation", "--country", "Iram"], 3, '"Iran"'),
        (["simulate", "--config", "absent.toml"], 3, "absent.toml cannot be read"),
        (["simulate", "mobilisation", "--out", "/dev/null/x"], 1, "cannot be written"),
        (["models", "show", "nothing"], 2, "Known: mobilisation"),
        (["reproduce", "--only", "no such row"], 2, "no published number"),
    ],
)
def test_what_is_refused_has_its_code_and_a_remedy(run: Run, arguments: list[str], code: int, words: str) -> None:
    found, out, err = run(*arguments)
    assert found == code
    assert words in err
    assert "Traceback" not in err
    assert out == ""
    found, out, err = run(*arguments, "--json")
    assert found == code
    assert json.loads(out) == {"error": json.loads(out)["error"], "exit_code": code}
    assert words in json.loads(out)["error"]


@pytest.mark.parametrize(("error", "code"), [(GroundswellError, 1), (UsageError, 2), (DataError, 3), (NotConverged, 4)])
def test_errors_carry_their_exit_code(run: Run, command: Callable, error: type[GroundswellError], code: int) -> None:
    def fails() -> None:
        raise error("what was given, what was expected")

    command(fails)
    assert run("doctor") == (code, "", "what was given, what was expected\n")


def test_a_flagged_result_stays_the_one_object_on_stdout(run: Run, command: Callable) -> None:
    def flagged(as_json: Json = False) -> None:
        show({"passed": False}, "not passed", as_json=as_json)
        raise NotConverged("too few draws")

    command(flagged)
    assert run("doctor", "--json") == (4, '{"passed": false}\n', "too few draws\n")


def test_a_warning_is_one_line_on_stderr(run: Run, command: Callable) -> None:
    def warns() -> None:
        warnings.warn("two\nlines", GroundswellWarning, stacklevel=1)
        typer.echo("the result")

    command(warns)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run("doctor") == (0, "the result\n", "warning: two lines\n")


def test_an_error_of_ours_is_a_message_and_its_traceback_is_to_be_had(
    run: Run, command: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong() -> None:
        raise ZeroDivisionError("by nothing")

    command(wrong)
    code, out, err = run("doctor")
    assert (code, out) == (1, "")
    assert "ZeroDivisionError in test_cli.py" in err
    assert "fault of groundswell" in err
    assert "Traceback" not in err
    monkeypatch.setenv("GROUNDSWELL_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        run("doctor")


SLOW_WRITER = """
import sys, time
from pathlib import Path
import typer
from groundswell.cli import main as cli
from groundswell.data.files import replacing_file

def doctor():
    with replacing_file(Path(sys.argv[1]) / "result.csv") as temporary:
        temporary.write_text("half")
        print("ready", flush=True)
        time.sleep(60)

app = typer.Typer()
app.command("doctor")(doctor)
cli.load = lambda name: typer.main.get_command(app)
sys.exit(cli.main(["doctor"]))
"""


def test_ctrl_c_ends_with_one_line_and_nothing_half_written(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_WRITER, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "interrupted; every file that was written is whole.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_closed_pipe_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "groundswell.cli.main", "doctor"], stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_no_colour_where_none_is_wanted() -> None:
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    for arguments in (["--help"], ["doctor"], ["simulat"]):
        done = subprocess.run(
            [sys.executable, "-m", "groundswell.cli.main", *arguments], env=environment, capture_output=True, text=True
        )
        assert "\x1b" not in done.stdout + done.stderr


class Example(Configuration):
    days: int = 7
    set: dict[str, float] | None = None


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text("days = 30\nseed = 5\n")
    assert resolve(Example, file, seed=9, days=None) == Example(seed=9, days=30)


def test_the_resolved_configuration_repeats_the_run(tmp_path: Path) -> None:
    resolved = Example(seed=9, days=3, set={"between.reach.delta": 1.7})
    file = save(resolved, tmp_path)
    assert resolve(Example, file) == resolved
    assert tomllib.loads(file.read_text())["days"] == 3


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("days = 'many'", UsageError, "days is 'many'"),
        ("dayz = 3", UsageError, 'Nearest name: "days"'),
        ("days = = 3", DataError, "no TOML"),
        ("\xff", DataError, "UTF-8"),
    ],
)
def test_a_wrong_configuration_says_where(tmp_path: Path, text: str, error: type, words: str) -> None:
    file = tmp_path / "run.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(error, match=words) as caught:
        resolve(Example, file)
    assert "run.toml" in str(caught.value)


def test_dotted_names_in_toml_need_no_quotes() -> None:
    nested = tomllib.loads("[set]\nbetween.reach.delta = 1.7\nkeep = 0.5")
    assert (
        flat(nested["set"])
        == {"between.reach.delta": 1.7, "keep": 0.5}
        == assignments(["between.reach.delta=1.7", "keep = .5"])
    )


def test_simulate_writes_tables_that_the_configuration_repeats(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    arguments = ["simulate", "mobilisation", "--set", "within.offspring=.6", "--without", "backlash", "--seed", "3"]
    code, out, err = run(*arguments, "--out", str(first), "--json")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert {Path(file).name for file in result["files"]} == {path.name for path in first.iterdir()}
    assert not any(path.name.startswith(".") for path in first.iterdir())
    code, out, _ = run("simulate", "--config", str(first / "configuration.toml"), "--out", str(second))
    assert code == 0
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name
    table = (first / "history.csv").read_text().splitlines()
    assert table[0].startswith("place,date,events")
    assert len(table) == 1 + result["places"] * result["steps"]
    assert run("simulate", "--config", str(first / "configuration.toml"), "--seed", "4")[1] != out


@pytest.mark.parametrize("name", LIBRARY)
def test_show_lists_every_parameter(run: Run, name: str) -> None:
    if not (FOLDER.parent / "models" / LIBRARY[name].level / f"{LIBRARY[name].module}.py").exists():
        pytest.skip(f"{name} is not written yet")
    from groundswell.params import names

    code, out, _ = run("models", "show", name, "--json")
    assert code == 0
    model, _ = LIBRARY[name].load().example()
    assert [row["parameter"] for row in json.loads(out)["parameters"]] == list(names(model))


def test_doctor_reports_versions_and_caches(run: Run) -> None:
    code, out, _ = run("doctor", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "missing" not in found["package"].values()
    assert set(found["package"]) >= {"numpy", "numba", "typer"}
    assert set(found["extra"]) == {"bayes", "cluster", "excel", "test", "dev"}


def a_row(name: str, got: float, **more: object) -> Published:
    return Published(name, "a paper, table 1", 1.0, 0.1, lambda folder: got, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "flags", "code", "counts"),
    [
        ([a_row("a", 1.05)], [], 0, (1, 0, 0)),
        ([a_row("a", 1.05), a_row("b", 1.2)], [], 1, (1, 1, 0)),
        ([a_row("a", float("nan"))], [], 1, (0, 1, 0)),
        ([a_row("a", 5.0, at_least=True), a_row("b", 0.8, at_least=True)], [], 1, (1, 1, 0)),
        ([a_row("a", 1.0), a_row("b", 1.0, needs_data=True)], [], 0, (1, 0, 1)),
        ([a_row("a", 1.0), a_row("b", 1.0, needs_data=True)], ["--require-all"], 1, (1, 0, 1)),
        ([a_row("cities/a", 1.0), a_row("events/b", 9.0)], ["--only", "cities/*"], 0, (1, 0, 0)),
        ([a_row("a", 1.0), a_row("b", 9.0, slow=True)], ["--skip-slow"], 0, (1, 0, 0)),
    ],
)
def test_reproduce_counts_what_agrees_what_misses_and_what_could_not_run(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rows: list, flags: list, code: int, counts: tuple
) -> None:
    monkeypatch.setenv("GROUNDSWELL_REFERENCE_DATA", str(tmp_path / "absent"))
    monkeypatch.setattr(reproduce_module, "all_rows", lambda: rows)
    found, out, _ = run("reproduce", *flags, "--json")
    result = json.loads(out)
    assert found == code
    assert (result["agree"], result["missed"], result["not_run"]) == counts
    assert run("reproduce", *flags)[1].endswith(
        f"{counts[0]} agree, {counts[1]} missed, {counts[2]} not run: data absent\n"
    )


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of events that `simulate` wrote."""
    folder = tmp_path_factory.mktemp("events")
    assert cli.main(["simulate", "self-exciting", "--seed", "3", "--out", str(folder), "--json"]) == 0
    return folder / "events.csv"


def test_fit_reads_what_simulate_wrote(run: Run, tmp_path: Path, events: Path) -> None:
    arguments = ["fit", "self-exciting", str(events), "--fix", "reach.scale_km=60", "--out", str(tmp_path), "--json"]
    code, out, err = run(*arguments)
    result = json.loads(out)
    assert code == 0
    assert "0 left out" in err
    assert "random moment" not in err  # simulated events have their time of day
    assert result["events"] == len(events.read_text().splitlines()) - 1
    found = {row["parameter"]: row for row in result["parameters"]}
    assert found["reach.scale_km"]["estimate"] == 60
    assert abs(found["background"]["estimate"] - 1.0) < 4 * found["background"]["standard error"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "parameters.csv", "left_out.csv", "result.json", "configuration.toml",
    }  # fmt: skip
    again = run("fit", "--config", str(tmp_path / "configuration.toml"), "--json")
    assert json.loads(again[1])["parameters"] == result["parameters"]


def test_fit_counts_and_lists_what_it_left_out(run: Run, tmp_path: Path, events: Path) -> None:
    lines = events.read_text().splitlines()
    broken = tmp_path / "events.csv"
    broken.write_text("\n".join([*lines, lines[1].replace("2024-01-01", "2024-13-41")]) + "\n")
    code, out, err = run("fit", "self-exciting", str(broken), "--out", str(tmp_path / "out"), "--json")
    assert code == 0
    assert "1 left out" in err
    assert json.loads(out)["left_out"] == 1
    table = (tmp_path / "out" / "left_out.csv").read_text().splitlines()
    assert len(table) == 2
    assert table[1].startswith(f"{len(lines) + 1},")


def test_fit_with_neighbours_by_distance(run: Run, events: Path) -> None:
    code, _, err = run("fit", "endemic-epidemic", str(events), "--step", "7")
    assert code == 0
    assert "--neighbours-km says which places are neighbours" in err
    code, out, _ = run("fit", "endemic-epidemic", str(events), "--step", "7", "--neighbours-km", "1000", "--json")
    assert code == 0
    assert json.loads(out)["steps"] == 8


def test_a_fit_that_did_not_converge_is_written_and_flagged(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, events: Path
) -> None:
    from groundswell.cli import fit

    whole = fit.fit_model
    monkeypatch.setattr(fit, "fit_model", lambda *a, **k: dataclasses.replace(whole(*a, **k), converged=False))
    code, out, _ = run("fit", "self-exciting", str(events), "--out", str(tmp_path), "--json")
    assert code == 4
    assert json.loads(out)["converged"] is False
    assert json.loads((tmp_path / "result.json").read_text())["converged"] is False


def test_fit_by_posterior_writes_its_draws_and_pictures(run: Run, tmp_path: Path, events: Path) -> None:
    arguments = ["fit", "endemic-epidemic", str(events), "--step", "7", "--without", "between", "--method", "posterior",
                 "--tune", "200", "--draws", "300", "--out", str(tmp_path), "--json"]  # fmt: skip
    code, out, _ = run(*arguments, "--processes", "1")
    result = json.loads(out)
    assert code == 0, result["status"]
    assert result["converged"]
    assert result["divergences"] == 0
    assert "4 chains of 300 draws" in result["status"]
    assert all(row["bulk ESS"] > 400 for row in result["parameters"])
    assert {path.name for path in tmp_path.iterdir()} == {
        "parameters.csv", "left_out.csv", "result.json", "configuration.toml", "draws.parquet", "chains.svg",
        "posterior.svg",
    }  # fmt: skip
    draws = polars.read_parquet(tmp_path / "draws.parquet")
    assert draws["chain"].value_counts().sort("chain")["count"].to_list() == [300] * 4
    assert draws["within.intercept"].mean() == pytest.approx(
        next(row["estimate"] for row in result["parameters"] if row["parameter"] == "within.intercept")
    )
    assert (tmp_path / "chains.svg").read_text().startswith("<svg")


def test_a_posterior_below_its_limits_is_written_and_flagged(run: Run, tmp_path: Path, events: Path) -> None:
    arguments = ["fit", "endemic-epidemic", str(events), "--step", "7", "--without", "between", "--method", "posterior",
                 "--tune", "100", "--draws", "50", "--chains", "2", "--out", str(tmp_path)]  # fmt: skip
    code, out, _ = run(*arguments, "--processes", "1")
    assert code == 4
    assert "Not converged: 2 chains of 50 draws" in out
    assert "- Fewer than 400 effective draws of " in out
    assert "effective draws a second of processor time" in out
    assert json.loads((tmp_path / "result.json").read_text())["converged"] is False
    code, _, err = run("fit", "self-exciting", str(events), "--method", "bayes")
    assert code == 2
    assert "input should be 'likelihood', 'penalised', 'posterior', 'declustering', 'abc' or 'synthetic'" in err


@pytest.mark.parametrize(
    ("content", "flags", "code", "words"),
    [
        (None, [], 3, "does not exist"),
        (b"", [], 3, "empty"),
        (b"\x00\x01\x02PK\x03\x04" * 50, [], 3, "events.csv"),
        (b"colour,shape\nred,round\n", [], 3, "start="),
        (b"date,place\n2018-01-01,Nowhereville\n", ["--country", "Iran"], 3, "could be found"),
        (b"date,place\n2018-01-01,Tehran\n", ["--map", "start"], 2, "write it as"),
        (b"date,place\n2018-01-01,Tehran\n", ["--by", "planet"], 2, "by is 'planet'"),
        (b"date,place\n2018-01-01,Tehran\n", ["--start", "2018-01-01"], 2, "go together"),
        (b"date,place\n2018-01-01,Tehran\n", ["--fix", "nothing=1"], 2, "nothing"),
    ],
)
def test_fit_refuses_a_file_that_holds_no_events(
    run: Run, tmp_path: Path, content: bytes | None, flags: list[str], code: int, words: str
) -> None:
    file = tmp_path / "events.csv"
    if content is not None:
        file.write_bytes(content)
    found, out, err = run("fit", "self-exciting", str(file), *flags)
    assert found == code, err
    assert words in err
    assert "Traceback" not in err + out
