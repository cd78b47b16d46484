"""What every command begins with: a project of Label Studio with its part of the store, and where to show results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from label_studio_crowd.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from label_studio_crowd.feedback import Progress
    from label_studio_crowd.project import Project
    from label_studio_crowd.scoring.snapshot import Snapshot
    from label_studio_crowd.settings import Settings
    from label_studio_crowd.store.projects import ProjectStore

_WIDTH_OF_A_FILE = 140
_PATIENCE = 20.0
"""Seconds that a command waits for another run to end."""


@contextmanager
def at_work(
    number: int,
    settings: Settings,
    *,
    writing: bool = False,
    progress: Progress | None = None,
    stopped: str = "Run the command again to finish; nothing is lost.",
) -> Iterator[Project]:
    """Open a project's Label Studio and its part of the store; with `writing`, alone.

    Parameters
    ----------
    stopped
        What is said after Ctrl-C.
    """
    from sqlalchemy.exc import DBAPIError

    from label_studio_crowd.feedback import silent
    from label_studio_crowd.project import Project
    from label_studio_crowd.store.projects import Store
    from label_studio_crowd.studio.client import Studio

    studio = Studio.of(settings)
    store = Store(settings.store)
    try:
        stored = store.project(settings.url, number)
        with _alone(stored) if writing else nullcontext():
            yield Project(number=number, studio=studio, store=stored, settings=settings, progress=progress or silent)
    except DBAPIError as error:
        raise UserError(f"The store fails ({error.orig}): correct --store, or check its server or disk.") from None
    except KeyboardInterrupt:
        typer.echo(f"\nStopped. {stopped}", err=True)
        raise typer.Exit(130) from None
    finally:
        store.close()


@contextmanager
def in_a_file(
    path: Path, settings: Settings, label_config: Path | None, progress: Progress | None = None
) -> Iterator[Project]:
    """Open Label Studio's export as a project, with a store that is gone afterwards.

    Parameters
    ----------
    label_config
        A file with the project's labeling config; None for one that fits the answers.
    """
    from tempfile import TemporaryDirectory

    from label_studio_crowd.feedback import silent
    from label_studio_crowd.files.exported_project import NUMBER, ExportedStudio
    from label_studio_crowd.files.user_errors import user_errors
    from label_studio_crowd.project import Project
    from label_studio_crowd.store.projects import Store

    with TemporaryDirectory() as folder, ExitStack() as held:
        with user_errors():
            config = None if label_config is None else label_config.read_text(encoding="utf-8")
            studio = ExportedStudio(path, config)
        settings = settings.model_copy(update={"url": studio.url, "model_dir": Path(folder) / "models"})
        store = held.enter_context(closing(Store(f"sqlite:///{folder}/store.sqlite")))
        stored = store.project(studio.url, NUMBER)
        yield Project(number=NUMBER, studio=studio, store=stored, settings=settings, progress=progress or silent)


@contextmanager
def _alone(stored: ProjectStore) -> Iterator[None]:
    """Hold a project's lock; say so where another run has to end first."""
    from label_studio_crowd.store.locks import UnderWayError

    with ExitStack() as held:
        try:
            held.enter_context(stored.exclusive())
        except UnderWayError:
            typer.echo("Another run is working on this project. Waiting until it ends ...", err=True)
            held.enter_context(stored.exclusive(_PATIENCE))
        yield


def last_snapshot(opened: Project) -> Snapshot:
    """Return what the last run believed.

    Raises
    ------
    UserError
        If there was none; it says how to have one, or why there is nothing to score.
    """
    from label_studio_crowd.exchange.pull import look_up
    from label_studio_crowd.scoring.snapshot import stored_snapshot
    from label_studio_crowd.studio.controls import find_controls

    found = stored_snapshot(opened.store)
    if found is None:
        number = opened.number
        find_controls(look_up(opened)["label_config"])  # where nothing can be scored, no look helps
        raise UserError(
            f"Project {number} has no scores yet: run `label-studio-crowd look {number}`, which changes nothing in "
            f"Label Studio, or `label-studio-crowd sync {number}`."
        )
    return found


def consoles(as_json: bool = False) -> tuple[Console, Console]:
    """Return where results and where progress are shown."""
    from rich.console import Console

    out = Console(quiet=as_json)
    if not out.is_terminal:
        out.width = _WIDTH_OF_A_FILE
    return out, Console(stderr=True, quiet=as_json)
