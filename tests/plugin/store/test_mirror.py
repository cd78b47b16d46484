from concurrent.futures import ThreadPoolExecutor

from label_studio_crowd.store.people import Numbered
from label_studio_crowd.store.projects import Store


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
    opened = Store(store)
    opened.project("http://one", 1).mirror.apply([task(1, annotations=[5])])
    opened.project("http://two", 1).mirror.apply([task(1), task(2)])
    assert opened.project("http://one", 1).mirror.counts() == (1, 1, 0, 1)
    assert opened.project("http://two", 1).mirror.counts() == (2, 0, 0, 0)
    assert opened.project("http://one", 2).mirror.counts() == (0, 0, 0, 0)


def test_a_task_is_replaced_whole(store):
    project = Store(store).project("s", 1)
    assert project.mirror.apply([task(1, annotations=[5, 6]), task(2)]) == 2
    assert project.mirror.apply([task(1, annotations=[6]), task(2)]) == 0
    assert [row.annotator for row in project.mirror.annotations()] == [6]


def test_only_new_data_makes_probabilities_old(store):
    project = Store(store).project("s", 1)
    project.mirror.apply([task(1)])
    project.mirror.apply([task(1, at="2026-01-02T00:00:00.000000Z", annotations=[5])])
    assert project.mirror.newest_data() == "2026-01-01T00:00:00.500000Z"
    project.mirror.apply([task(1, at="2026-01-03T00:00:00.000000Z", data="y")])
    assert project.mirror.newest_data() == "2026-01-03T00:00:00.000000Z"


def test_an_annotation_without_an_author_has_one_author(store):
    project = Store(store).project("s", 1)
    project.mirror.apply([task(1, annotations=[None])])
    assert project.mirror.annotations()[0].annotator == 0


def test_a_project_with_the_number_of_a_deleted_one_is_another(store):
    project = Store(store).project("s", 1)
    project.belong_to("2026-01-01")
    project.mirror.apply([task(1, annotations=[5])])
    project.facts.write(Numbered([5]))
    project.belong_to("2026-01-01")
    assert project.mirror.counts()[:2] == (1, 1)
    project.belong_to("2026-02-02")
    assert project.mirror.counts()[:2] == (0, 0)
    assert project.facts.read(Numbered) is None


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
    opened = Store(store)
    mirror = opened.project("http://studio", 1).mirror

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
    opened = Store(store)
    mirror = opened.project("http://studio", 1).mirror
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
    opened = Store(store)
    mirror = opened.project("http://studio", 1).mirror
    annotation, task = told(8, 1, 30, total=2)  # another of this task was not told
    with opened.writing() as connection:
        assert not mirror.put_annotations(connection, [annotation], [task])
    opened.close()
