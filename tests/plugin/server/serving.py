"""A server of our own, with a project that had a run, and what Label Studio sends to it."""

import json
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import uvicorn

from label_studio_crowd.estimate import Estimate
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.server.application import create_application, listen
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.settings import load
from label_studio_crowd.store.reports import RunReport

PAYLOADS = Path(__file__).parents[1] / "payloads"
STUDIO = "http://127.0.0.1:9"
USER, PASSWORD = "crowd", "a password: with, ünicode"
CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text">'
    '<Choice value="a"/><Choice value="b"/><Choice value="c"/></Choices></View>'
)
AT = "2026-01-01T00:00:00.500000Z"


def payload(name):
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def annotation(number, annotator, label="a", **changes):
    result = [{"id": "r", "from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]
    return {
        "id": number,
        "completed_by": annotator,
        "result": result,
        "updated_at": AT,
        "was_cancelled": False,
        "ground_truth": False,
        "lead_time": 1.5,
        **changes,
    }


def task(number, *annotations):
    return {
        "id": number,
        "data": {"text": f"t{number}"},
        "overlap": 1,
        "is_labeled": bool(annotations),
        "updated_at": AT,
        "annotations": list(annotations),
    }


def believed(**changes):
    """Six tasks: settled by quality, with a model that disagrees, not labelled, of known truth, unsure, and skipped."""
    nan = np.nan
    fields = {
        "taken_at": 1_800_000_000.0,
        "title": "animals",
        "label_config": CONFIG,
        "control": "label",
        "show_consensus": False,
        "training": "",
        "hears_model": True,
        "target_quality": 0.8,
        "accuracy": Estimate(0.9, 0.7, 0.95),
        "calibrated": True,
        "classes": ("a", "b", "c"),
        "own_labels": (),
        "prior": np.array([0.5, 0.3, 0.2]),
        "tasks": np.array([1, 2, 3, 4, 5, 6]),
        "labels": np.array([2, 1, 0, 0, 3, 0]),
        "skips": np.array([0, 0, 0, 0, 0, 2]),
        "annotations": np.array([2, 1, 0, 1, 3, 2]),
        "consensus": np.array([0, 2, 2, 1, 0, -1]),
        "quality": np.array([0.9, 0.4, 0.5, 1.0, 0.6, nan]),
        "model_disagrees": np.arange(6) == 1,
        "priority": np.array([0.9, 0.3, 0.1, 1.0, 0.5, nan]),
        "settled_by": np.array([2, 0, 0, 1, 0, 4]),
        "judged": np.array([True, False, False, True, True, False]),
        "majority": np.array([0, 1, -1, -1, 0, -1]),
        "predicted": np.full(6, -1),
        "predicted_probability": np.full(6, nan),
        "queue": np.array([3, 2, 5]),
        "annotators": np.array([0, 5, 6]),
        "pseudonym": np.array([0, 1, 2]),
        "annotator_quality": np.array([0.7, nan, 0.4]),
        "quality_low": np.array([0.5, nan, 0.2]),
        "quality_high": np.array([0.9, nan, 0.6]),
        "agreement": np.array([1.0, nan, 0.5]),
        "annotator_labels": np.array([2, 0, 4]),
        "worst_class": np.array([-1, -1, 2]),
        "copy_group": np.full(3, -1),
        "copy_shared": np.zeros(3, np.int64),
        "copy_same": np.zeros(3, np.int64),
        "copy_expected": np.zeros(3),
        "answer_annotator": np.array([0, 2, 2, 0, 1, 2]),
        "answer_label": np.array([0, 0, 1, 0, 1, 0]),
        "answer_quality": np.array([0.9, 0.9, 0.4, 0.6, 0.2, 0.6]),
        "answer_at": np.array([1, 2, 3, 4, 5, 6]),
        "answer_seconds": np.array([1.5, 2.5, nan, 1.5, 1.5, 1.5]),
    }
    return Snapshot(**{**fields, **changes})


def opened(folder, **settings):
    return Backend(load(url=STUDIO, store=f"sqlite:///{folder}/mirror.sqlite", model_dir=folder / "models", **settings))


def guarded(folder, **settings):
    return opened(folder, basic_auth_user=USER, basic_auth_pass=PASSWORD, **settings)


def seed(backend, project=1):
    """Let a project have had a run."""
    stored = backend.store.project(STUDIO, project)
    stored.mirror.apply(
        [
            task(1, annotation(11, 5), annotation(12, 6)),
            task(2, annotation(21, None, "b")),
            task(3),
            task(4, annotation(41, 5, "b", ground_truth=True)),
            task(5, annotation(51, 5), annotation(52, 6, "b"), annotation(53, 7)),
            task(6, annotation(61, 5, was_cancelled=True, result=[]), annotation(62, 6, result=[{"value": 1}])),
        ]
    )
    stored.people.keep_names([], {5: "Ada", 6: "Bo"})
    snapshot = believed()
    stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
    stored.runs.add(
        RunReport(tasks=6, labels=6, classifier="none", seconds={"pull": 0.5, "score": 0.1}, warnings=("w",))
    )
    backend.jobs.mark(project)
    return stored


@contextmanager
def running(backend):
    """Serve on a port of its own, and give a client that knows the password."""
    app = create_application(backend)
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=address, auth=httpx.BasicAuth(USER, PASSWORD), timeout=20) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
            backend.close()


def post(client, path, sent):
    """Send what httpx would not: lone surrogates."""
    return client.post(path, content=json.dumps(sent), headers={"Content-Type": "application/json"})
