"""What is right with a project, what is wrong, and how to fix it. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from label_studio_crowd.access import SECRET_HEADER, has_password
from label_studio_crowd.connection.addresses import strange_addresses
from label_studio_crowd.connection.record import Record, RecordError, find_record, options_in, wrong_settings
from label_studio_crowd.connection.releases import TESTED, is_tested, refuse_old
from label_studio_crowd.errors import UserError
from label_studio_crowd.exchange.models import models_of
from label_studio_crowd.exchange.publish import measured_costs
from label_studio_crowd.exchange.pull import look_up
from label_studio_crowd.project import Project
from label_studio_crowd.scoring.foretold import about_gone, foretold
from label_studio_crowd.scoring.lessons import NOT_LEARNED
from label_studio_crowd.scoring.memory import memory_note
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.webhook_secret import known_secret
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.controls import (
    RELATIONS,
    Control,
    PerRegionForm,
    find_controls,
    inner_control,
    not_scored,
)
from label_studio_crowd.studio.versions import CONSENSUS_VERSION, QUEUE_PREFIX, is_ours
from label_studio_crowd.wording import count

_SLOW_IMPORT = 3.0


@dataclass(frozen=True)
class Check:
    """A finding: `level` is ok, note (worth knowing) or wrong (keeps the queue from working)."""

    level: str
    what: str
    mend: str = ""


def examine(project: Project) -> Iterator[Check]:
    """Yield findings, from the ground up.

    Raises
    ------
    UserError
        If Label Studio is not there, refuses or is too old, so that nothing can be looked at.
    """
    studio = project.studio
    user = studio.user()
    version = studio.version()
    refuse_old(version)
    info = look_up(project)
    yield from _server(studio, version, user)
    yield Check(
        "ok",
        f"project {project.number} {info['title']!r}: {count(info['task_number'], 'task')}, "
        f"{count(info['total_annotations_number'], 'annotation')}",
    )
    try:
        record = find_record(project)
    except RecordError as error:
        yield Check("wrong", str(error))
        return
    settings = project.settings.over(options_in(record))
    try:
        for control in find_controls(info["label_config"], settings.names("control"), settings.names("ordered")):
            yield Check("ok", f"scores the control {control.name!r} ({control.tag}, {_in_words(control)})")
        for control_name, reason in not_scored(info["label_config"]).items():
            yield Check("note", f"does not score {control_name}: {reason}")
        scores = True
    except UserError as error:
        scores = False
        yield Check("wrong", str(error))
    if info["ground_truth_number"] and not settings.trust_ground_truth:
        yield Check(
            "note",
            f"annotations with the ground-truth flag count as answers: {info['ground_truth_number']}",
            "imported annotations have it by default; --trust-ground-truth takes them as the truth",
        )
    if (last := project.store.runs.last()) is not None:
        tasks, labels, annotators = last.report.tasks or 0, last.report.labels or 0, last.report.annotators or 0
        note = memory_note(tasks=tasks, labels=labels, annotators=annotators, classes=len(last.report.classes))
        if note:
            yield Check("note", *note)
    yield from _models(project, settings)
    yield from _classifier(project, settings)
    if record is None:
        words = "not connected: annotators are served in Label Studio's own order"
        yield Check("note", words, f"label-studio-crowd connect {project.number}" if scores else "")
        return
    yield from _queue(project, info, record, settings)


def _models(project: Project, settings: Settings) -> Iterator[Check]:
    try:
        named = models_of(settings)
    except UserError as error:
        yield Check("wrong", str(error))
        return
    there = project.studio.model_versions(project.number) if named else {}
    for version in named:
        if version in there:
            yield Check("ok", f"the model {version!r} is an annotator: {count(there[version].count, 'prediction')}")
            continue
        others = ", ".join(repr(name) for name in there if not is_ours(name)) or "none of other models"
        yield Check(
            "note",
            f"no predictions of the model {version!r}, which model_annotators names; there are: {others}",
            'import its predictions, or name it as the Data Manager does in the column "Prediction model versions"',
        )


def _classifier(project: Project, settings: Settings) -> Iterator[Check]:
    made_of = foretold(replace(project, settings=settings))
    if made_of is None:
        return
    if made_of.count:
        yield Check(
            "ok", f"the classifier is made of {count(made_of.count, 'prediction')} of the model {made_of.version!r}"
        )
    else:
        yield Check("wrong", *about_gone(made_of.version))


_WITHOUT_CLASSES: Final = {**NOT_LEARNED, RELATIONS: RELATIONS}


def _in_words(control: Control) -> str:
    """Return what answers to a control are."""
    if isinstance(control.form, PerRegionForm):
        return f"{_in_words(inner_control(control))} of each region"
    kind = control.form.kind
    if kind == "number":
        return "numbers" if control.tag == "number" else "dates and times"
    if kind in _WITHOUT_CLASSES:
        return _WITHOUT_CLASSES[kind]
    classes = f"{len(control.classes)} classes" if control.classes else "classes that come with each task"
    return {"set": f"sets of {classes}", "ordered": f"{classes} in order"}.get(kind, classes)


def _server(studio: Studio, version: str, user: dict[str, Any]) -> Iterator[Check]:
    if is_tested(version):
        yield Check("ok", f"Label Studio {version} at {studio.url}")
    else:
        yield Check("note", f"Label Studio {version} at {studio.url}; this release was tested with {', '.join(TESTED)}")
    yield Check("ok", f"{studio.token_kind} of {user.get('email')}")
    if studio.token_kind == "access token":
        yield Check(
            "wrong", "the token is an access token, which is valid for five minutes", "use a personal access token"
        )


def _queue(project: Project, info: dict[str, Any], record: Record, settings: Settings) -> Iterator[Check]:
    connect = f"label-studio-crowd connect {project.number}"
    options = ", ".join(f"{name} = {value!r}" for name, value in options_in(record).items())
    yield Check("ok", "connected" + (f" with {options}" if options else "") + "; `disconnect` puts every setting back")
    wrong = wrong_settings(info)
    for name, (found, needed) in wrong.items():
        yield Check("wrong", f"{name} is {found!r}, not {needed!r}: the queue is not served in order", connect)
    if not wrong:
        yield Check("ok", "sampling serves the queue in order")
    versions = {name: state for name, state in project.studio.model_versions(project.number).items() if is_ours(name)}
    active = info["model_version"] or ""
    sync = f"label-studio-crowd sync {project.number}"
    if active in versions and active.startswith(QUEUE_PREFIX):
        yield Check("ok", f"the project serves {active}: {count(versions[active].count, 'task')}")
    elif (last := project.store.runs.last()) is None:
        yield Check("note", "no queue yet", sync)
    elif last.report.changes.queue == 0:
        yield Check("ok", "the queue is empty: after the last run there was nothing left to label")
    else:
        yield Check("wrong", f"the project's model version is {active!r}, not our queue", sync)
    if (seconds := measured_costs(project.store.facts).bulk) > _SLOW_IMPORT:
        yield Check(
            "note",
            f"an import of predictions takes {seconds:.1f} s on this server",
            "start Label Studio with fflag_fix_back_4620_memory_efficient_predictions_import_08012025_short=true: "
            "about 0.2 s",
        )
    yield from _backends(project, info, record)


def _carries_secret(project: Project, headers: dict[str, str]) -> bool:
    """Return whether a webhook carries the secret; any one will do where the service has another store than this."""
    secret = known_secret(project.store.store, project.settings)
    asked = bool(secret) or has_password(project.settings)
    return not asked or headers.get(SECRET_HEADER, "") in ({secret} if secret else headers.values())


def _backends(project: Project, info: dict[str, Any], record: Record) -> Iterator[Check]:
    if info["created_by"] is None:
        yield Check(
            "wrong",
            "the project no longer has a creator, so Label Studio fails with every ML backend",
            'give it one: PATCH /api/projects/… {"created_by": …}',
        )
        return
    backends = project.studio.backends(project.number)
    if (strange := strange_addresses(project.store.facts, backends, record)).urls:
        yield Check("wrong", strange.in_words())
    made = [url.rstrip("/") for url in record.backends]
    foreign = [
        row for row in backends if row["model_version"] != CONSENSUS_VERSION and row["url"].rstrip("/") not in made
    ]
    if foreign:
        titles = ", ".join(repr(row.get("title")) for row in foreign)
        yield Check(
            "note",
            f"ML backends are connected ({titles})",
            "make sure that they do not change the project's model version",
        )
    for url in {row["url"].rstrip("/") for row in backends} - {row["url"].rstrip("/") for row in foreign}:
        connect = f"label-studio-crowd connect {project.number} --backend {url}"
        headers = project.studio.webhook_headers(project.number, url)
        if headers is None:
            yield Check("wrong", f"{url} has no webhook: it learns of annotations only by polling", connect)
        elif not _carries_secret(project, headers):
            yield Check("wrong", f"the webhook of {url} does not carry the secret, so it is refused", connect)
        else:
            yield Check("ok", f"{url} is notified of every annotation")
