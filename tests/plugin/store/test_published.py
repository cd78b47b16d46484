from label_studio_crowd.store.projects import Store
from label_studio_crowd.studio.records import Prediction, VersionState


def test_predictions_are_as_last_seen_or_written(store):
    opened = Store(store)
    published = opened.project("s", 1).published
    first, second = Prediction(1, 7, "v", 0.5, [{"a": "é"}]), Prediction(2, 8, "v", None, [])
    published.replace([second, first])
    assert published.predictions() == [first, second]
    changed = Prediction(1, 7, "w", 0.25, [])
    published.put(changed)
    published.put(Prediction(3, 9, "w", 1.0, []))
    published.drop(2)
    assert [row.id for row in published.predictions()] == [1, 3]
    assert published.predictions()[0] == changed
    published.replace([])
    assert published.predictions() == []
    opened.close()


def test_versions_are_known_until_they_are_forgotten(store):
    opened = Store(store)
    published = opened.project("s", 1).published
    assert published.versions() == {}
    published.keep_versions({"v": VersionState(2, "2026-01-01T00:00:00Z")})
    assert published.versions() == {"v": VersionState(2, "2026-01-01T00:00:00Z")}
    published.forget_versions()
    assert published.versions() == {}
    opened.close()
