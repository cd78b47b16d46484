"""The whole way, with each kind of store."""

from label_studio_crowd.store.projects import Store


def test_the_whole_way(store, make_project, annotators, plugin):
    ann, bob, cyd = annotators
    answers = [(task, ann, "a") for task in range(6)] + [(task, bob, "ab"[task % 2]) for task in range(4)]
    data = [{"text": f"text {n} about {'cats' if n % 2 else 'dogs'} \u0000 ☃"} for n in range(9)]
    at_work = plugin(make_project(data, answers=answers))
    at_work.store = Store(store).project(at_work.settings.url, at_work.project)
    at_work.settings = at_work.settings.model_copy(update={"classifier": "text", "target_quality": 1})
    at_work.connect()
    assert at_work.sync().trained
    assert at_work.served_queue()
    assert not at_work.sync().plan
    task = cyd.next(at_work.project)["id"]
    cyd.label(task, at_work.sync().project.control.write("a"))
    run = at_work.sync()
    assert run.report().labels == 11
    assert at_work.served_queue() == list(run.plan.queue)
    at_work.disconnect()
    assert at_work.predictions() == []
