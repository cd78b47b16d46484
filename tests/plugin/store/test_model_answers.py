from label_studio_crowd.store.people import annotator_name, is_model, model_id
from label_studio_crowd.store.projects import Store
from label_studio_crowd.studio.records import VersionState


def prediction(number, task, version, result=(), *, created=0, updated=None):
    at = "2026-01-01T00:{:02}:00Z".format
    times = {"created_at": at(created), "updated_at": at(created if updated is None else updated)}
    return {"id": number, "task": task, "model_version": version, "result": list(result), "score": None, **times}


def test_of_several_predictions_of_a_model_the_latest_counts(store):
    opened = Store(store)
    answers = opened.project("s", 1).model_answers
    rows = [
        prediction(1, 7, "gpt", [{"id": "x", "value": 1}], updated=9),  # changed after the next was made
        prediction(2, 7, "gpt", [{"value": 2}], created=5),
        prediction(3, 7, "other"),
        prediction(4, 8, "gpt", created=3),
        prediction(5, 8, "gpt", [{"value": 5}], created=3),
    ]
    assert answers.replace(rows, {"gpt"})
    found = answers.answers()
    assert [(row.id, row.task, row.annotator, row.result) for row in found] == [
        (1, 7, model_id("gpt"), '[{"value":1}]'),
        (5, 8, model_id("gpt"), '[{"value":5}]'),
    ]
    assert answers.answers(8) == found[1:]
    assert answers.states() == {"gpt": VersionState(4, "2026-01-01T00:05:00.000000Z")}
    assert not answers.replace(rows, {"gpt"}), "nothing new"
    assert answers.replace(rows, {"gpt", "other"})
    assert answers.replace([], {"gpt"})
    assert answers.states() == {}
    opened.close()


def test_a_task_that_is_read_again_has_what_it_has_now(store):
    opened = Store(store)
    answers, other = (opened.project("s", number).model_answers for number in (1, 2))
    answers.replace([prediction(1, 7, "gpt"), prediction(2, 8, "gpt")], {"gpt"})
    other.replace([prediction(1, 7, "gpt")], {"gpt"})
    page = [{"id": 7, "predictions": [prediction(3, 7, "gpt"), prediction(4, 7, "crowd-queue-1")]}]
    assert answers.take(page, {"gpt"})
    assert not answers.take(page, {"gpt"})
    assert [row.id for row in answers.answers()] == [3, 2]
    answers.take([{"id": 7, "predictions": []}], {"gpt"})
    assert [row.id for row in answers.answers()] == [2]
    assert [row.id for row in other.answers()] == [1]
    opened.close()


def test_a_model_is_known_by_its_version_and_no_person(store):
    opened = Store(store)
    people = opened.project("s", 1).people
    people.keep_names([5], {5: "gpt"})
    people.keep_models(["gpt"])
    people.keep_models(["other"])
    who = model_id("gpt")
    assert is_model(who)
    assert not is_model(2**31 - 1)
    assert people.are_named([5, who])
    assert [annotator_name(one, people.names()) for one in (5, who, model_id("other"))] == [
        "gpt",
        "gpt (model)",
        "other (model)",
    ]
    opened.close()
