"""The command `customer-health`.

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 a night runs, 130 stopped by ctrl-C or SIGTERM.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagster_project.config import ConfigurationError, config_path, home_path, load
from dagster_project.dates import as_date, refuse_future, today_in
from dagster_project.home import Home, NightRunning
from dagster_project.terminal import ERRORS, OUT, PROGRESS, print_json, progress_on
from ingest.refusals import QUERY_STOPPED

if TYPE_CHECKING:
    from dagster_project.endings import Outcome

REFUSED, WRONG_USAGE, NIGHT_RUNNING, STOPPED = 1, 2, 3, 130
WHEN_STOPPED = "Stopped before the end; run it again. What is half done is not used."
DAGSTER_SETTINGS = """\
telemetry: {enabled: false}
nux: {enabled: false}
concurrency: {pools: {default_limit: 1}}
"""

app = typer.Typer(
    help="Which customers are doing well, which are slipping, why, and what to do about it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Default: $CUSTOMER_HEALTH_CONFIG, else ./customer_health.yml."),
]
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Data root. Default: $CUSTOMER_HEALTH_HOME or ./var.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines.")]


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="New company folder.")]) -> None:
    """Make a company folder: a commented customer_health.yml, its schema, an inbox."""
    from dagster_project.starter import write_company_folder

    written = write_company_folder(folder)
    for path in written:
        OUT.print(f"wrote {path}", markup=False)
    OUT.print(
        "next: drop files into the inbox, say in the configuration what they hold, then "
        f"`customer-health check --config {shlex.quote(str(written[0]))}`",
        markup=False,
    )


@app.command()
def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Validate the configuration and read every source without writing.

    Exit code 0 where a night would go on, be it without some rows; 1 where a file would be refused
    or a source cannot be read; 2 for a wrong configuration.
    """
    from dagster_project.front_door import check_files, describe_checks, describe_total
    from dagster_project.night import company_of

    path = config_path(config)
    configuration = load(path)
    report = check_files(configuration, path.parent, company_of(configuration))
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        for line in describe_checks(report.files):
            OUT.print(line, markup=False)
        for line in (*report.alarms, *report.notes):
            OUT.print(line, markup=False, style="yellow")
        OUT.print(describe_total(report), markup=False)
    if report.is_refused:
        raise typer.Exit(REFUSED)


@app.command()
def nightly(
    config: ConfigOption = None,
    home: HomeOption = None,
    as_of: Annotated[str, typer.Option(help="Night to compute, YYYY-MM-DD.")] = "",
    as_json: JsonOption = False,
) -> None:
    """The main job: read what is new, model, score, audit, publish."""
    day = as_date(as_of) if as_of else None
    path, root = config_path(config), Home(home_path(home))
    configuration = load(path)
    if day:
        refuse_future(day, today_in(configuration.company.zone))
    from dagster_project.dbt_manifest import parse_if_stale

    parse_if_stale()
    from dagster_project.night import Night
    from dagster_project.nightly import run_night

    with progress_on(PROGRESS, is_aside=as_json):
        outcome = run_night(Night(config_file=str(path), home_folder=str(root.root), as_of=as_of))
    from dagster_project.summary import print_summary

    if outcome.exit_code and as_json:
        print_summary(root, as_json)
    _exit_when_refused(outcome, f"The last good night stays. Details: {root.log}")
    print_summary(root, as_json)


@app.command("as-of")
def as_of(
    date: Annotated[str, typer.Argument(help="Night to rebuild, YYYY-MM-DD.")],
    out: Annotated[Path, typer.Option(help="Empty folder to publish into.")],
    run: Annotated[str, typer.Option(help="Run of that night; default the one said last.")] = "",
    config: ConfigOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rebuild a past night from exactly what it had read; the data root stays as it is.

    A night that was never run is rebuilt from what was known then, with today's configuration, and
    marked reconstructed.
    """
    day, root = as_date(date), Home(home_path(home))
    from dagster_project.dbt_manifest import parse_if_stale

    parse_if_stale()
    from dagster_project.rebuilding import check_empty, find_night, print_rebuilt, rebuild

    check_empty(out, root)
    night = find_night(root, day, run, config_path(config))
    with progress_on(PROGRESS, is_aside=as_json):
        rebuilt = rebuild(root, night, out)
    _exit_when_refused(rebuilt.outcome, f"Details: {rebuilt.place.log}")
    print_rebuilt(rebuilt, as_json)


@app.command("try")
def try_(config: ConfigOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """What another configuration would change about the last night; nothing is published."""
    path = config_path(config)
    configuration = load(path)
    from dagster_project.dbt_manifest import parse_if_stale

    parse_if_stale()
    from dagster_project.trial import TrialRefused, print_trial, try_configuration

    try:
        with progress_on(PROGRESS, is_aside=as_json):
            trial = try_configuration(Home(home_path(home)), path, configuration)
    except TrialRefused as refused:
        _exit_when_refused(refused.outcome, "The data root is as it was.")
    else:
        print_trial(trial, as_json)


@app.command()
def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Last run, freshness per source, quarantine, alarms."""
    from dagster_project.summary import print_status

    print_status(Home(home_path(home)), as_json)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="SQL, read-only.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the published file."""
    from dagster_project.published import print_query

    print_query(Home(home_path(home)), sql, as_json)


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="Customer id, or its name.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score, parts, states, terms and warnings of one customer."""
    from dagster_project.explain import print_explanation

    print_explanation(Home(home_path(home)), customer, as_json)


@app.command()
def replay(
    entity: Annotated[str | None, typer.Argument(help="Entity; default all.")] = None,
    config: ConfigOption = None,
    home: HomeOption = None,
) -> None:
    """Admit the kept raw files again after a mapping or contract changed."""
    from dagster_project.front_door import replay_files

    path = config_path(config)
    count = 0
    for line in replay_files(load(path), path.parent, Home(home_path(home)), entity):
        OUT.print(line, markup=False)
        count += 1
    if not count:
        OUT.print("nothing to admit again: no kept file would come out otherwise")


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Folder to write.")],
    customers: Annotated[int, typer.Option(min=10)] = 400,
    months: Annotated[int, typer.Option(min=12)] = 36,
    seed: int = 7,
    events: Annotated[int | None, typer.Option(min=1000, help="Number of product events.")] = None,
    users: Annotated[int | None, typer.Option(min=1, help="Number of product users.")] = None,
    no_signal: Annotated[bool, typer.Option("--no-signal", help="Losses are random.")] = False,
) -> None:
    """Write the sample company's raw files and its known truth."""
    from sample_company.generate import generate

    config = folder / "customer_health.yml"
    if config.exists():
        raise ConfigurationError(f"{config}: exists already; choose another folder")
    generate(
        folder,
        customers=customers,
        months=months,
        seed=seed,
        events=events,
        users=users,
        no_signal=no_signal,
    )
    OUT.print(f"wrote the sample company to {folder}", markup=False)
    shown = shlex.quote(str(config))
    OUT.print(f"next: customer-health nightly --config {shown}", markup=False)


@app.command(hidden=True)
def dev(config: ConfigOption = None, home: HomeOption = None) -> None:
    """Dagster's page, on loopback."""
    root = Home(home_path(home))
    path = config_path(config)
    load(path)
    root.dagster.mkdir(parents=True, exist_ok=True)
    (root.dagster / "dagster.yaml").write_text(DAGSTER_SETTINGS, encoding="utf-8")
    environment = os.environ | {
        "DAGSTER_HOME": str(root.dagster),
        "CUSTOMER_HEALTH_CONFIG": str(path),
        "CUSTOMER_HEALTH_HOME": str(root.root),
    }
    dagster = str(Path(sys.executable).parent / "dagster")
    os.execve(
        dagster,
        [dagster, "dev", "-m", "dagster_project.definitions", "-h", "127.0.0.1"],
        environment,
    )


def _exit_when_refused(outcome: Outcome, ending: str) -> None:
    if outcome.exit_code == STOPPED:
        raise KeyboardInterrupt
    if outcome.exit_code:
        for reason in outcome.reasons:
            ERRORS.print(reason, markup=False, style="red")
        ERRORS.print(f"Nothing was published. {ending}", markup=False)
        raise typer.Exit(outcome.exit_code)


def main() -> None:
    """Run the command; every error a user can cause is one line and an exit code."""
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    # Asked to stop is asked to stop: SIGTERM leaves no folders behind either.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except SystemExit as ending:
        if ending.code == STOPPED:
            ERRORS.print(WHEN_STOPPED)
        raise
    except RuntimeError as error:
        if str(error) != QUERY_STOPPED:
            raise
        ERRORS.print(WHEN_STOPPED)
        sys.exit(STOPPED)
    except ConfigurationError as error:
        ERRORS.print(str(error), markup=False, style="red")
        sys.exit(WRONG_USAGE)
    except NightRunning as error:
        ERRORS.print(str(error), markup=False, style="yellow")
        sys.exit(NIGHT_RUNNING)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        ERRORS.print(f"{place}{error.strerror or error}", markup=False, style="red")
        sys.exit(WRONG_USAGE)


if __name__ == "__main__":
    main()
