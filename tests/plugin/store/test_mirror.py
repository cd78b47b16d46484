import json

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


def test_what_label_studio_does_not_hold_is_found_by_ids_times_and_users(store):
    mirror = Store(store).project("s", 1).mirror
    mirror.apply([task(1, annotations=[5]), task(2, annotations=[6]), task(3, annotations=[7])])

    def told(number, *times, by={1: 5, 2: 6, 3: 7}.get):
        rows = [{"id": row, "updated_at": at, "completed_by": by(number)} for row, at in times]
        return {"id": number, "annotations": rows}

    (held,) = {row.updated_at for row in mirror.annotations()}
    page = [told(1, (10, held)), told(2, (20, "2026-11-21T04:00:00Z")), told(3, (30, held), (31, held)), told(4)]
    assert mirror.differing(page) == [2, 3]
    assert mirror.differing([told(1)]) == [1]
    assert mirror.differing([told(1, (10, held), by=lambda _: None)]) == [1]


def test_what_is_about_one_region_stays_together_whatever_its_random_id(store):
    project = Store(store).project("s", 1)

    def said(name, other):
        return [
            {"id": name, "from_name": "ner", "value": {"start": 0, "end": 3}},
            {"id": name, "from_name": "mood", "value": {"start": 0, "end": 3, "choices": ["a"]}},
            {"id": other, "from_name": "ner", "value": {"start": 5, "end": 9}},
            {"id": f"{name}{other}", "from_name": "c", "value": {"choices": ["a"]}},
            {"from_id": other, "to_id": name, "type": "relation"},
        ]

    given = task(1, annotations=[5, 6])
    for annotation, names in zip(given["annotations"], (("x1", "x2"), ("y7", "y3")), strict=True):
        annotation["result"] = said(*names)
    project.mirror.apply([given])
    one, other = (json.loads(row.result) for row in project.mirror.annotations())
    assert one == other
    assert [item.get("id") for item in one] == ["r1", "r1", "r2", None, None]
    assert (one[4]["from_id"], one[4]["to_id"]) == ("r2", "r1")
