"""The command line. Thin: it reads settings, calls, and shows."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from label_studio_crowd import __version__
from label_studio_crowd.commands import crowd, learning, looking, taking_home
from label_studio_crowd.commands.compiling import compilation_told
from label_studio_crowd.commands.help import (
    AS_A_SERVICE,
    EPILOG,
    ON_LABEL_STUDIO,
    WHERE_TO_BEGIN,
    GroupedCommands,
    PlainCommand,
    examples,
)
from label_studio_crowd.commands.opening import at_work, consoles
from label_studio_crowd.commands.options import (
    CONNECTING,
    SCORING,
    STORE,
    DryRunOption,
    JsonOption,
    VerboseOption,
    with_project,
    with_settings,
)
from label_studio_crowd.commands.usage import USAGE_ERROR, in_plain_words
from label_studio_crowd.errors import UserError

if TYPE_CHECKING:
    from label_studio_crowd.settings import Settings

app = typer.Typer(
    name="label-studio-crowd",
    cls=GroupedCommands,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=WHERE_TO_BEGIN,
    epilog=EPILOG,
)


def main() -> None:
    """Run the command line. A user's error is one line, or with `--json` an object; its exit code is 2 or 3."""
    try:
        with compilation_told(quiet="--json" in sys.argv):
            code = app(prog_name="label-studio-crowd", standalone_mode=False)
    except UserError as error:
        _fail(str(error), may_pass=error.may_pass)
    except USAGE_ERROR as error:
        _fail(in_plain_words(error), may_pass=False)
    except typer.Abort:
        typer.echo("Stopped: nothing was done.", err=True)
        sys.exit(1)
    sys.exit(code or 0)


def _fail(message: str, *, may_pass: bool) -> NoReturn:
    message = " ".join(message.split())
    if "--json" in sys.argv:
        typer.echo(json.dumps({"error": message, "may_pass": may_pass}, ensure_ascii=False))
    else:
        typer.echo(f"label-studio-crowd: {message}", err=True)
    sys.exit(3 if may_pass else 2)


@app.callback(invoke_without_command=True)
def _alone(
    ctx: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@app.command(rich_help_panel=ON_LABEL_STUDIO, epilog=examples("projects", "projects --json"))
@with_settings(*STORE)
def projects(settings: Settings, as_json: JsonOption = False) -> None:
    """List the projects that you see, with their numbers."""
    from label_studio_crowd.commands.display import show_projects
    from label_studio_crowd.store.projects import Store
    from label_studio_crowd.studio.client import Studio
    from label_studio_crowd.studio.controls import can_be_scored

    with closing(Store(settings.store)) as store:
        scored_at = store.snapshots_taken_at(settings.url)
    found = [
        {
            "project": row["id"],
            "title": row["title"],
            "tasks": row["task_number"],
            "annotations": row["total_annotations_number"],
            "scored_at": scored_at.get(row["id"]),
            "can_be_scored": can_be_scored(row["label_config"]),
        }
        for row in Studio.of(settings).projects()
    ]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        show_projects(consoles()[0], found, settings.url)


@app.command(rich_help_panel=ON_LABEL_STUDIO, epilog=examples("doctor 3", "doctor 3 --json"))
@with_project
@with_settings(*STORE, "control")
def doctor(project: int, settings: Settings, as_json: JsonOption = False) -> None:
    """Check a project, and say how to fix what is wrong."""
    from label_studio_crowd.commands.display import show_checks
    from label_studio_crowd.connection.doctor import examine

    with at_work(project, settings) as opened:
        checks = list(examine(opened))
    out, _ = consoles(as_json)
    show_checks(out, checks)
    if as_json:
        typer.echo(json.dumps([{**vars(check), "mend": check.mend or None} for check in checks], ensure_ascii=False))
    if any(check.level == "wrong" for check in checks):
        raise typer.Exit(2)


looking.register_look(app)


@app.command(
    rich_help_panel=ON_LABEL_STUDIO,
    epilog=examples("connect 3 --dry-run", "connect 3 --max-labels 7", "connect 3 --backend http://host:9090"),
)
@with_project
@with_settings(*STORE, *SCORING, *CONNECTING)
def connect(
    project: int,
    settings: Settings,
    backend: Annotated[str | None, typer.Option("--backend", help="Address of an ML backend to connect, too.")] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Set a project up for the queue. Its options and what was changed are remembered."""
    from label_studio_crowd.commands.display import progress_bars, show_changes
    from label_studio_crowd.connection.connect import connect as connect_project
    from label_studio_crowd.store.jobs import Jobs, Needs

    out, err = consoles()
    with progress_bars(err) as progress, at_work(project, settings, writing=True, progress=progress) as opened:
        changes = connect_project(opened, backend=backend, dry_run=dry_run)
        if not dry_run:  # a service that shares the store begins at once
            Jobs(opened.store.store, settings).mark(project, needs=Needs.CHANGED | Needs.PULL)
    show_changes(out, changes, dry_run=dry_run)
    if not dry_run:
        following = "The backend does the rest." if backend else f"Next: label-studio-crowd sync {project}"
        out.print(f"Connected. {following}", highlight=False)


@app.command(rich_help_panel=ON_LABEL_STUDIO, epilog=examples("sync 3 --dry-run", "sync 3", "sync 3 --full --json"))
@with_project
@with_settings(*STORE, *SCORING)
def sync(
    project: int,
    settings: Settings,
    full: Annotated[bool, typer.Option("--full", help="Read everything again and retrain the classifier.")] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Pull changes, score them, publish queue and consensus."""
    from label_studio_crowd.commands import display
    from label_studio_crowd.runs.rescore import How, rescore

    out, err = consoles(as_json)
    with (
        display.progress_bars(err) as progress,
        at_work(project, settings, writing=True, progress=progress) as opened,
    ):
        run = rescore(opened, How(full=full, dry_run=dry_run))
        names = {} if as_json else opened.annotator_names()
    assert run is not None, "only a run that may stop early returns nothing"
    if as_json:
        typer.echo(json.dumps(run.report().as_json(), ensure_ascii=False))
        return
    display.show_run(out, run.report(), verbose=verbose)
    display.show_queue(out, run.scores, run.plan.queue, f"{settings.url}/projects/{project}")
    display.show_annotators(out, run.scores, names)
    display.show_plan(out, run.plan, run.expected_seconds, dry_run=dry_run)


@app.command(rich_help_panel=ON_LABEL_STUDIO, epilog=examples("watch 3", "watch 3 --every 300"))
@with_project
@with_settings(*STORE)
def watch(
    project: int,
    settings: Settings,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two checks.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Sync again and again, until Ctrl-C."""
    from label_studio_crowd.commands import display
    from label_studio_crowd.runs.watch import Quiet, rounds

    out, err = consoles(as_json)
    with (
        display.progress_bars(err) as progress,
        at_work(project, settings, writing=True, progress=progress, stopped=display.WATCHED) as opened,
    ):
        quiet = Quiet()
        err.print(
            f"Watching project {project} at {settings.url}: a line for each change, a look every {every:g} s. "
            "Ctrl-C stops.",
            highlight=False,
        )
        for found in rounds(opened, every=every):
            if quiet.is_worth_a_line(found):
                display.show_quiet(err, quiet.since, every)
            if found.eventful:
                display.show_round(out, found)
                if as_json:
                    failed = {"project": project, "problem": str(found.problem)}
                    report = found.run.report().as_json() if found.run else failed
                    typer.echo(json.dumps(report, ensure_ascii=False))


@app.command(
    rich_help_panel=AS_A_SERVICE,
    epilog=examples("serve", "serve --port 9091", "serve --queue redis://localhost:6379/0"),
)
@with_settings(*STORE, "host", "port", "queue", "workers", "insecure")
def serve(settings: Settings) -> None:
    """Run an ML backend that rescores when somebody labels. It serves the pages and the JSON API, too."""
    from label_studio_crowd.server import application

    application.serve(settings)


@app.command(rich_help_panel=AS_A_SERVICE, epilog=examples("worker --queue redis://localhost:6379/0"))
@with_settings(*STORE, "queue", "workers")
def worker(
    settings: Settings, with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False
) -> None:
    """Rescore projects for a server, on any machine. Any number of workers may run."""
    from label_studio_crowd.service.worker import run_until_told

    run_until_told(settings, with_parent=with_parent)


@app.command(rich_help_panel=ON_LABEL_STUDIO, epilog=examples("status 3", "status 3 --json"))
@with_project
@with_settings(*STORE)
def status(project: int, settings: Settings, as_json: JsonOption = False) -> None:
    """Show the state of a project, as of the last run."""
    from label_studio_crowd.commands import display
    from label_studio_crowd.connection.record import RecordError, find_record
    from label_studio_crowd.exchange.pull import look_up
    from label_studio_crowd.pages.insights import labels_needed
    from label_studio_crowd.scoring.outlook import Forecast
    from label_studio_crowd.scoring.snapshot import stored_snapshot
    from label_studio_crowd.store.jobs import Jobs
    from label_studio_crowd.store.projects import OnlyLookedAt

    with at_work(project, settings) as opened:
        studio, stored = opened.studio, opened.store
        service = [row for row in Jobs(stored.store, settings).states() if row.project == project]
        info = look_up(opened)
        last = stored.runs.last()
        looked = stored.facts.read(OnlyLookedAt)
        try:
            connected, problem = find_record(opened) is not None, None
        except RecordError as error:
            connected, problem = False, str(error)
        now, then = studio.counts(project), stored.mirror.counts()
        queue = studio.model_versions(project).get(info["model_version"] or "")
        snapshot, forecast = stored_snapshot(stored), stored.facts.read(Forecast)
    needed = None if snapshot is None else vars(labels_needed(snapshot, forecast))
    state: dict[str, Any] = {
        "project": project,
        "title": info["title"],
        "connected": connected,
        "problem": problem,
        "model_version": info["model_version"],
        "queue": queue.count if queue else 0,
        "new_tasks": now.tasks - then.tasks,
        "new_annotations": now.annotations - then.annotations,
        "labels_needed": needed,
        "looked_at": looked.at if looked else None,
        "last_run": {"finished_at": last.finished_at, **last.report.as_json()} if last else None,
        "service": [
            {"job": row.kind, "state": row.word, "problem": row.problem, "retry_at": row.next_try} for row in service
        ],
    }
    if as_json:
        typer.echo(json.dumps(state, ensure_ascii=False))
    else:
        display.show_status(consoles()[0], state, last)


taking_home.register(app)


looking.register_report(app)


@app.command(
    rich_help_panel=ON_LABEL_STUDIO, epilog=examples("disconnect 3 --dry-run", "disconnect 3", "disconnect 3 --forget")
)
@with_project
@with_settings(*STORE)
def disconnect(
    project: int,
    settings: Settings,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Delete all consensus predictions at once. Annotators have to wait meanwhile."),
    ] = False,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget",
            help="Delete what is stored here, too: the copy of tasks and labels, results, trained classifiers.",
        ),
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Restore a project's settings; remove our predictions. Those of others stay, and here the last results."""
    from label_studio_crowd.commands import display
    from label_studio_crowd.connection.disconnect import disconnect as disconnect_project

    out, err = consoles()
    with display.progress_bars(err) as progress, at_work(project, settings, writing=True, progress=progress) as opened:
        changes = disconnect_project(opened, fast=fast, forgets=forget, dry_run=dry_run)
        kept = not forget and opened.store.runs.snapshot_taken_at() is not None
    display.show_changes(out, changes, dry_run=dry_run)
    if kept:
        display.show_kept(out, project)


crowd.register(app)
learning.register(app)
for _command in app.registered_commands:
    _command.cls = PlainCommand
