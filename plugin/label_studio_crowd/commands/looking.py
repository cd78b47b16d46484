"""The commands that look at a project, or at Label Studio's export, and change nothing there."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from label_studio_crowd.commands.help import ON_LABEL_STUDIO, examples
from label_studio_crowd.commands.opening import at_work, consoles, in_a_file, last_snapshot
from label_studio_crowd.commands.options import SCORING, STORE, VerboseOption, with_project_or_file, with_settings
from label_studio_crowd.errors import UserError

if TYPE_CHECKING:
    from label_studio_crowd.feedback import Progress
    from label_studio_crowd.project import Project
    from label_studio_crowd.runs.run import Run
    from label_studio_crowd.settings import Settings

_HideNames: Final = typer.Option("--hide-names", help="Replace the annotators' names in the report with numbers.")
_LabelConfig: Final[Any] = typer.Option(
    "--label-config", help="With an export: a file with the project's labeling config [one that fits the answers]."
)
LabelConfigOption = Annotated[Path | None, _LabelConfig]
_LOOK: Final = ("look 3", "look 3 --out look.html", "look 3 --control sentiment", "look export.json --out look.html")
_REPORT: Final = ("report 3 --out report.html --hide-names", "report export.json --out report.html")


def register_look(app: typer.Typer) -> None:
    """Add `look` to an application."""
    app.command(rich_help_panel=ON_LABEL_STUDIO, epilog=examples(*_LOOK))(look)


def register_report(app: typer.Typer) -> None:
    """Add `report` to an application."""
    app.command(rich_help_panel=ON_LABEL_STUDIO, epilog=examples(*_REPORT))(report)


@with_project_or_file
@with_settings(*STORE, *SCORING)
def look(
    project: int | Path,
    settings: Settings,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write a report, too: a file ending in .html, which opens offline.")
    ] = None,
    hide_names: Annotated[bool, _HideNames] = False,
    label_config: LabelConfigOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Score a project, or an export, and change nothing there. `report` and `export` work on the project afterwards."""
    from label_studio_crowd.commands import display
    from label_studio_crowd.pages.report import check_report_path

    if out is not None:
        check_report_path(out)
    console, err = consoles()
    with (
        display.progress_bars(err) as progress,
        _opened(project, settings, label_config, writing=True, progress=progress) as opened,
    ):
        run, names = _scored(opened), opened.annotator_names()
        if out is not None:
            _write_report(opened, out, None, hide_names=hide_names)
    where = "" if isinstance(project, Path) else f"{settings.url}/projects/{project}"
    display.show_run(console, run.report(), verbose=verbose, of_file=isinstance(project, Path))
    _tell_what_is_left_out(opened)
    display.show_queue(console, run.scores, run.plan.queue, where)
    display.show_annotators(console, run.scores, names)
    if where:
        console.print("Label Studio was only read: nothing was written to it.", highlight=False)
    if out is None:
        console.print(f"Next: label-studio-crowd report {project} --out report.html", highlight=False)
    else:
        console.print(f"Wrote {out}", highlight=False, soft_wrap=True)


@with_project_or_file
@with_settings(*STORE)
def report(
    project: int | Path,
    out: Annotated[Path, typer.Option("--out", help="File ending in .html.")],
    settings: Settings,
    hide_names: Annotated[bool, _HideNames] = False,
    control: Annotated[
        str | None, typer.Option("--control", help="The control that the report is about [the first].")
    ] = None,
    label_config: LabelConfigOption = None,
) -> None:
    """Write what the server's pages show into one file. It opens offline and can be sent by mail."""
    from label_studio_crowd.commands.display import progress_bars
    from label_studio_crowd.pages.report import check_report_path

    check_report_path(out)
    with (
        progress_bars(consoles()[1]) as progress,
        _opened(project, settings, label_config, progress=progress) as opened,
    ):
        if isinstance(project, Path):
            _scored(opened)
        _write_report(opened, out, control, hide_names=hide_names)
    _tell_what_is_left_out(opened, err=True)
    typer.echo(f"Wrote {out}")


def _opened(
    project: int | Path,
    settings: Settings,
    label_config: Path | None,
    *,
    writing: bool = False,
    progress: Progress | None = None,
) -> AbstractContextManager[Project]:
    """Open a project, or an export as one."""
    if isinstance(project, Path):
        return in_a_file(project, settings, label_config, progress)
    if label_config is not None:
        raise UserError("--label-config is for Label Studio's export, and a project has its own: leave it out.")
    return at_work(project, settings, writing=writing, progress=progress)


def _tell_what_is_left_out(opened: Project, *, err: bool = False) -> None:
    from label_studio_crowd.files.exported_project import ExportedStudio

    if isinstance(opened.studio, ExportedStudio) and (note := opened.studio.left_out()):
        typer.echo(f"• {note}", err=err)


def _scored(opened: Project) -> Run:
    """Score a project, and keep what is believed of it; nothing is published."""
    from label_studio_crowd.runs.rescore import How, rescore

    run = rescore(opened, How(dry_run=True, keeps=True))
    assert run is not None, "only a run that may stop early returns nothing"
    return run


def _write_report(opened: Project, out: Path, control: str | None, *, hide_names: bool) -> None:
    from label_studio_crowd.exchange.pull import look_up, update_names
    from label_studio_crowd.pages.report import report_html, write_report
    from label_studio_crowd.runs.look_ahead import look_ahead_if_due

    info, snapshot = look_up(opened), last_snapshot(opened)
    if not hide_names:
        update_names(opened, snapshot.annotators.tolist(), anew=True)
    look_ahead_if_due(opened, info, snapshot)
    about = snapshot.of_control(control)
    if about is None:
        known = ", ".join(map(repr, snapshot.controls))
        raise UserError(f"--control is {control!r}, which was not scored; choose one of {known}.")
    html = report_html(opened.store, about, opened.settings, opened.number, hide_names=hide_names, whole=snapshot)
    write_report(html, out)
