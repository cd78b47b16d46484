"""What an ML backend does, without HTTP: it reads what workers stored, and marks the projects that events name.

Nothing is fetched here, and nothing scored; only tasks that no run has seen are put to the model at hand.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from label_studio_crowd.access import SECRET_HEADER, has_password, is_made, new_secret, set_secret
from label_studio_crowd.connection.adopt import remember_setup
from label_studio_crowd.connection.adoption import Setup
from label_studio_crowd.errors import UserError
from label_studio_crowd.runs.situation import project_settings, seen_settings
from label_studio_crowd.scoring import models
from label_studio_crowd.scoring.classifiers import TaskData
from label_studio_crowd.scoring.kinds import KINDS
from label_studio_crowd.scoring.snapshot import Snapshot, stored_snapshot
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.database import now, store_reason
from label_studio_crowd.store.facts import PlainFact
from label_studio_crowd.store.jobs import Jobs, Needs
from label_studio_crowd.store.projects import OnlyLookedAt, ProjectStore, Store
from label_studio_crowd.store.webhook_secret import keep_secret, known_secret
from label_studio_crowd.store.worker_life import no_worker
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.controls import Control
from label_studio_crowd.studio.events import Event
from label_studio_crowd.studio.versions import CONSENSUS_VERSION

log = logging.getLogger(__name__)

MODEL_VERSION: Final = CONSENSUS_VERSION
"""The version of every prediction given out: a task that has the published consensus is never asked for again."""

_LARGEST: Final = 2**63 - 1
_PATIENCE: Final = 2.0
_MINUTE: Final = 60.0
_STRANGERS: Final = 30
"""Projects that are not served, and that events may name in a minute."""


@dataclass(frozen=True)
class ServerSeen(PlainFact):
    """When a server last tried whether the store can be written (Unix time)."""

    fact = "server_seen"

    at: float


class Backend:
    """The four routes' work, on a store.

    Parameters
    ----------
    settings
        The store, Label Studio's address, and how long is waited for what.

    Raises
    ------
    UserError
        If the store cannot be opened.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.store)
        self.jobs = Jobs(self.store, settings)
        self._snapshots: dict[int, Snapshot] = {}
        self.secret = known_secret(self.store, settings)
        """What webhooks have to carry; "" where nothing is asked of them, or `see_to_secret` has yet to find it."""
        self._told: Counter[int] = Counter()
        self._strangers: deque[float] = deque()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def project(self, project: int) -> ProjectStore:
        """Return a project's part of the store."""
        return self.store.project(self.settings.url, project)

    def setup(self, project: int, options: Mapping[str, Any], host: str = "", uid: str = "") -> str:
        """Remember that Label Studio set a project up with us; return our model version.

        Parameters
        ----------
        options
            From `parse_options`.
        host
            The address by which we were reached.
        uid
            The project as Label Studio names it, with the time at which it was created.
        """
        news = remember_setup(self.project(project).facts, Setup(uid, dict(options), host))
        # the same wish, too: a run under way may have looked before our backend was added, and would drop the project
        self.jobs.mark(project, needs=Needs.CHANGED | Needs.PULL if news else Needs.PULL)
        return MODEL_VERSION

    def predict(self, project: int | None, tasks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return a prediction of each task, in order, from what the last run stored.

        A settled task has its consensus, others an empty result unless the consensus is to be shown: Label
        Studio keeps what it gets and shows it to annotators. A task that no run has seen has the model's
        prediction. Scores are in [0, 1]: how sure the label is.
        """
        stored = None if project is None else self.store.known_project(self.settings.url, project)
        # a backend that was left in the Model settings gives out nothing after `disconnect`
        served = stored is not None and stored.facts.read(OnlyLookedAt) is None
        snapshot = self.snapshot(stored) if stored and served else None
        if snapshot is None:
            return [_prediction([], 0.0) for _ in tasks]
        parts = [(part, part.scored_control()) for part in (snapshot, *snapshot.others)]
        rows = [snapshot.row(task["id"]) if _is_id(task.get("id")) else None for task in tasks]
        unseen = self._by_model(parts, [task for task, row in zip(tasks, rows, strict=True) if row is None])
        return [
            unseen.pop(0) if row is None else _stored(parts, row, _data(task))
            for task, row in zip(tasks, rows, strict=True)
        ]

    def _by_model(
        self, parts: Sequence[tuple[Snapshot, Control]], tasks: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return what the controls' models say of tasks; as sure as the least sure of those that say something."""
        data = list(map(_data, tasks))
        found = [self._by_model_of(part, control, data) for part, control in parts]
        honest = float(parts[0][0].prior.max())
        return [
            _prediction(
                [item for one in each if one for item in one[0]], min((one[1] for one in each if one), default=honest)
            )
            for each in zip(*found, strict=True)
        ]

    def _by_model_of(
        self, snapshot: Snapshot, control: Control, data: Sequence[Mapping[str, Any]]
    ) -> list[tuple[list[dict[str, Any]], float] | None]:
        """Return what the model of a control says of tasks, and how sure it is; None where it says nothing."""
        model = models.at_hand(self.settings.model_dir, snapshot.training) if data and snapshot.training else None
        if model is None or snapshot.own_labels:  # places in another task's list say nothing of this one's
            return [None] * len(data)
        P = model.predict(TaskData(ids=list(range(len(data))), data=data, fields=control.fields))
        return [
            None if said is None else (_written(control, said[0], row), said[1])
            for said, row in zip(said_by_model(snapshot, control, P), data, strict=True)
        ]

    def snapshot(self, project: ProjectStore) -> Snapshot | None:
        """Return what the last run of a project believed; read from the store once a run."""
        taken_at = project.runs.snapshot_taken_at()
        if taken_at is None:
            return None
        with self._lock:
            known = self._snapshots.get(project.key)
        if known is not None and known.taken_at == taken_at:
            return known
        found = stored_snapshot(project)
        if found is not None:
            served = self.jobs.served_keys()
            with self._lock:
                kept = {key: snapshot for key, snapshot in self._snapshots.items() if key in served}
                self._snapshots = {**kept, project.key: found}
        return found

    def take(self, event: Event) -> str:
        """Mark an event's project for a look at Label Studio, and return what was done, in a word.

        Nothing that an event says is believed but that there is something to look at: everybody who labels can send
        one.
        """
        number = event.project
        if number is None or event.kind == "unknown":
            log.info("Webhook %r: nothing to do.", event.action[:60])
            return "ignored"
        if not self.jobs.serves(number) and (event.kind == "project_deleted" or self._too_many_strangers()):
            return "ignored"
        if event.kind == "project" and self._is_known(number, event.project_info):
            return "known"  # our own change, or one that decides nothing
        if event.kind == "train":
            self.jobs.mark(number, "train", at_once=True)
            self.jobs.mark(number, needs=Needs.CHANGED | Needs.PULL, at_once=True)
            return "marked"
        self.jobs.mark(number, needs=Needs.TOLD | Needs.PULL)
        if event.kind == "annotations":
            with self._lock:
                self._told[number] += 1
        return "marked"

    def _too_many_strangers(self) -> bool:
        """Return whether events named too many projects lately that are not served; each costs a look."""
        now = time.monotonic()
        with self._lock:
            while self._strangers and now - self._strangers[0] > _MINUTE:
                self._strangers.popleft()
            if len(self._strangers) >= _STRANGERS:
                return True
            self._strangers.append(now)
        return False

    def _is_known(self, number: int, info: Mapping[str, Any] | None) -> bool:
        """Return whether the last run saw these settings of a project."""
        stored = self.store.known_project(self.settings.url, number)
        return stored is not None and info is not None and project_settings(info) == seen_settings(stored.facts)

    def see_to_secret(self) -> None:
        """See to it that there is a secret of webhooks, and that it is the one in the store.

        Where the store is new, webhooks in Label Studio may carry the secret of the store before it: then that stays.
        """
        if not has_password(self.settings) or set_secret(self.settings):
            return
        known = known_secret(self.store, self.settings)
        self.secret = known or keep_secret(self.store, self.secret or self._secret_in_use() or new_secret())

    def _secret_in_use(self) -> str:
        if self.settings.api_key is None:
            return ""
        found = Studio.of(self.settings, patience=_PATIENCE).header_values(SECRET_HEADER)
        made = Counter(secret for secret in found if is_made(secret))
        return made.most_common(1)[0][0] if made else ""

    def hurry_dry_queues(self) -> None:
        """Let projects wait no longer whose queue has less than a third of its tasks left."""
        waiting = self.jobs.waiting()
        for key, number in waiting:
            if self._runs_dry(self.project(number), self._told[number]):
                self.jobs.hurry(key)
        with self._lock:  # what does not wait is seen to by a run
            self._told = Counter({number: self._told[number] for _, number in waiting})

    def _runs_dry(self, project: ProjectStore, told: int) -> bool:
        """Return whether as many annotations as were told of leave less than a third of the queue."""
        snapshot = self.snapshot(project)
        queued = 0 if snapshot is None else len(snapshot.queue)
        return queued > 0 and 3 * (queued - told) < queued

    def store_problem(self) -> str | None:
        """Return why the store cannot be read or written, or None if it can."""
        try:
            self.store.shared.write(ServerSeen(now()))
        except sa.exc.SQLAlchemyError as error:
            return store_reason(error)
        return None

    def worker_problem(self) -> str | None:
        """Return, in words, that no worker lives; None if one does."""
        return no_worker(self.store)

    def studio_problem(self) -> str | None:
        """Return why Label Studio does not answer, or refuses the token if there is one; None if all is well."""
        try:
            if self.settings.api_key is not None:
                Studio.of(self.settings, patience=_PATIENCE).user()
                return None
            response = httpx.get(f"{self.settings.url}/health", timeout=_PATIENCE)
        except UserError as error:
            return str(error)
        except httpx.HTTPError as error:
            return f"{type(error).__name__} at {self.settings.url}"
        return None if response.is_success else f"status {response.status_code} at {self.settings.url}"


def project_number(uid: Any) -> int:
    """Return the number in the name that Label Studio gives a project: "17.1795211437" is 17.

    Raises
    ------
    UserError
        If there is none.
    """
    number = uid.partition(".")[0] if isinstance(uid, str) else uid
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 19:
        number = int(number)
    if not _is_id(number):
        raise UserError(f"project is {str(uid)[:40]!r}: give a number, or a name that begins with one.")
    return int(number)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST


def _prediction(result: list[dict[str, Any]], score: float) -> dict[str, Any]:
    return {"result": result, "score": min(max(score, 0.0), 1.0), "model_version": MODEL_VERSION}


def _data(task: Mapping[str, Any]) -> Mapping[str, Any]:
    data = task.get("data")
    return data if isinstance(data, Mapping) else {}


def _stored(parts: Sequence[tuple[Snapshot, Control]], row: int, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the prediction of a task that was scored: its controls' consensus, and their least quality."""
    first = parts[0][0]
    told = [part for part in parts if not (len(part[0].left_out) and part[0].left_out[row])]
    answers = [(control, snapshot.answer(row, control)) for snapshot, control in told]
    shown = bool(first.reason(row)) or first.show_consensus
    quality = np.array([float(snapshot.quality[row]) for snapshot, _ in told])
    return _prediction(
        [
            item
            for control, answer in answers
            if shown and answer is not None
            for item in _written(control, answer, data)
        ],
        float(np.nanmin(quality)) if np.isfinite(quality).any() else float(first.prior.max()),
    )


def said_by_model(snapshot: Snapshot, control: Control, P: NDArray[np.float64]) -> list[tuple[Any, float] | None]:
    """Return the answers that a model's rows, (N, K), come to, and how sure each is; None for those of no use."""
    if not snapshot.is_class:
        return KINDS[control.form.kind].by_model(control, P, snapshot.answers(control))
    if P.shape[1] != len(snapshot.classes):  # trained before a class came
        return [None] * len(P)
    return [(snapshot.classes[code], float(row[code])) for row, code in zip(P, P.argmax(axis=1).tolist(), strict=True)]


def _written(control: Control, label: Any, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return an answer as a result; nothing if it is a label that neither the labeling config nor the task offers."""
    if not control.is_class:
        return control.write(label)
    own = control.choices_of(data)
    known = label in control.classes or label in own or not (control.classes or control.has_own)
    return control.write(label, own) if known else []
