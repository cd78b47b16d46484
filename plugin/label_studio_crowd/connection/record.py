"""What a project was before we changed it, and what we made in it; kept in the store and in our Data Manager tab.

The tab's copy serves where the store was deleted, or is on another machine. Everybody may edit a tab: so the store's
own record comes first, and of a tab's nothing is put back but settings that `connect` changes, with values that Label
Studio allows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from label_studio_crowd.connection.tabs import data_of, next_tasks, widths_of
from label_studio_crowd.errors import UserError
from label_studio_crowd.project import Project
from label_studio_crowd.settings import is_own_code, load
from label_studio_crowd.store.facts import Fact
from label_studio_crowd.studio.versions import is_ours

QUEUE_SETTINGS: Final[dict[str, Any]] = {
    "sampling": "Uncertainty sampling",
    "maximum_annotations": 1,
    "show_overlap_first": False,
}
"""What a project needs for annotators to be served in the order of the queue."""

_MARK: Final = "label_studio_crowd:"
_LARGEST: Final = 2**31 - 1


class NotConnectedError(UserError):
    """The project is not connected: nothing may be written."""


class RecordError(UserError):
    """What says that the project is connected is not as it should be: nothing may be written before that is mended."""


def _tab_deleted(project: int) -> RecordError:
    return RecordError(
        f"Project {project}: the Data Manager tab 'Crowd: next tasks' was deleted. So nothing is scored or published "
        "any more, and annotators go on with the queue as it was then. `label-studio-crowd connect "
        f"{project}` makes the tab again; `disconnect` puts everything back."
    )


def _ending(project: int) -> RecordError:
    return RecordError(
        f"Project {project}: a disconnect was begun and has not ended, so nothing is scored or published. Let it end, "
        f"or run `label-studio-crowd disconnect {project}` again; `connect` goes on instead."
    )


class _Before(BaseModel):
    """The settings that are put back, with what Label Studio allows them to be."""

    model_config = ConfigDict(strict=True)

    sampling: Literal["Sequential sampling", "Uniform sampling", "Uncertainty sampling"]
    maximum_annotations: int = Field(ge=1, le=_LARGEST - 1)
    show_overlap_first: bool
    model_version: str | None = Field(max_length=1000)


class _Kept(BaseModel):
    """A record as JSON."""

    model_config = ConfigDict(strict=True)

    settings: _Before
    overlaps: dict[Annotated[str, Field(pattern="^[0-9]{1,18}$")], Annotated[int, Field(ge=1, le=_LARGEST)]]
    options: dict[str, Any]
    backends: tuple[str, ...] = Field((), strict=False)
    default_view: int | None = None
    tab_made: bool = False
    ending: bool = False


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
    tab
        Id of our tab; only the store keeps it.
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
    tab: int | None = None

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
    def from_json(cls, kept: Any) -> Record:
        """Return what `as_json` gave.

        Raises
        ------
        UserError
            If it is not that; the message names the part that is wrong.
        """
        try:
            found = _Kept.model_validate(kept)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "it"
            raise UserError(f"{where[:100]}: {first['msg']}") from None
        return cls(**{**dict(found), "settings": found.settings.model_dump()})


def find_record(project: Project) -> Record | None:
    """Return what `connect` recorded, or None for a project that is not connected.

    The tab decides: without it the project was disconnected, from wherever, or is about to be. Only a `connect` that
    was stopped here has more in the store.

    Raises
    ------
    RecordError
        If the tab is gone, or says that a `disconnect` is under way, and our predictions are there still; or if nothing
        but a tab has a record, and that is not one of ours.
    """
    known, view = project.store.facts.read(Record), _our_view(project.studio.views(project.number))
    if view is None or _ends(view):
        if known is not None and known.tab_made and any(map(is_ours, project.studio.model_versions(project.number))):
            raise _tab_deleted(project.number) if view is None else _ending(project.number)
        return None
    if known is not None and not known.tab_made:
        return known
    found = _first_of(known, view)
    if found != known:
        project.store.facts.write(found)
    return found


def standing_record(project: Project, views: Sequence[Mapping[str, Any]], wrong: Mapping[str, Any]) -> Record | None:
    """Return the record to go on with; None if the store's is of a connection that ended elsewhere.

    Parameters
    ----------
    views
        The project's tabs.
    wrong
        From `wrong_settings`.

    Raises
    ------
    RecordError
        If nothing but a tab has a record, and that is not one of ours.
    """
    known, view = project.store.facts.read(Record), _our_view(views)
    if known is None or not known.tab_made:
        return known if known is not None or view is None else _first_of(None, view)
    if view is not None:
        return _first_of(known, view)
    changed_nothing = all(known.settings[name] == value for name, value in QUEUE_SETTINGS.items())
    if wrong or changed_nothing:
        # somebody deleted the tab, or disconnected: then our predictions are gone, too
        return known if any(map(is_ours, project.studio.model_versions(project.number))) else None
    return known


def _first_of(known: Record | None, view: Mapping[str, Any]) -> Record:
    """Return the store's record, with the tab's options; the tab's own where it was made by another machine, later."""
    try:
        in_tab = _read(view)
    except UserError as error:
        if known is not None:
            return known
        raise RecordError(
            "The Data Manager tab 'Crowd: next tasks' has a record of the project's earlier settings that is not as "
            f"this program wrote it ({error}), and this store has none: nothing was changed. Run the command with the "
            "store that the project was connected with; or delete the tab, run connect, and set the project's settings "
            "by hand."
        ) from None
    if known is None or known.tab not in (None, view["id"]):
        return replace(_trusted(in_tab, known), tab_made=True, tab=view["id"])
    return replace(known, options=_trusted(in_tab, known).options, tab=view["id"])


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


def our_views(views: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the tabs that carry a record, be it as we wrote it or not."""
    return [view for view in views if _text(view) is not None]


def _our_view(views: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return next(iter(our_views(views)), None)


def _text(view: Mapping[str, Any]) -> str | None:
    """Return the record that a tab carries, as it is written there; None without one.

    It is a name in the widths of columns: the one place that Label Studio's pages keep when they save a tab.
    """
    return next((name.removeprefix(_MARK) for name in widths_of(view) if name.startswith(_MARK)), None)


def _read(view: Mapping[str, Any]) -> Record:
    try:
        kept = json.loads(_text(view) or "")
    except (ValueError, RecursionError):
        raise UserError("it is not JSON") from None
    return Record.from_json(kept)


def _ends(view: Mapping[str, Any]) -> bool:
    try:
        return _read(view).ending
    except UserError:
        return False


def keep_in_tab(project: Project, views: Sequence[Mapping[str, Any]], record: Record) -> int:
    """Write a record into our tab, and return the tab's id; make the tab where there is none."""
    text = json.dumps(record.as_json(), separators=(",", ":"))
    ours = our_views(views)
    for view in ours:
        if _text(view) != text:
            project.studio.update_view(project.number, view["id"], _with_text(data_of(view), widths_of(view), text))
    if ours:
        return int(ours[0]["id"])
    tab = next_tasks(project.studio.columns(project.number))
    return project.studio.create_view(project.number, _with_text(tab, tab["columnsWidth"], text))


def _with_text(tab: Mapping[str, Any], widths: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return a tab that carries a record, in the place of the one that it carries."""
    kept = {name: width for name, width in widths.items() if not name.startswith(_MARK)}
    return {**tab, "columnsWidth": {**kept, _MARK + text: 1}}
