"""Restores a project as it was before `connect`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from label_studio_crowd.connection.adoption import Adopted, Declined, Setup
from label_studio_crowd.connection.forgetting import forget, only_here
from label_studio_crowd.connection.record import (
    NotConnectedError,
    Record,
    keep_in_tab,
    our_views,
    standing_record,
    wrong_settings,
)
from label_studio_crowd.connection.restoring import Unrestored, all_tasks, restore_tasks
from label_studio_crowd.connection.tabs import data_of, review_tabs
from label_studio_crowd.errors import UserError
from label_studio_crowd.exchange.annotating import Written
from label_studio_crowd.exchange.publish import observe
from label_studio_crowd.exchange.pull import look_up
from label_studio_crowd.project import Project
from label_studio_crowd.studio.failures import NoSuchProjectError
from label_studio_crowd.studio.versions import CONSENSUS_VERSION, is_ours
from label_studio_crowd.wording import count, plural

_LARGE_VERSION: Final = 500
"""Up to so many predictions a version is deleted in one transaction (about a second)."""


def disconnect(project: Project, *, fast: bool = False, forgets: bool = False, dry_run: bool = False) -> list[str]:
    """Put a project back as it was and return, in words, what was done (with `dry_run`: what would be).

    Parameters
    ----------
    fast
        Delete a large consensus version in one transaction, during which annotators wait; otherwise its
        predictions go one by one.
    forgets
        Delete what is stored of the project, too, even if it is not connected, or not in Label Studio any more.
        Otherwise what the last run believed stays, as after a look.

    Raises
    ------
    NotConnectedError
        If nothing was recorded to put back.
    """
    try:
        done = _put_back(project, fast=fast, dry_run=dry_run)
    except (NotConnectedError, NoSuchProjectError) as error:
        if not forgets:
            raise
        why = "is not there any more" if isinstance(error, NoSuchProjectError) else "is not connected"
        done = [f"nothing in Label Studio: the project {why}"]
    if forgets and not dry_run:
        forget(project)
    return [*done, *["what is stored here of the project deleted: tasks, labels, results, classifiers"] * forgets]


def _put_back(project: Project, *, fast: bool, dry_run: bool) -> list[str]:
    """Put a project back as it was and return, in words, what was done."""
    change = _find_change(project, dry_run=dry_run)
    left = () if dry_run else _make_change(project, change, fast=fast)
    return [*change.in_words(), *map(str, left)]


@dataclass(frozen=True)
class _Change:
    """What is to be put back.

    Attributes
    ----------
    info
        The project's settings in Label Studio, as they are; `before` as they were.
    record
        What `connect` recorded.
    views
        Our tabs that carry a record; `tabs` are the ids of all that we made, those last.
    overlaps
        How many tasks have another overlap than they had.
    versions
        Our model versions, and how many predictions each has.
    staying
        Addresses of the backends that the owner added.
    annotations
        How many annotations of the consensus `write-annotations` has written.
    """

    info: Mapping[str, Any]
    before: Mapping[str, Any]
    record: Record
    views: Sequence[Mapping[str, Any]]
    tabs: Sequence[int]
    overlaps: int
    versions: Mapping[str, int]
    staying: Sequence[str]
    annotations: int

    def in_words(self) -> list[str]:
        """Return what is put back, a line each."""
        written, stay = count(self.annotations, "annotation"), plural(self.annotations, "stays", "stay")
        settings = [(name, self.info[name], value) for name, value in self.before.items()]
        return [
            *(f"{name}: {found!r} → {value!r}" for name, found, value in settings if found != value),
            *[f"overlap of {count(self.overlaps, 'task')} restored"] * bool(self.overlaps),
            *(f"{count(number, 'prediction')} of {version} deleted" for version, number in self.versions.items()),
            *[f"{count(len(self.tabs), 'Data Manager tab')} deleted"] * bool(self.tabs),
            *(f"ML backend {backend} removed" for backend in self.record.backends),
            *[f"{written} of the consensus {stay}: write-annotations --undo deletes them"] * bool(self.annotations),
            *(f"ML backend {url} stays where it was added: remove it in the Model settings" for url in self.staying),
        ]


def _find_change(project: Project, *, dry_run: bool) -> _Change:
    info, views = look_up(project), project.studio.views(project.number)
    record = standing_record(project, views, wrong_settings(info))
    if record is None:
        raise NotConnectedError(
            f"Project {project.number} is not connected: neither this store nor the project has a record of "
            "its earlier settings. Nothing was changed."
        )
    if not dry_run:
        observe(project)  # an import under way ends before we count
    versions = project.studio.model_versions(project.number)
    backends = project.studio.backends(project.number)
    record = _without_foreign_backends(project, record, backends)
    before = dict(record.settings)
    # Label Studio takes the title of a connected backend for a version, too
    if not before["model_version"] or before["model_version"] not in {*versions, *(row["title"] for row in backends)}:
        before["model_version"] = ""
    made = [backend.rstrip("/") for backend in record.backends]
    added = [row["url"] for row in backends if row["model_version"] == CONSENSUS_VERSION]
    ours = our_views(views)
    return _Change(
        info=info,
        before=before,
        record=record,
        views=ours,
        # our tabs last: they say that there is something to put back
        tabs=[view["id"] for view in (*_default_views(views, record), *review_tabs(views).values(), *ours)],
        overlaps=sum(task.overlap != task.wanted for task in all_tasks(project, info, record)),
        versions={version: state.count for version, state in versions.items() if is_ours(version)},
        annotations=len(written.by_id) if (written := project.store.facts.read(Written)) else 0,
        staying=[url for url in added if url.rstrip("/") not in made],
    )


def _without_foreign_backends(project: Project, record: Record, backends: Sequence[Mapping[str, Any]]) -> Record:
    """Return a record that names no backends of others: one that comes from a tab alone may name any."""
    if project.store.facts.read(Record) is not None:
        return record
    ours = {row["url"].rstrip("/") for row in backends if row["model_version"] == CONSENSUS_VERSION}
    return replace(record, backends=tuple(url for url in record.backends if url.rstrip("/") in ours))


def _default_views(views: Sequence[Mapping[str, Any]], record: Record) -> list[Mapping[str, Any]]:
    """Return the tab "Default" that we made, unless somebody gave it another title."""
    return [view for view in views if view["id"] == record.default_view and data_of(view).get("title") == "Default"]


def _make_change(project: Project, change: _Change, *, fast: bool) -> tuple[Unrestored, ...]:
    """Put the project back; return the tasks that Label Studio would not put back."""
    studio, number, record = project.studio, project.number, change.record
    if change.views:  # a service that the first change wakes must not begin anew
        keep_in_tab(project, change.views, replace(record, ending=True))
    left = _restore_settings(project, change)
    for version, predictions in change.versions.items():
        if fast or predictions <= _LARGE_VERSION:
            studio.delete_version(number, version)
        else:
            _delete_consensus(project)
    if late := [version for version in studio.model_versions(number) if is_ours(version)]:
        raise UserError(f"Predictions of {', '.join(late)} arrived meanwhile: run disconnect again.")
    for backend in record.backends:
        studio.remove_backend(number, backend)
    if asked := project.store.facts.read(Setup):
        studio.remove_left_webhooks(number, asked.host)
    for view in change.tabs:
        studio.delete_view(view)
    project.store.published.replace([])
    only_here(project.store)
    # a backend that stays must not connect the project again when its page is next looked at; on SQLite, another
    # that is added later may get the same id
    project.store.facts.write(Declined(tuple(row["created_at"] for row in studio.backends(number))))
    project.store.facts.forget(Record, Setup, Adopted)
    project.store.published.forget_versions()
    return left


def _delete_consensus(project: Project) -> None:
    """Delete the consensus predictions one by one, so that annotators need not wait."""
    rows = [row.id for row in project.store.published.predictions() if row.model_version == CONSENSUS_VERSION]
    for done, row in enumerate(rows, 1):
        project.studio.delete_prediction(row)
        project.progress("deleting consensus predictions", done, len(rows))


def _restore_settings(project: Project, change: _Change) -> tuple[Unrestored, ...]:
    """Restore the project's settings, and the overlap and state of every task; return those that are not restored.

    Raising `maximum_annotations` rewrites, where any task has an overlap above 1, only those. Up and down to 1
    once makes all overlaps 1 in two requests, however many were reopened.
    """
    studio, number, before = project.studio, project.number, change.before
    usual, version = int(before["maximum_annotations"]), before["model_version"]
    studio.update_project(number, maximum_annotations=usual + 1, model_version=version)
    studio.update_project(number, maximum_annotations=1, model_version=version)
    studio.update_project(number, **before)
    return restore_tasks(project, change.info, change.record)
