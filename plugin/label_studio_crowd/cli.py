"""The command line. Thin: it reads settings, calls, and shows."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from label_studio_crowd.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from label_studio_crowd.mirror import ProjectMirror
    from label_studio_crowd.settings import Settings
    from label_studio_crowd.studio import Studio

app = typer.Typer(
    name="label-studio-crowd",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Consensus labels, annotator quality and the most useful next task for Label Studio projects.",
    epilog="LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY say where Label Studio is and who asks. Every option can also be "
    "set as LABEL_STUDIO_CROWD_<NAME> or in label-studio-crowd.toml.",
)

_WIDTH_OF_A_FILE = 140

ProjectOption = Annotated[int, typer.Option("--project", "-p", help="Number of the project, as in its address.")]
UrlOption = Annotated[str | None, typer.Option("--url", help="Label Studio's address.")]
StoreOption = Annotated[str | None, typer.Option("--store", help="The local mirror, sqlite:///FILE.")]
ControlOption = Annotated[str | None, typer.Option("--control", help="Name of the control to score.")]
ClassifierOption = Annotated[
    str | None,
    typer.Option(
        "--classifier",
        help="auto, none, text[:FIELDS], tabular[:FIELDS], embedding[:FIELD], predictions:MODEL_VERSION, or "
        "package.module:factory.",
    ),
]
TrustOption = Annotated[
    bool | None, typer.Option("--trust-ground-truth/--no-trust-ground-truth", help="Ground truth is the truth.")
]
TargetOption = Annotated[float | None, typer.Option("--target-quality", help="Quality that settles a task.")]
MinOption = Annotated[int | None, typer.Option("--min-labels", help="Labels that every task gets.")]
MaxOption = Annotated[int | None, typer.Option("--max-labels", help="Labels that no task exceeds.")]
QueueOption = Annotated[int | None, typer.Option("--queue-size", help="Tasks in the queue.")]
BudgetOption = Annotated[int | None, typer.Option("--label-budget", help="Labels the project may have in all.")]
ShowOption = Annotated[
    bool | None, typer.Option("--show-consensus/--hide-consensus", help="Pre-fill the consensus for annotators.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be written; write nothing.")]


def main() -> None:
    """Run the command line; what the user can mend is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        typer.echo(f"label-studio-crowd: {' '.join(str(error).split())}", err=True)
        sys.exit(2)


@contextmanager
def _opened(project: int, *, writing: bool = False, **flags: Any) -> Iterator[tuple[Settings, Studio, ProjectMirror]]:
    """Read the settings and open Label Studio and the project's mirror; with `writing`, alone."""
    from label_studio_crowd import settings as settings_module
    from label_studio_crowd.mirror import Mirror
    from label_studio_crowd.studio import Studio

    settings = settings_module.load(**flags)
    if settings.api_key is None or not settings.api_key.get_secret_value().strip():
        raise UserError(
            "No token: create a personal access token in Label Studio (Account & Settings → Personal Access Token) "
            "and put it into LABEL_STUDIO_API_KEY."
        )
    studio = Studio(settings.url, settings.api_key.get_secret_value().strip())
    mirror = Mirror(settings.store)
    try:
        found = mirror.project(settings.url, project)
        with found.exclusive() if writing else nullcontext():
            yield settings, studio, found
    finally:
        mirror.close()


def _consoles(as_json: bool = False) -> tuple[Console, Console]:
    """Return where results and where progress are shown."""
    from rich.console import Console

    out = Console(quiet=as_json)
    if not out.is_terminal:
        out.width = _WIDTH_OF_A_FILE
    return out, Console(stderr=True, quiet=as_json)


@app.command()
def doctor(
    project: ProjectOption,
    url: UrlOption = None,
    store: StoreOption = None,
    control: ControlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is right with a project, what is wrong, and how to mend it."""
    from label_studio_crowd.display import show_checks
    from label_studio_crowd.doctor import examine

    with _opened(project, url=url, store=store, control=control) as (settings, studio, mirror):
        checks = list(examine(studio, mirror, project, settings))
    out, _ = _consoles(as_json)
    show_checks(out, checks)
    if as_json:
        typer.echo(json.dumps([vars(check) for check in checks], ensure_ascii=False))
    if any(check.level == "wrong" for check in checks):
        raise typer.Exit(2)


@app.command()
def connect(
    project: ProjectOption,
    url: UrlOption = None,
    store: StoreOption = None,
    control: ControlOption = None,
    classifier: ClassifierOption = None,
    trust_ground_truth: TrustOption = None,
    target_quality: TargetOption = None,
    min_labels: MinOption = None,
    max_labels: MaxOption = None,
    queue_size: QueueOption = None,
    label_budget: BudgetOption = None,
    show_consensus: ShowOption = None,
    backend: Annotated[str | None, typer.Option("--backend", help="An ML backend to connect as well.")] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Set a project up for the queue; remember its options and what was changed."""
    from label_studio_crowd import connection
    from label_studio_crowd.display import progress_bars

    out, err = _consoles()
    with (
        _opened(
            project,
            writing=True,
            url=url,
            store=store,
            control=control,
            classifier=classifier,
            trust_ground_truth=trust_ground_truth,
            target_quality=target_quality,
            min_labels=min_labels,
            max_labels=max_labels,
            queue_size=queue_size,
            label_budget=label_budget,
            show_consensus=show_consensus,
        ) as (settings, studio, mirror),
        progress_bars(err) as progress,
    ):
        changes = connection.connect(
            studio, mirror, project, settings, backend=backend, dry_run=dry_run, progress=progress
        )
    _show_changes(out, changes, dry_run)
    if not dry_run:
        out.print(f"Connected. Next: label-studio-crowd sync --project {project}", highlight=False)


@app.command()
def sync(
    project: ProjectOption,
    url: UrlOption = None,
    store: StoreOption = None,
    control: ControlOption = None,
    classifier: ClassifierOption = None,
    trust_ground_truth: TrustOption = None,
    target_quality: TargetOption = None,
    min_labels: MinOption = None,
    max_labels: MaxOption = None,
    queue_size: QueueOption = None,
    label_budget: BudgetOption = None,
    show_consensus: ShowOption = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything anew and retrain the classifier.")] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Pull what changed, score, and publish queue and consensus."""
    from label_studio_crowd import display
    from label_studio_crowd.rescore import rescore

    out, err = _consoles(as_json)
    with (
        _opened(
            project,
            writing=True,
            url=url,
            store=store,
            control=control,
            classifier=classifier,
            trust_ground_truth=trust_ground_truth,
            target_quality=target_quality,
            min_labels=min_labels,
            max_labels=max_labels,
            queue_size=queue_size,
            label_budget=label_budget,
            show_consensus=show_consensus,
        ) as (_settings, studio, mirror),
        display.progress_bars(err) as progress,
    ):
        run = rescore(studio, mirror, project, _settings, full=full, dry_run=dry_run, progress=progress)
        names = {} if as_json else studio.annotator_names()
    if as_json:
        typer.echo(json.dumps(run.report(), ensure_ascii=False))
        return
    display.show_run(out, run.report())
    display.show_queue(out, run.scores, run.plan.queue, studio.url, project)
    display.show_annotators(out, run.scores, names)
    display.show_plan(out, run.plan, run.expected_seconds, dry_run=dry_run)


@app.command()
def status(
    project: ProjectOption, url: UrlOption = None, store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """Say how a project stands, as of the last run."""
    from label_studio_crowd import display
    from label_studio_crowd.connection import connection
    from label_studio_crowd.pull import look_up

    out, _ = _consoles(as_json)
    with _opened(project, url=url, store=store) as (_settings, studio, mirror):
        info = look_up(studio, mirror, project)
        last = mirror.last_run()
        connected = connection(mirror) is not None
        tasks, annotations = studio.counts(project)
        known_tasks, known_annotations = mirror.counts()
        queue = studio.model_versions(project).get(info["model_version"] or "")
    state: dict[str, Any] = {
        "project": project,
        "title": info["title"],
        "connected": connected,
        "model_version": info["model_version"],
        "queue": queue.count if queue else 0,
        "new_tasks": tasks - known_tasks,
        "new_annotations": annotations - known_annotations,
        "last_run": {"finished_at": last[0], **last[1]} if last else None,
    }
    if as_json:
        typer.echo(json.dumps(state, ensure_ascii=False))
        return
    if last is None:
        out.print(f"{info['title']}: {'connected, ' * connected}never synced.", highlight=False)
        return
    display.show_last_run(out, last[0])
    display.show_run(out, last[1])
    out.print(
        f"Served from {info['model_version'] or 'no version'} ({state['queue']:,} tasks); since then "
        f"{state['new_annotations']:+,} annotations, {state['new_tasks']:+,} tasks.",
        highlight=False,
    )


@app.command()
def export(
    project: ProjectOption,
    out_path: Annotated[Path, typer.Option("--out", help="File ending in .csv, .json or .parquet.")],
    url: UrlOption = None,
    store: StoreOption = None,
    with_data: Annotated[bool, typer.Option("--with-data", help="Put each task's data beside its consensus.")] = False,
) -> None:
    """Write consensus, quality, and the per-label and per-annotator tables."""
    from label_studio_crowd import export as tables_module
    from label_studio_crowd.connection import stored_options
    from label_studio_crowd.labels import find_control
    from label_studio_crowd.pull import look_up
    from label_studio_crowd.rescore import stored_scores

    tables_module.check_path(out_path)
    out, _ = _consoles()
    with _opened(project, url=url, store=store) as (settings, studio, mirror):
        info = look_up(studio, mirror, project)
        settings = settings.over(stored_options(mirror))
        scores = stored_scores(mirror, info, find_control(info["label_config"], settings.control), settings)
        if scores is None:
            raise UserError(f"Project {project} has no scores yet: run `label-studio-crowd sync --project {project}`.")
        queue = [row for row in mirror.published() if row.model_version == info["model_version"]]
        data = mirror.data() if with_data else None
        found = tables_module.tables(scores, mirror.annotations(), studio.annotator_names(), queue, data)
    for path in tables_module.write(found, out_path):
        out.print(f"Wrote {path}", highlight=False)


@app.command()
def disconnect(
    project: ProjectOption,
    url: UrlOption = None,
    store: StoreOption = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Delete all consensus predictions at once; annotators wait meanwhile.")
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Put every setting of a project back and remove our predictions, nobody else's."""
    from label_studio_crowd import connection
    from label_studio_crowd.display import progress_bars

    out, err = _consoles()
    with (
        _opened(project, writing=True, url=url, store=store) as (_, studio, mirror),
        progress_bars(err) as progress,
    ):
        changes = connection.disconnect(studio, mirror, project, fast=fast, dry_run=dry_run, progress=progress)
    _show_changes(out, changes, dry_run)


def _show_changes(out: Console, changes: list[str], dry_run: bool) -> None:
    out.print("Would change:" if dry_run else "Changed:" if changes else "Nothing to change.", highlight=False)
    for change in changes:
        out.print(f"  {change}", highlight=False, markup=False)
