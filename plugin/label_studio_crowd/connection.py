"""Sets a project up for the queue, records what that changed, and puts it back.

The record is kept in the mirror and, in case the mirror is deleted, in our Data Manager tab.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from label_studio_crowd.errors import UserError
from label_studio_crowd.labels import find_control
from label_studio_crowd.mirror import ProjectMirror
from label_studio_crowd.plan import CONSENSUS_VERSION, QUEUE_PREFIX, is_ours
from label_studio_crowd.publish import observe
from label_studio_crowd.pull import look_up, pull, refresh_states
from label_studio_crowd.settings import Settings
from label_studio_crowd.studio import Progress, Studio, silent

QUEUE_SETTINGS: Final[dict[str, Any]] = {
    "sampling": "Uncertainty sampling",
    "maximum_annotations": 1,
    "show_overlap_first": False,
}
"""What a project needs for annotators to be served in the order of the queue."""

_RESTORED: Final = (*QUEUE_SETTINGS, "model_version")
_RECORD: Final = "connection"
_OPTIONS: Final = "options"
_MARK: Final = "label_studio_crowd"
_LARGE_VERSION: Final = 500
"""Up to so many predictions a version is deleted in one transaction (about a second)."""


def connection(mirror: ProjectMirror) -> dict[str, Any] | None:
    """Return what `connect` recorded, or None for a project that is not connected."""
    found: dict[str, Any] | None = mirror.recall(_RECORD)
    return found


def stored_options(mirror: ProjectMirror) -> dict[str, Any]:
    """Return the options that `connect` was given."""
    return mirror.recall(_OPTIONS) or {}


def wrong_settings(info: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the settings of a project that keep the queue from being served: name → (found, needed)."""
    return {name: (info[name], value) for name, value in QUEUE_SETTINGS.items() if info[name] != value}


def connect(
    studio: Studio,
    mirror: ProjectMirror,
    project: int,
    settings: Settings,
    *,
    backend: str | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
) -> list[str]:
    """Set a project up and return, in words, what was changed (with `dry_run`: what would be).

    Parameters
    ----------
    backend
        Address of an ML backend to connect as well.

    Raises
    ------
    UserError
        If the labeling config has no control that can be scored, or Label Studio refuses the backend.
    """
    info = look_up(studio, mirror, project)
    find_control(info["label_config"], settings.control)
    views = studio.views(project)
    record = connection(mirror) or _record_in(views)
    wrong = wrong_settings(info)
    changes = [f"{name}: {found!r} → {needed!r}" for name, (found, needed) in wrong.items()]
    ours = [view for view in views if _MARK in view["data"]]
    if not ours:
        changes.append("Data Manager tab 'Crowd: next tasks' added" + (", and 'Default' beside it" * (not views)))
    missing = backend is not None and backend.rstrip("/") not in [
        row["url"].rstrip("/") for row in studio.backends(project)
    ]
    if missing:
        changes.append(f"ML backend {backend} connected")
    if dry_run:
        return changes

    if missing and backend is not None:  # first, because it is what may be refused
        studio.add_backend(project, backend)
        # Label Studio makes the backend's title the model version where there was none
        studio.update_project(project, model_version=info["model_version"] or "")
    if record is None:
        pull(studio, mirror, project, progress=progress)
        record = _record(info, mirror)
    if missing:
        record["backend"] = backend
    # recorded before anything is changed: a stop from here on can be undone
    mirror.remember(_RECORD, record)
    mirror.remember(_OPTIONS, settings.options())
    if not views:  # Label Studio shows its own first tab only as long as there is no other
        record["default_view"] = studio.create_view(project, {"title": "Default"})
        mirror.remember(_RECORD, record)
    if not ours:
        studio.create_view(project, _tab(record))
    if wrong:
        studio.update_project(project, **QUEUE_SETTINGS, **_kept_version(info))
        refresh_states(studio, mirror, project, progress=progress)
    return changes


def _kept_version(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model version to name in a change of settings.

    With `show_collab_predictions` off, Label Studio blanks the version in every change that does not name it.
    """
    if info["show_collab_predictions"] or not info["model_version"]:
        return {}
    return {"model_version": info["model_version"]}


def _record(info: Mapping[str, Any], mirror: ProjectMirror) -> dict[str, Any]:
    settings = {name: info[name] for name in _RESTORED}
    if is_ours(settings["model_version"] or ""):
        settings["model_version"] = ""
    tasks = mirror.tasks()
    usual = info["maximum_annotations"]
    special = tasks.overlap != usual
    overlaps = dict(zip(map(str, tasks.ids[special].tolist()), tasks.overlap[special].tolist(), strict=True))
    return {"settings": settings, "overlaps": overlaps}


def _record_in(views: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the record that our tab carries, for a mirror that was deleted."""
    for view in views:
        if _MARK in view["data"]:
            found: dict[str, Any] = view["data"][_MARK]
            return found
    return None


def _tab(record: Mapping[str, Any]) -> dict[str, Any]:
    queued = {
        "filter": "filter:tasks:predictions_model_versions",
        "operator": "contains",
        "type": "List",
        "value": [QUEUE_PREFIX],
    }
    return {
        "title": "Crowd: next tasks",
        "ordering": ["tasks:predictions_score"],
        "filters": {"conjunction": "and", "items": [queued]},
        _MARK: record,
    }


def disconnect(
    studio: Studio,
    mirror: ProjectMirror,
    project: int,
    *,
    fast: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> list[str]:
    """Put a project back as it was and return, in words, what was done (with `dry_run`: what would be).

    Parameters
    ----------
    fast
        Delete a large consensus version in one transaction, during which annotators wait; otherwise its
        predictions go one by one.

    Raises
    ------
    UserError
        If nothing was recorded to put back.
    """
    info = look_up(studio, mirror, project)
    views = studio.views(project)
    record = connection(mirror) or _record_in(views)
    if record is None:
        raise UserError(
            f"Project {project} is not connected: neither this store nor the project records what it was before. "
            "Nothing was changed."
        )
    versions = studio.model_versions(project)
    before = dict(record["settings"])
    if before["model_version"] not in versions and not _names_a_backend(studio, project, before["model_version"]):
        before["model_version"] = ""
    ours = {version: state.count for version, state in versions.items() if is_ours(version)}
    tabs = [view["id"] for view in views if _MARK in view["data"]]
    default = [view["id"] for view in views if view["id"] == record.get("default_view")]
    if [view["data"].get("title") for view in views if view["id"] in default] != ["Default"]:
        default = []
    changes = [f"{name}: {info[name]!r} → {value!r}" for name, value in before.items() if info[name] != value]
    changes += [f"{count} predictions of {version} deleted" for version, count in ours.items()]
    changes += [f"{len(tabs + default)} Data Manager tabs deleted"] * bool(tabs + default)
    changes += [f"ML backend {record.get('backend')} removed"] * ("backend" in record)
    if dry_run:
        return changes

    pull(studio, mirror, project, progress=progress)
    _restore_overlaps(studio, mirror, project, record, before, progress)
    predictions = observe(studio, mirror, project, progress=progress)
    for version, count in ours.items():
        if fast or count <= _LARGE_VERSION:
            studio.delete_version(project, version)
            continue
        rows = [row.id for row in predictions if row.model_version == CONSENSUS_VERSION]
        for done, row in enumerate(rows, 1):
            studio.delete_prediction(row)
            progress("deleting consensus predictions", done, len(rows))
    for view in tabs + default:
        studio.delete_view(view)
    if "backend" in record:
        studio.remove_backend(project, record["backend"])
    mirror.set_published([])
    mirror.forget(_RECORD, _OPTIONS, "versions")
    return changes


def _names_a_backend(studio: Studio, project: int, model_version: str) -> bool:
    """Return whether a version is the title of a connected backend: Label Studio takes that as well."""
    return bool(model_version) and any(row.get("title") == model_version for row in studio.backends(project))


def _restore_overlaps(
    studio: Studio,
    mirror: ProjectMirror,
    project: int,
    record: Mapping[str, Any],
    before: Mapping[str, Any],
    progress: Progress,
) -> None:
    """Restore the project's settings, and the overlap of every task.

    Raising `maximum_annotations` rewrites, where any task has an overlap above 1, only those. Up and down to 1
    once makes all overlaps 1 in two requests, however many were reopened.
    """
    usual = int(before["maximum_annotations"])
    studio.update_project(project, maximum_annotations=usual + 1, model_version=before["model_version"])
    studio.update_project(project, maximum_annotations=1, model_version=before["model_version"])
    studio.update_project(project, **before)
    refresh_states(studio, mirror, project, progress=progress)
    annotators: dict[int, set[int]] = {}
    for annotation in mirror.annotations():
        if not annotation.was_cancelled:
            annotators.setdefault(annotation.task, set()).add(annotation.annotator)
    tasks = mirror.tasks()
    wanted = {int(task): overlap for task, overlap in record["overlaps"].items()}
    changes = [
        (task, wanted.get(task, usual))
        for task, overlap in zip(tasks.ids.tolist(), tasks.overlap.tolist(), strict=True)
        if overlap != wanted.get(task, usual)
    ]
    for done, (task, overlap) in enumerate(changes, 1):
        studio.set_task(task, overlap=overlap, is_labeled=len(annotators.get(task, ())) >= overlap)
        progress("restoring overlaps", done, len(changes))
