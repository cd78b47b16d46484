"""Sets a project up for the queue, records what that changed, and puts it back.

The record is kept in the mirror and, in case the mirror is deleted, in our Data Manager tab.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from label_studio_crowd.access import basic_auth, webhook_headers
from label_studio_crowd.errors import UserError
from label_studio_crowd.exchange.plan import CONSENSUS_VERSION, QUEUE_PREFIX, is_ours
from label_studio_crowd.exchange.publish import observe
from label_studio_crowd.exchange.pull import look_up, refresh_states, update_mirror
from label_studio_crowd.feedback import Progress, silent
from label_studio_crowd.settings import Settings, is_own_code, load, parse_options
from label_studio_crowd.store.mirror import ProjectMirror
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.controls import find_control
from label_studio_crowd.studio.failures import StudioError

QUEUE_SETTINGS: Final[dict[str, Any]] = {
    "sampling": "Uncertainty sampling",
    "maximum_annotations": 1,
    "show_overlap_first": False,
}
"""What a project needs for annotators to be served in the order of the queue."""

_LABEL_STUDIOS_OWN: Final[dict[str, Any]] = {
    "sampling": "Sequential sampling",
    "maximum_annotations": 1,
    "show_overlap_first": False,
    "model_version": "",
}
"""Settings of a new project, for one whose record is lost."""

_RECORD: Final = "connection"
_TAB_MADE: Final = "tab_made"
_ENDING: Final = "ending"
_SETUP: Final = "setup"
_ADOPTED: Final = "adopted"
_DECLINED: Final = "declined_backends"
_MARK: Final = "label_studio_crowd:"
_LARGE_VERSION: Final = 500
"""Up to so many predictions a version is deleted in one transaction (about a second)."""


class NotConnectedError(UserError):
    """The project is not connected: nothing may be written."""


class BackendRemovedError(NotConnectedError):
    """The owner has removed our backend in the Model settings."""


Record = dict[str, Any]
"""settings, overlaps (of tasks that had their own) and options; default_view and backends that we made."""


def find_record(studio: Studio, mirror: ProjectMirror, project: int) -> Record | None:
    """Return what `connect` recorded, or None for a project that is not connected.

    The tab decides: without it the project was disconnected, from wherever, or is about to be; what it says may be
    newer than what this mirror knows. Only a `connect` that was stopped here has more in the mirror.
    """
    known: Record | None = mirror.recall(_RECORD)
    in_tab = _record_in(studio.views(project))
    if in_tab is not None and _ENDING in in_tab:
        return None
    if in_tab is not None and (known is None or _TAB_MADE in known):
        found = _trusted(in_tab, known)
        if found != known:
            mirror.remember(_RECORD, found)
        return found
    return known if in_tab is not None else None


def _trusted(in_tab: Record, known: Record | None) -> Record:
    """Return a tab's record without what a tab, which everybody may edit, must not decide.

    That is: code of one's own as the classifier, unless this mirror knows it, and options of no sense.
    """
    options = dict(in_tab["options"]) if isinstance(in_tab["options"], dict) else {}
    spec = options.get("classifier")
    if spec is not None and is_own_code(str(spec)) and (known is None or options_in(known).get("classifier") != spec):
        del options["classifier"]
    try:
        load(**options)
    except (UserError, TypeError):
        options = {}
    return {**in_tab, "options": options}


def options_in(record: Record | None) -> dict[str, Any]:
    """Return the options that `connect` was given."""
    return dict(record["options"]) if record else {}


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

    Options given now are remembered over those given before.

    Parameters
    ----------
    backend
        Address of an ML backend to connect as well.

    Raises
    ------
    UserError
        If the labeling config has no control that can be scored, or Label Studio refuses the backend.
    """
    changes = _set_up(studio, mirror, project, settings, backend=backend, dry_run=dry_run, progress=progress)
    if not dry_run:  # it is connected by hand from now on, whatever becomes of a backend in its Model settings
        mirror.forget(_SETUP, _ADOPTED)
    return changes


def _set_up(
    studio: Studio,
    mirror: ProjectMirror,
    project: int,
    settings: Settings,
    *,
    backend: str | None = None,
    dropped: Iterable[str] = (),
    dry_run: bool = False,
    progress: Progress = silent,
) -> list[str]:
    info = look_up(studio, mirror, project)
    views = studio.views(project)
    wrong = wrong_settings(info)
    record = _standing_record(studio, mirror, project, views, wrong)
    before_options = {name: value for name, value in options_in(record).items() if name not in set(dropped)}
    options = {**before_options, **settings.options()}
    find_control(info["label_config"], settings.over(options).control)
    changes = [f"{name}: {found!r} → {needed!r}" for name, (found, needed) in wrong.items()]
    if _record_in(views) is None:
        changes.append("Data Manager tab 'Crowd: next tasks' added" + (", and 'Default' beside it" * (not views)))
    connected = [row["url"].rstrip("/") for row in studio.backends(project)]
    missing = backend is not None and backend.rstrip("/") not in connected
    if missing:
        changes.append(f"ML backend {backend} connected")
    if options != options_in(record):
        changes.append("remembered: " + ", ".join(f"{name} = {value!r}" for name, value in options.items()))
    if dry_run:
        return changes

    # All that is needed to put things back is recorded before the first of them is changed.
    before = mirror.recall(_RECORD)
    if record is None:
        update_mirror(studio, mirror, project, progress=progress)
        refresh_states(studio, mirror, project, progress=progress)
        record = _new_record(studio, mirror, project, info)
    record = {**record, "options": options, "backends": [*record.get("backends", []), *[backend] * missing]}
    record.pop(_TAB_MADE, None)
    record.pop(_ENDING, None)
    mirror.remember(_RECORD, record)
    if missing and backend is not None:
        user, password = basic_auth(settings)
        try:
            studio.add_backend(project, backend, user, password)
        except StudioError:
            mirror.remember(_RECORD, before)
            raise
        # Label Studio makes the backend's title the model version where there was none
        studio.update_project(project, model_version=info["model_version"] or "")
    if backend is not None:
        studio.secure_webhook(project, backend, webhook_headers(settings))
        mirror.forget(_DECLINED)
    if not views:  # Label Studio shows its own first tab only as long as there is no other
        record["default_view"] = studio.create_view(project, {"title": "Default"})
        mirror.remember(_RECORD, record)
    record[_TAB_MADE] = True
    _keep_in_tab(studio, project, views, record)
    mirror.remember(_RECORD, record)
    if wrong:
        studio.update_project(project, **QUEUE_SETTINGS, **_kept_version(info))
    refresh_states(studio, mirror, project, progress=progress)
    return changes


def adopt(studio: Studio, mirror: ProjectMirror, project: int, settings: Settings, *, anew: bool = False) -> None:
    """Connect a project whose owner added our backend in its Model settings, with the options given there.

    Parameters
    ----------
    mirror
        `remember_setup` has noted that somebody said so; what is done is what Label Studio says.
    anew
        See to it that the webhook carries the secret, even if nothing is new.

    Raises
    ------
    BackendRemovedError
        If the owner has removed it there again.
    UserError
        If the options make no sense.
    """
    asked = mirror.recall(_SETUP)
    if asked is None:
        return
    info = look_up(studio, mirror, project)
    if mirror.recall(_SETUP) is None:  # the notes were of an older project of this number
        if not _is_of(asked["uid"], info):
            return
        mirror.remember(_SETUP, asked)
    declined, done = mirror.recall(_DECLINED) or [], mirror.recall(_ADOPTED)
    ours = [
        row
        for row in studio.backends(project)
        if row["created_at"] not in declined
        and (row["model_version"] == CONSENSUS_VERSION or urlsplit(row["url"]).netloc == asked["host"])
    ]
    if not ours and done is None:  # looked at before it was added, or removed before it was seen to
        return
    if not ours:
        raise BackendRemovedError(
            f"Project {project}: its ML backend was removed in Label Studio, so nothing is scored or published any "
            f"more. `label-studio-crowd disconnect --project {project}` puts its settings back."
        )
    options = parse_options(ours[-1]["extra_params"])
    found = {"backends": [row["created_at"] for row in ours], "options": options}
    if found != done:
        dropped = set(done["options"] if done else ()) - set(options)
        _set_up(studio, mirror, project, settings.model_copy(update=options), dropped=dropped)
        mirror.remember(_ADOPTED, found)
    if found != done or anew:
        for row in ours:
            studio.secure_webhook(project, row["url"], webhook_headers(settings))


def remember_setup(mirror: ProjectMirror, uid: str, options: Mapping[str, Any], host: str) -> bool:
    """Note that somebody set our backend up for a project; return whether that is news.

    Parameters
    ----------
    uid
        The project as Label Studio names it: its number and when it was created.
    options
        The extra parameters of the Model settings.
    host
        The address by which we were reached.
    """
    said = {"uid": uid, "options": dict(options), "host": host}
    if mirror.recall(_SETUP) == said:
        return False
    mirror.remember(_SETUP, said)
    return True


def _is_of(uid: str, info: Mapping[str, Any]) -> bool:
    """Return whether Label Studio's name of a project ("17.1795211437") is that of this one."""
    created = datetime.fromisoformat(str(info["created_at"]).replace("Z", "+00:00"))
    return uid.partition(".")[2] in ("", str(int(created.timestamp())))


def _standing_record(
    studio: Studio,
    mirror: ProjectMirror,
    project: int,
    views: Sequence[Mapping[str, Any]],
    wrong: Mapping[str, Any],
) -> Record | None:
    """Return the record to go on with; None if the mirror's is of a connection that ended elsewhere."""
    in_tab = _record_in(views)
    known: Record | None = mirror.recall(_RECORD)
    if known is not None and _TAB_MADE in known:
        if in_tab is not None:
            return _trusted(in_tab, known)
        changed_nothing = all(known["settings"][name] == value for name, value in QUEUE_SETTINGS.items())
        if wrong or changed_nothing:
            # somebody deleted the tab, or disconnected: then our predictions are gone, too
            return known if any(map(is_ours, studio.model_versions(project))) else None
    return known if known is not None or in_tab is None else _trusted(in_tab, None)


def _new_record(studio: Studio, mirror: ProjectMirror, project: int, info: Mapping[str, Any]) -> Record:
    if any(map(is_ours, studio.model_versions(project))):
        # connected once, and both copies of the record are lost: what is found is ours, not the owner's
        return {"settings": _LABEL_STUDIOS_OWN, "overlaps": {}}
    tasks = mirror.tasks()
    special = tasks.overlap != info["maximum_annotations"]
    overlaps = dict(zip(map(str, tasks.ids[special].tolist()), tasks.overlap[special].tolist(), strict=True))
    settings = {name: info[name] for name in _LABEL_STUDIOS_OWN}
    # where there was no version, Label Studio makes it the title of a backend that is added, as ours may just have been
    ours = [row["title"] for row in studio.backends(project) if row["model_version"] == CONSENSUS_VERSION]
    if settings["model_version"] in ours:
        settings["model_version"] = ""
    return {"settings": settings, "overlaps": overlaps}


def _kept_version(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model version to name in a change of settings.

    With `show_collab_predictions` off, Label Studio blanks the version in every change that does not name it.
    """
    if info["show_collab_predictions"] or not info["model_version"]:
        return {}
    return {"model_version": info["model_version"]}


def _record_in(views: Sequence[Mapping[str, Any]]) -> Record | None:
    """Return the record that our tab carries, or None without one.

    It is a name in the widths of columns: the one place that Label Studio's pages keep when they save a tab.
    """
    for view in views:
        for name in view["data"].get("columnsWidth") or {}:
            if name.startswith(_MARK):
                try:
                    found = json.loads(name.removeprefix(_MARK))
                except ValueError:
                    continue
                if isinstance(found, dict) and {"settings", "overlaps", "options"} <= set(found):
                    return found
    return None


def _keep_in_tab(studio: Studio, project: int, views: Sequence[Mapping[str, Any]], record: Record) -> None:
    """Write the record into our tab; make the tab where there is none."""
    widths = {_MARK + json.dumps(record, separators=(",", ":")): 1}
    ours = _our_views(views)
    for view in ours:
        if _record_in([view]) != record:
            studio.update_view(project, view["id"], {**view["data"], "columnsWidth": widths})
    if not ours:
        queued = {
            "filter": "filter:tasks:predictions_model_versions",
            "operator": "contains",
            "type": "List",
            "value": [QUEUE_PREFIX],
        }
        data = {
            "title": "Crowd: next tasks",
            "ordering": ["tasks:predictions_score"],
            "filters": {"conjunction": "and", "items": [queued]},
            "columnsWidth": widths,
        }
        studio.create_view(project, data)


def _our_views(views: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [view for view in views if _record_in([view]) is not None]


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
    record = _standing_record(studio, mirror, project, views, wrong_settings(info))
    if record is None:
        raise UserError(
            f"Project {project} is not connected: neither this store nor the project records what it was before. "
            "Nothing was changed."
        )
    update_mirror(studio, mirror, project, progress=progress)
    if not dry_run:
        observe(studio, mirror, project, progress=progress)  # an import under way ends before we count
    versions = studio.model_versions(project)
    before = dict(record["settings"])
    if before["model_version"] not in versions and not _names_a_backend(studio, project, before["model_version"]):
        before["model_version"] = ""
    ours = {version: state.count for version, state in versions.items() if is_ours(version)}
    tabs = [
        view["id"]
        for view in views
        if view["id"] == record.get("default_view") and view["data"].get("title") == "Default"
    ]
    tabs += [view["id"] for view in _our_views(views)]  # last: they say that there is something to put back
    overlaps = _overlaps(mirror, record, int(before["maximum_annotations"]))
    changes = [f"{name}: {info[name]!r} → {value!r}" for name, value in before.items() if info[name] != value]
    changes += [f"overlap of {len(overlaps)} tasks put back"] * bool(overlaps)
    changes += [f"{count} predictions of {version} deleted" for version, count in ours.items()]
    changes += [f"{len(tabs)} Data Manager tabs deleted"] * bool(tabs)
    changes += [f"ML backend {backend} removed" for backend in record.get("backends", [])]
    staying = [row["url"] for row in studio.backends(project) if row["model_version"] == CONSENSUS_VERSION]
    made = [backend.rstrip("/") for backend in record.get("backends", [])]
    changes += [
        f"ML backend {url} stays where it was added: remove it in the Model settings"
        for url in staying
        if url.rstrip("/") not in made
    ]
    if dry_run:
        return changes

    if _our_views(views):  # a service that the first change wakes must not begin anew
        _keep_in_tab(studio, project, views, {**record, _ENDING: True})
    _restore(studio, mirror, project, record, before, info["skip_queue"] == "IGNORE_SKIPPED", progress)
    for version, count in ours.items():
        if fast or count <= _LARGE_VERSION:
            studio.delete_version(project, version)
            continue
        rows = [row.id for row in mirror.published() if row.model_version == CONSENSUS_VERSION]
        for done, row in enumerate(rows, 1):
            studio.delete_prediction(row)
            progress("deleting consensus predictions", done, len(rows))
    if left := [version for version in studio.model_versions(project) if is_ours(version)]:
        raise UserError(f"Predictions of {', '.join(left)} came in meanwhile: run disconnect again.")
    for backend in record.get("backends", []):
        studio.remove_backend(project, backend)
    if asked := mirror.recall(_SETUP):
        studio.remove_left_webhooks(project, asked["host"])
    for view in tabs:
        studio.delete_view(view)
    mirror.set_published([])
    mirror.drop_snapshot()
    # a backend that stays must not connect the project again when its page is next looked at; on SQLite, another
    # that is added later may get the same id
    mirror.remember(_DECLINED, [row["created_at"] for row in studio.backends(project)])
    mirror.forget(_RECORD, _SETUP, _ADOPTED, "versions")
    return changes


def _names_a_backend(studio: Studio, project: int, model_version: str) -> bool:
    """Return whether a version is the title of a connected backend: Label Studio takes that as well."""
    return bool(model_version) and any(row.get("title") == model_version for row in studio.backends(project))


def _overlaps(mirror: ProjectMirror, record: Record, usual: int) -> list[tuple[int, int]]:
    """Return (task, overlap) of the tasks whose overlap is not what it was."""
    tasks = mirror.tasks()
    wanted = {int(task): overlap for task, overlap in record["overlaps"].items()}
    return [
        (task, wanted.get(task, usual))
        for task, overlap in zip(tasks.ids.tolist(), tasks.overlap.tolist(), strict=True)
        if overlap != wanted.get(task, usual)
    ]


def _restore(
    studio: Studio,
    mirror: ProjectMirror,
    project: int,
    record: Record,
    before: Mapping[str, Any],
    skips_count: bool,
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
        if skips_count or not annotation.was_cancelled:
            annotators.setdefault(annotation.task, set()).add(annotation.annotator)
    changes = _overlaps(mirror, record, usual)
    for done, (task, overlap) in enumerate(changes, 1):
        studio.set_task(task, overlap=overlap, is_labeled=len(annotators.get(task, ())) >= overlap)
        progress("restoring overlaps", done, len(changes))
