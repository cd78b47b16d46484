from label_studio_crowd.store import runs
from label_studio_crowd.store.projects import Store
from label_studio_crowd.store.reports import RunReport


def test_the_newest_runs_are_kept(store, monkeypatch):
    opened = Store(store)
    one, other = (opened.project("s", number).runs for number in (1, 2))
    assert one.last() is None
    times = iter(range(3000))
    monkeypatch.setattr(runs, "now", lambda: float(next(times)))
    other.add(RunReport(title="the other"))
    for number in range(1003):
        one.add(RunReport(labels=number))
    assert one.newest(2) == [(1003.0, RunReport(labels=1002)), (1002.0, RunReport(labels=1001))]
    assert len(one.newest(2000)) == 1000
    assert other.last() == (0.0, RunReport(title="the other"))
    monkeypatch.setattr(runs, "now", lambda: 500.0)  # the clock is put back
    one.add(RunReport(labels=7))
    assert one.last() == (500.0, RunReport(labels=7))
    opened.close()


def test_a_snapshot_is_the_last_runs(store):
    opened = Store(store)
    one, other = (opened.project("s", number).runs for number in (1, 2))
    assert (one.snapshot(), one.snapshot_taken_at()) == (None, None)
    one.keep_snapshot(b"first\x00", 1.5)
    one.keep_snapshot(b"second\xff", 2.5)
    assert (one.snapshot(), one.snapshot_taken_at()) == (b"second\xff", 2.5)
    assert opened.snapshots_taken_at("s") == {1: 2.5}
    one.drop_snapshot()
    assert (one.snapshot(), other.snapshot()) == (None, None)
    opened.close()
