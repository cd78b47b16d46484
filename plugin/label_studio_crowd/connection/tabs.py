"""Our tabs of the Data Manager: the queue's, and two for reviewers.

Label Studio shows columns in an order of its own, the task's data last, and calls them what it likes. So what nobody
reads is hidden, and the data moves to the front. Of what the pages keep when they save a tab, only the names in the
widths of columns are free: a reviewer's tab is known by one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal

from label_studio_crowd.project import Project
from label_studio_crowd.studio.versions import CONSENSUS_VERSION, QUEUE_PREFIX

Kind = Literal["check", "settled"]

TITLES: Final[dict[Kind, str]] = {"check": "Crowd: to check", "settled": "Crowd: settled"}
"""The tabs for reviewers."""

_MARK: Final = "label_studio_crowd_tab:"
_MOST: Final = 20
"""Tasks to check at the most: Label Studio's pages have a filter by a task's number, and none by a list of numbers."""
_NOBODY: Final = -1
_WIDTHS: Final = {"tasks:id": 70, "tasks:annotators": 130, "tasks:predictions_results": 300}
_TEXT_WIDTH: Final = 400


def data_of(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a tab consists of, which is anything that somebody has put there."""
    data = view.get("data")
    return data if isinstance(data, Mapping) else {}


def widths_of(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the widths of a tab's columns, by their names; empty where these are no such thing."""
    widths = data_of(view).get("columnsWidth")
    return widths if isinstance(widths, Mapping) else {}


def next_tasks(columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the tab of the queue, the task that is served first on top. It does not show the consensus.

    Annotators see tabs, too: a consensus that they know before they label biases the next label.

    Parameters
    ----------
    columns
        The Data Manager's columns, as Label Studio describes them.
    """
    return {
        "title": "Crowd: next tasks",
        "ordering": ["tasks:predictions_score"],
        "filters": {"conjunction": "and", "items": [_of_version("contains", QUEUE_PREFIX)]},
        **_layout(columns, ("id", "total_annotations", "annotators", "predictions_score")),
    }


def review_tab(kind: Kind, columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a new tab for reviewers; "check" shows no task before `check_tasks` names some."""
    # a task has a consensus in Label Studio if it is settled or in the queue
    settled = [_of_version("contains", CONSENSUS_VERSION), _of_version("not_contains", QUEUE_PREFIX)]
    ordering, filters = "-tasks:completed_at", {"conjunction": "and", "items": settled}
    if kind == "check":
        ordering, filters = "tasks:id", _only(())
    layout = _layout(columns, ("id", "total_annotations", "annotators", "predictions_results"))
    layout["columnsWidth"][f"{_MARK}{kind}"] = 1
    return {"title": TITLES[kind], "ordering": [ordering], "filters": filters, **layout}


def review_tabs(views: Sequence[Mapping[str, Any]]) -> dict[Kind, Mapping[str, Any]]:
    """Return our tabs for reviewers. Of several of a kind the first: the others are copies that somebody made."""
    found: dict[Kind, Mapping[str, Any]] = {}
    for view in views:
        for kind in TITLES:
            if f"{_MARK}{kind}" in widths_of(view):
                found.setdefault(kind, view)
    return found


def check_tasks(project: Project, doubtful: Sequence[int]) -> None:
    """Let the tab "Crowd: to check" show tasks; leave it where somebody deleted it or gave it other filters.

    Parameters
    ----------
    doubtful
        Task ids, the most doubtful first.
    """
    view = review_tabs(project.studio.views(project.number)).get("check")
    shown = None if view is None else tasks_in(view)
    if view is None or shown is None:
        return
    wanted = to_check(doubtful, shown)
    if wanted != sorted(shown):
        project.studio.update_view(project.number, view["id"], {**data_of(view), "filters": _only(wanted)})


def to_check(doubtful: Sequence[int], shown: Collection[int]) -> list[int]:
    """Return the tasks to show, by their ids. Those that are shown already have some patience: less to write.

    Examples
    --------
    >>> to_check([7, 5], shown=[9])
    [5, 7]
    >>> to_check(range(100, 200), shown=[130])[-2:]
    [118, 130]
    """
    surely, others = doubtful[: _MOST // 2], doubtful[_MOST // 2 : 2 * _MOST]
    patient = sorted(others, key=lambda task: task not in shown)
    return sorted([*surely, *patient[: _MOST - len(surely)]])


def tasks_in(view: Mapping[str, Any]) -> list[int] | None:
    """Return the tasks that `check_tasks` let a tab show; None where its filters are somebody else's."""
    filters = data_of(view).get("filters")
    items = filters.get("items") if isinstance(filters, Mapping) else None
    values = [item.get("value") for item in items or () if isinstance(item, Mapping)]
    tasks = [value for value in values if isinstance(value, int)]
    if not tasks or filters != _only(tasks):
        return None
    return [task for task in tasks if task != _NOBODY]


def _only(tasks: Sequence[int]) -> dict[str, Any]:
    """Return the filter that lets nothing but these tasks through."""
    items = [_filter("id", "equal", "Number", task) for task in tasks or (_NOBODY,)]
    return {"conjunction": "or", "items": items}


def _of_version(operator: str, version: str) -> dict[str, Any]:
    return _filter("predictions_model_versions", operator, "List", [version])


def _filter(column: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}


def _layout(columns: Sequence[Mapping[str, Any]], shown: Collection[str]) -> dict[str, Any]:
    """Return which columns are hidden and how wide the others are: all of the tasks' data is shown.

    Only columns that Label Studio has are named: its pages break where a tab hides another.
    """
    own = [column for column in columns if not column.get("parent") and not column.get("children")]
    hidden = [column["id"] for column in own if column["id"] not in shown]
    beside = [column["id"] for column in own if not _shown_beside(column)]
    texts = [
        f"tasks:data.{column['id']}"
        for column in columns
        if column.get("parent") == "data" and column["type"] == "String" and _shown_beside(column)
    ]
    names = {
        "explore": [f"tasks:{name}" for name in hidden],
        "labeling": [f"tasks:{name}" for name in dict.fromkeys([*hidden, *beside])],
    }
    return {"hiddenColumns": names, "columnsWidth": {**_WIDTHS, **dict.fromkeys(texts, _TEXT_WIDTH)}}


def _shown_beside(column: Mapping[str, Any]) -> bool:
    """Return whether Label Studio shows a column beside the task that is labelled: of the data, what the config has."""
    return bool(column.get("visibility_defaults", {}).get("labeling"))
