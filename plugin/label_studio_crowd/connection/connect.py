"""Sets a project up for the queue; what it takes to put it back is recorded before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from label_studio_crowd.access import basic_auth, webhook_headers
from label_studio_crowd.connection.adoption import Adopted, Declined, Setup
from label_studio_crowd.connection.fitting import refuse_unfit_classifier
from label_studio_crowd.connection.record import (
    QUEUE_SETTINGS,
    Record,
    keep_in_tab,
    options_in,
    our_views,
    standing_record,
    wrong_settings,
)
from label_studio_crowd.connection.releases import refuse_old
from label_studio_crowd.connection.tabs import TITLES, Kind, review_tab, review_tabs
from label_studio_crowd.exchange.models import models_of
from label_studio_crowd.exchange.pull import look_up, refresh_states
from label_studio_crowd.project import Project
from label_studio_crowd.scoring import classifiers
from label_studio_crowd.settings import DEFAULT_MAX_LABELS
from label_studio_crowd.store.webhook_secret import known_secret
from label_studio_crowd.studio.controls import find_controls
from label_studio_crowd.studio.failures import StudioError
from label_studio_crowd.studio.versions import CONSENSUS_VERSION, is_ours

_LABEL_STUDIOS_OWN: Final[dict[str, Any]] = {
    "sampling": "Sequential sampling",
    "maximum_annotations": 1,
    "show_overlap_first": False,
    "model_version": "",
}
"""Settings of a new project, for one whose record is lost."""


def connect(project: Project, *, backend: str | None = None, dry_run: bool = False) -> list[str]:
    """Set a project up and return, in words, what was changed (with `dry_run`: what would be).

    Options given now are remembered over those given before. The project's maximum of annotations, if it is above 1,
    becomes `max_labels` unless that is given.

    Parameters
    ----------
    backend
        Address of an ML backend to connect as well.

    Raises
    ------
    UserError
        If Label Studio is too old, the labeling config has no control that can be scored, the classifier does not
        exist or names data fields that no task has, or Label Studio refuses the backend.
    """
    change = _find_change(project, backend=backend, asked=True)
    if not dry_run:
        _make_change(project, change)
        # it is connected by hand from now on, whatever becomes of a backend in its Model settings
        project.store.facts.forget(Setup, Adopted)
    return change.in_words()


def connect_anew(project: Project, *, dropped: Iterable[str]) -> None:
    """Set a project up as `connect` does, for a backend in its Model settings.

    Parameters
    ----------
    dropped
        Options that were given there before, and are no more.
    """
    _make_change(project, _find_change(project, dropped=dropped))


@dataclass(frozen=True)
class _Change:
    """What is to be changed.

    Attributes
    ----------
    info, views
        The project's settings and tabs in Label Studio, as they are.
    record
        What is recorded of it; None if it is not connected.
    wrong
        From `wrong_settings`.
    options
        Those to remember.
    backend
        The one that was named, if any; `adds_backend` says whether it is missing there.
    adds_tabs, drops_tabs
        Tabs for reviewers to add, and those to remove.
    """

    info: Mapping[str, Any]
    views: Sequence[Mapping[str, Any]]
    record: Record | None
    wrong: Mapping[str, tuple[Any, Any]]
    options: Mapping[str, Any]
    backend: str | None
    adds_backend: bool
    adds_tabs: Sequence[Kind]
    drops_tabs: Mapping[Kind, Mapping[str, Any]]

    def in_words(self) -> list[str]:
        """Return what is changed, a line each."""
        changes = [f"{name}: {found!r} → {needed!r}{self._why(name)}" for name, (found, needed) in self.wrong.items()]
        if not our_views(self.views):
            beside = ", and 'Default' beside it" * (not self.views)
            changes.append(f"Data Manager tab 'Crowd: next tasks' added{beside}")
        changes += [f"Data Manager tab {TITLES[kind]!r} added" for kind in self.adds_tabs]
        changes += [f"Data Manager tab {TITLES[kind]!r} deleted" for kind in self.drops_tabs]
        if self.adds_backend:
            changes.append(f"ML backend {self.backend} connected")
        before = options_in(self.record)
        news = [f"{name} = {value!r}" for name, value in self.options.items() if (name, value) not in before.items()]
        gone = [name for name in before if name not in self.options]
        changes += [f"remembered: {', '.join(news)}"] * bool(news) + [f"forgotten: {', '.join(gone)}"] * bool(gone)
        return changes

    def _why(self, name: str) -> str:
        """Return what a setting is changed for, as an addition."""
        if name == "maximum_annotations":
            most = self.options.get("max_labels", DEFAULT_MAX_LABELS)
            return f" (tasks that need more labels open again one by one, up to max_labels = {most})"
        return " (annotators get the tasks in the order of the queue)" if name == "sampling" else ""


def _find_change(
    project: Project, *, backend: str | None = None, dropped: Iterable[str] = (), asked: bool = False
) -> _Change:
    refuse_old(project.studio.version())
    info, views = look_up(project), project.studio.views(project.number)
    wrong = wrong_settings(info)
    record, gone = standing_record(project, views, wrong), set(dropped)
    kept = {name: value for name, value in options_in(record).items() if name not in gone}
    options = {**_usual(info, record), **kept, **project.settings.options()}
    settings = project.settings.over(options)
    controls = find_controls(info["label_config"], settings.names("control"), settings.names("ordered"))
    models_of(settings)
    versions = project.studio.model_versions(project.number)
    classifiers.refuse_unknown(settings.classifier, {name: state.count for name, state in versions.items()})
    refuse_unfit_classifier(project, settings.classifier, controls)
    connected = [row["url"].rstrip("/") for row in project.studio.backends(project.number)]
    missing = backend is not None and backend.rstrip("/") not in connected
    there, had_tabs = review_tabs(views), bool(options_in(record).get("review_tabs"))
    asks_again = not had_tabs or _was_stopped(record) or (asked and project.settings.review_tabs)
    return _Change(
        info=info,
        views=views,
        record=record,
        wrong=wrong,
        options=options,
        backend=backend,
        adds_backend=missing,
        # one that somebody deleted stays so, until it is asked for again
        adds_tabs=[kind for kind in TITLES if settings.review_tabs and asks_again and kind not in there],
        drops_tabs=there if had_tabs and not settings.review_tabs else {},
    )


def _was_stopped(record: Record | None) -> bool:
    return record is not None and not record.tab_made


def _usual(info: Mapping[str, Any], record: Record | None) -> dict[str, Any]:
    """Return the options that a project's own settings ask for, when it is connected for the first time."""
    several = record is None and info["maximum_annotations"] > 1
    return {"max_labels": info["maximum_annotations"]} if several else {}


def _make_change(project: Project, change: _Change) -> None:
    """Change the project. All that is needed to undo this is recorded before the first change."""
    before = project.store.facts.read(Record)
    record = change.record or _new_record(project, change.info)
    added = (change.backend,) if change.adds_backend and change.backend else ()
    record = replace(record, options=change.options, backends=(*record.backends, *added), tab_made=False, ending=False)
    project.store.facts.write(record)
    if change.backend is not None:
        _connect_backend(project, change, change.backend, before)
    if not change.views:  # Label Studio shows its own first tab only as long as there is no other
        record = replace(record, default_view=project.studio.create_view(project.number, {"title": "Default"}))
        project.store.facts.write(record)
    record = replace(record, tab_made=True)
    record = replace(record, tab=keep_in_tab(project, change.views, record))
    _change_review_tabs(project, change)
    project.store.facts.write(record)
    if change.wrong:
        project.studio.update_project(project.number, **QUEUE_SETTINGS, **_kept_version(change.info))
    refresh_states(project)


def _change_review_tabs(project: Project, change: _Change) -> None:
    columns = project.studio.columns(project.number) if change.adds_tabs else ()
    for kind in change.adds_tabs:
        project.studio.create_view(project.number, review_tab(kind, columns))
    for view in change.drops_tabs.values():
        project.studio.delete_view(view["id"])


def _connect_backend(project: Project, change: _Change, backend: str, before: Record | None) -> None:
    """Add the backend where it is missing, and let its webhook carry the secret; on a refusal keep the old record."""
    studio = project.studio
    if change.adds_backend:
        user, password = basic_auth(project.settings)
        try:
            studio.add_backend(project.number, backend, user, password)
        except StudioError:
            if before is None:
                project.store.facts.forget(Record)
            else:
                project.store.facts.write(before)
            raise
        # Label Studio makes the backend's title the model version where there was none
        studio.update_project(project.number, model_version=change.info["model_version"] or "")
    secret = known_secret(project.store.store, project.settings)  # "" where the backend has a store of its own
    studio.secure_webhook(project.number, backend, webhook_headers(secret))
    project.store.facts.forget(Declined)


def _new_record(project: Project, info: Mapping[str, Any]) -> Record:
    """Return the record of a project that was not connected so far."""
    if any(map(is_ours, project.studio.model_versions(project.number))):
        # connected once, and both copies of the record are lost: what is found is ours, not the owner's
        return Record(_LABEL_STUDIOS_OWN, {})
    rows = (row for page in project.studio.task_states(project.number, project.progress) for row in page)
    overlaps = {str(row["id"]): row["overlap"] for row in rows if row["overlap"] != info["maximum_annotations"]}
    settings = {name: info[name] for name in _LABEL_STUDIOS_OWN}
    # where there was no version, Label Studio makes it the title of a backend that is added, as ours may just have been
    backends = project.studio.backends(project.number)
    if settings["model_version"] in [row["title"] for row in backends if row["model_version"] == CONSENSUS_VERSION]:
        settings["model_version"] = ""
    return Record(settings, overlaps)


def _kept_version(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model version to name in a change of settings.

    With `show_collab_predictions` off, Label Studio blanks the version in every change that does not name it.
    """
    if info["show_collab_predictions"] or not info["model_version"]:
        return {}
    return {"model_version": info["model_version"]}
