import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sqlalchemy as sa

from label_studio_crowd.errors import UserError
from label_studio_crowd.store.mirror import Mirror, Probabilities


def task(number, *, data="x", at="2026-01-01T00:00:00.500000Z", annotations=()):
    return {
        "id": number,
        "data": {"text": data},
        "overlap": 1,
        "is_labeled": bool(annotations),
        "updated_at": at,
        "annotations": [
            {
                "id": 10 * number + n,
                "completed_by": who,
                "result": [{"id": "random", "from_name": "c", "value": {"choices": ["a"]}}],
                "updated_at": at,
                "was_cancelled": False,
                "ground_truth": False,
                "lead_time": 1.5,
            }
            for n, who in enumerate(annotations)
        ],
    }


def test_projects_and_servers_are_kept_apart(store):
    mirror = Mirror(store)
    mirror.project("http://one", 1).apply([task(1, annotations=[5])])
    mirror.project("http://two", 1).apply([task(1), task(2)])
    assert mirror.project("http://one", 1).counts() == (1, 1, 0, 1)
    assert mirror.project("http://two", 1).counts() == (2, 0, 0, 0)
    assert mirror.project("http://one", 2).counts() == (0, 0, 0, 0)


def test_a_task_is_replaced_whole(store):
    project = Mirror(store).project("s", 1)
    assert project.apply([task(1, annotations=[5, 6]), task(2)]) == 2
    assert project.apply([task(1, annotations=[6]), task(2)]) == 0
    assert [row.annotator for row in project.annotations()] == [6]


def test_only_new_data_makes_probabilities_old(store):
    project = Mirror(store).project("s", 1)
    project.apply([task(1)])
    project.apply([task(1, at="2026-01-02T00:00:00.000000Z", annotations=[5])])
    assert project.newest_data() == "2026-01-01T00:00:00.500000Z"
    project.apply([task(1, at="2026-01-03T00:00:00.000000Z", data="y")])
    assert project.newest_data() == "2026-01-03T00:00:00.000000Z"


def test_an_annotation_without_an_author_has_one_author(store):
    project = Mirror(store).project("s", 1)
    project.apply([task(1, annotations=[None])])
    assert project.annotations()[0].annotator == 0


def test_probabilities_come_back_as_they_were(store):
    project = Mirror(store).project("s", 1)
    assert project.probabilities() is None
    trained = Probabilities("auto", "why", ("a", "b"), np.arange(3), np.random.default_rng(0).random((3, 2)), 7, "now")
    project.set_probabilities(trained)
    found = Mirror(store).project("s", 1).probabilities()
    np.testing.assert_array_equal(found.pred_probs, trained.pred_probs)
    np.testing.assert_array_equal(found.tasks, trained.tasks)
    assert (found.classes, found.summary, found.answers) == (("a", "b"), "why", 7)


def test_a_store_of_a_newer_release_is_left_alone(store):
    Mirror(store).close()
    engine = sa.create_engine(store.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE schema_version SET version = 99"))
    with pytest.raises(UserError, match="version 99"):
        Mirror(store)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "sqlite:///FILE"),
        ("oracle://user:password@x", "sqlite:///FILE"),
        ("postgresql://user:password@127.0.0.1:9/x", "cannot be opened"),
        ("sqlite:///:memory:", "sqlite:///FILE"),
        ("sqlite:////proc/nowhere/mirror.sqlite", "cannot be opened"),
    ],
)
def test_a_store_that_cannot_be_opened_is_named(url, said):
    with pytest.raises(UserError, match=said) as error:
        Mirror(url)
    assert "password" not in str(error.value)


def test_a_file_that_is_no_store_is_left_alone(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, " * 100)
    with pytest.raises(UserError, match="cannot be opened"):
        Mirror(f"sqlite:///{path}")
    assert path.read_text() == "Dear reader, " * 100


def test_a_project_with_the_number_of_a_deleted_one_is_another(store):
    project = Mirror(store).project("s", 1)
    project.belong_to("2026-01-01")
    project.apply([task(1, annotations=[5])])
    project.remember("connection", {"of": "the old one"})
    project.belong_to("2026-01-01")
    assert project.counts()[:2] == (1, 1)
    project.belong_to("2026-02-02")
    assert project.counts()[:2] == (0, 0)
    assert project.recall("connection") is None


def test_two_runs_on_one_project_keep_out_of_each_others_way(store):
    one, other = Mirror(store), Mirror(store)
    with one.project("s", 1).exclusive():
        with pytest.raises(UserError, match="under way"), other.project("s", 1).exclusive():
            pass
        with other.project("s", 2).exclusive():
            pass
    with other.project("s", 1).exclusive():
        pass


def test_many_may_start_at_once(store):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: Mirror(store).project("s", 1).key, range(8)))
    assert len(keys) == 1


def test_the_lock_of_a_run_ends_with_its_process(store):
    code = f"""
import os
from label_studio_crowd.store.mirror import Mirror
with Mirror({store!r}).project("s", 1).exclusive():
    print("locked", flush=True)
    input()
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "locked\n"
    with pytest.raises(UserError, match="under way"), Mirror(store).project("s", 1).exclusive():
        pass
    process.kill()
    process.wait()
    until = time.monotonic() + 10  # PostgreSQL notices a moment later that its client is gone
    while time.monotonic() < until and not lock_is_free(store):
        time.sleep(0.05)
    assert lock_is_free(store)


def lock_is_free(store):
    try:
        with Mirror(store).project("s", 1).exclusive():
            return True
    except UserError:
        return False


def told(number, task, second, total):
    """An annotation and its task, as a webhook tells them."""
    at = f"2026-11-21T03:00:{second:02d}.000001Z"
    annotation = {
        "id": number,
        "task": task,
        "completed_by": number,
        "result": [],
        "updated_at": at,
        "was_cancelled": False,
        "ground_truth": False,
        "lead_time": 1.5,
    }
    states = {"overlap": 1, "is_labeled": True, "total_annotations": total, "cancelled_annotations": 0}
    return annotation, {"id": task, "data": {"text": str(task)}, "updated_at": at, **states}


def test_events_at_once_all_land(store):
    opened = Mirror(store)
    mirror = opened.project("http://studio", 1)

    def tell(number):
        annotation, task = told(number, 1 + number % 3, number, 1)
        with opened.writing() as connection:
            mirror.put_annotations(connection, [annotation], [task])

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(tell, range(1, 49)))
    assert sorted(row.id for row in mirror.annotations()) == list(range(1, 49))
    assert mirror.tasks().ids.tolist() == [1, 2, 3]
    opened.close()


def test_what_an_event_tells_late_changes_nothing(store):
    opened = Mirror(store)
    mirror = opened.project("http://studio", 1)
    newer, older = told(7, 1, 30, 1), told(7, 1, 20, 1)
    older[0]["was_cancelled"] = True
    older[1]["overlap"] = 9
    for (annotation, task), whole in ((newer, True), (older, False)):
        with opened.writing() as connection:
            assert mirror.put_annotations(connection, [annotation], [task]) == whole
    assert not mirror.annotations()[0].was_cancelled
    assert mirror.tasks().overlap.tolist() == [1]
    opened.close()


def test_an_event_that_was_lost_is_noticed_by_the_next(store):
    opened = Mirror(store)
    mirror = opened.project("http://studio", 1)
    annotation, task = told(8, 1, 30, total=2)  # another of this task was not told
    with opened.writing() as connection:
        assert not mirror.put_annotations(connection, [annotation], [task])
    opened.close()
