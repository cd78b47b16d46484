"""What a project was before we changed it, and what we made in it; kept in the store and in our Data Manager tab.

The tab's copy serves where the store was deleted, or is on another machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from label_studio_crowd.errors import UserError
from label_studio_crowd.project import Project
from label_studio_crowd.settings import is_own_code, load
from label_studio_crowd.store.facts import Fact
from label_studio_crowd.studio.versions import QUEUE_PREFIX, is_ours

QUEUE_SETTINGS: Final[dict[str, Any]] = {
    "sampling": "Uncertainty sampling",
    "maximum_annotations": 1,
    "show_overlap_first": False,
}
"""What a project needs for annotators to be served in the order of the queue."""

_MARK: Final = "label_studio_crowd:"


class NotConnectedError(UserError):
    """The project is not connected: nothing may be written."""


@dataclass(frozen=True)
class Record(Fact):
    """What `connect` changed, and what it made.

    Attributes
    ----------
    settings
        The project's settings in Label Studio, as they were.
    overlaps
        Overlaps of the tasks that had one of their own, by the task's id as text.
    options
        Those that `connect` was given.
    backends
        Addresses of the ML backends that we connected.
    default_view
        Id of the tab "Default", if we made it.
    tab_made
        Our tab has a copy of this.
    ending
        `disconnect` is under way.
    """

    fact = "connection"

    settings: Mapping[str, Any]
    overlaps: Mapping[str, int]
    options: Mapping[str, Any] = field(default_factory=dict)
    backends: tuple[str, ...] = ()
    default_view: int | None = None
    tab_made: bool = False
    ending: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as our tab keeps it: what is not so is left out, for releases before this one."""
        found = {
            "settings": dict(self.settings),
            "overlaps": dict(self.overlaps),
            "options": dict(self.options),
            "backends": list(self.backends),
        }
        later = {"default_view": self.default_view, "tab_made": self.tab_made, "ending": self.ending}
        return found | {name: value for name, value in later.items() if value}

    @classmethod
    def from_json(cls, kept: Any) -> Record | None:
        """Return what `as_json` gave; None for anything else."""
        if not isinstance(kept, Mapping) or not {"settings", "overlaps", "options"} <= set(kept):
            return None
        settings, overlaps, options = (kept[name] for name in ("settings", "overlaps", "options"))
        if not isinstance(settings, Mapping) or not isinstance(overlaps, Mapping):
            return None
        return cls(
            settings=settings,
            overlaps=overlaps,
            options=options if isinstance(options, Mapping) else {},
            backends=tuple(kept.get("backends", ())),
            default_view=kept.get("default_view"),
            tab_made="tab_made" in kept,
            ending="ending" in kept,
        )


def find_record(project: Project) -> Record | None:
    """Return what `connect` recorded, or None for a project that is not connected.

    The tab decides: without it the project was disconnected, from wherever, or is about to be; what it says may be
    newer than what this store knows. Only a `connect` that was stopped here has more in the store.
    """
    known, in_tab = project.store.facts.read(Record), record_in(project.studio.views(project.number))
    if in_tab is not None and in_tab.ending:
        return None
    if in_tab is not None and (known is None or known.tab_made):
        found = _trusted(in_tab, known)
        if found != known:
            project.store.facts.write(found)
        return found
    return known if in_tab is not None else None


def standing_record(project: Project, views: Sequence[Mapping[str, Any]], wrong: Mapping[str, Any]) -> Record | None:
    """Return the record to go on with; None if the store's is of a connection that ended elsewhere.

    Parameters
    ----------
    views
        The project's tabs.
    wrong
        From `wrong_settings`.
    """
    known, in_tab = project.store.facts.read(Record), record_in(views)
    if known is None or not known.tab_made:
        return known if known is not None or in_tab is None else _trusted(in_tab, None)
    if in_tab is not None:
        return _trusted(in_tab, known)
    changed_nothing = all(known.settings[name] == value for name, value in QUEUE_SETTINGS.items())
    if wrong or changed_nothing:
        # somebody deleted the tab, or disconnected: then our predictions are gone, too
        return known if any(map(is_ours, project.studio.model_versions(project.number))) else None
    return known


def _trusted(in_tab: Record, known: Record | None) -> Record:
    """Return a tab's record without what a tab, which everybody may edit, must not decide.

    That is: code of one's own as the classifier, unless this store knows it, and options that are not valid.
    """
    options = dict(in_tab.options)
    spec = options.get("classifier")
    if spec is not None and is_own_code(str(spec)) and options_in(known).get("classifier") != spec:
        del options["classifier"]
    try:
        load(**options)
    except (UserError, TypeError):
        options = {}
    return replace(in_tab, options=options)


def options_in(record: Record | None) -> dict[str, Any]:
    """Return the options that `connect` was given."""
    return dict(record.options) if record else {}


def wrong_settings(info: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the settings of a project that keep the queue from being served: name → (found, needed)."""
    return {name: (info[name], value) for name, value in QUEUE_SETTINGS.items() if info[name] != value}


def record_in(views: Sequence[Mapping[str, Any]]) -> Record | None:
    """Return the record that our tab carries, or None without one.

    It is a name in the widths of columns: the one place that Label Studio's pages keep when they save a tab.
    """
    for view in views:
        for name in view["data"].get("columnsWidth") or {}:
            if name.startswith(_MARK) and (found := _read(name.removeprefix(_MARK))) is not None:
                return found
    return None


def _read(text: str) -> Record | None:
    try:
        return Record.from_json(json.loads(text))
    except ValueError:
        return None


def our_views(views: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the tabs that carry a record."""
    return [view for view in views if record_in([view]) is not None]


def keep_in_tab(project: Project, views: Sequence[Mapping[str, Any]], record: Record) -> None:
    """Write a record into our tab; make the tab where there is none."""
    widths = {_MARK + json.dumps(record.as_json(), separators=(",", ":")): 1}
    ours = our_views(views)
    for view in ours:
        if record_in([view]) != record:
            project.studio.update_view(project.number, view["id"], {**view["data"], "columnsWidth": widths})
    if not ours:
        project.studio.create_view(project.number, {**_NEXT_TASKS, "columnsWidth": widths})


_NEXT_TASKS: Final[dict[str, Any]] = {
    "title": "Crowd: next tasks",
    "ordering": ["tasks:predictions_score"],
    "filters": {
        "conjunction": "and",
        "items": [
            {
                "filter": "filter:tasks:predictions_model_versions",
                "operator": "contains",
                "type": "List",
                "value": [QUEUE_PREFIX],
            }
        ],
    },
}
