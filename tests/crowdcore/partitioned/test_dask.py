"""On a Dask cluster: the same results to the last bit, whatever happens to the workers."""

import os
import signal
import time

import pandas as pd
import pytest

from crowdcore import Crowd
from crowdcore.aggregate import DawidSkene
from crowdcore.partitioned import PartitionedCrowd

distributed = pytest.importorskip("distributed", reason="Dask is not installed: label-studio-crowd[distributed]")


@pytest.fixture(scope="module")
def client():
    """A cluster of two worker processes."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def places(noisy, in_files, probabilities):
    """Folders of answers and of probabilities."""
    return in_files(noisy(9)), probabilities(range(220), range(3))[0]


def run(places, method, **options):
    """Do everything from the files on, and return all results."""
    answers, pred_probs = places
    with PartitionedCrowd.from_parquet(answers, part_size=120, **options) as crowd:
        if method == "activelab":
            result = crowd.activelab(pred_probs)
        else:
            result = crowd.aggregate(method, pred_probs=pred_probs if method == "crowdlab" else None)
        return result.to_frame(), result.annotators


@pytest.mark.parametrize("method", ["majority-vote", "dawid-skene", "one-coin-dawid-skene", "crowdlab", "activelab"])
def test_results_are_those_of_parts_in_turn(method, places, client):
    for there, here in zip(run(places, method, client=client), run(places, method), strict=True):
        pd.testing.assert_frame_equal(there, here, check_exact=True)


def test_a_schedulers_address_is_enough(places, client):
    there, _ = run(places, "dawid-skene", client=client.scheduler.address)
    assert there.equals(run(places, "dawid-skene")[0])


@pytest.mark.parametrize(
    ("method", "moment"), [("dawid-skene", "DawidSkene, iteration 3"), ("activelab", "ActiveLab, consensus")]
)
def test_a_worker_that_is_killed_costs_nothing_but_time(method, moment, places, client):
    killed = []

    def kill(what, done, total):
        if what == moment and done == 1 and not killed:
            killed.extend(client.run(os.getpid).values())
            os.kill(killed[0], signal.SIGKILL)

    there, annotators = run(places, method, client=client, progress=kill)
    assert killed
    here = run(places, method)
    pd.testing.assert_frame_equal(there, here[0], check_exact=True)
    pd.testing.assert_frame_equal(annotators, here[1], check_exact=True)
    client.wait_for_workers(2, timeout=90)


def test_another_models_probabilities_are_read(noisy, in_files, probabilities, client):
    answers = in_files(noisy(9))
    folders = [probabilities(range(220), range(3), seed, f"model-{seed}")[0] for seed in range(2)]
    with (
        PartitionedCrowd.from_parquet(answers, part_size=120, client=client) as there,
        PartitionedCrowd.from_parquet(answers, part_size=120) as here,
    ):
        for folder in (*folders, folders[0]):
            found = [crowd.activelab(folder).to_frame() for crowd in (there, here)]
            pd.testing.assert_frame_equal(*found, check_exact=True)


def test_errors_come_back_as_they_are(tmp_path, client):
    pd.DataFrame({"task": [7, 7], "annotator": ["x", "x"], "label": [0, 1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="Annotator 'x' answered task 7 more than once"):
        PartitionedCrowd.from_parquet(tmp_path, repeated="error", client=client)


def test_a_scratch_folder_that_workers_do_not_see(client):
    """A store in memory is another one in each process."""
    with pytest.raises(ValueError, match="cannot see the scratch folder"):
        PartitionedCrowd.from_crowd(Crowd.from_wide([[0, 1]]), client=client, scratch="memory://scratch")


def test_no_scheduler():
    import dask

    with (
        pytest.raises(ValueError, match="There is no Dask scheduler at"),
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
    ):
        PartitionedCrowd.from_crowd(Crowd.from_wide([[0, 1]]), client="tcp://127.0.0.1:9")


def test_a_cluster_is_free_again_after_the_crowd(client):
    with PartitionedCrowd.from_crowd(Crowd.from_wide([[0, 1], [1, 1]]), client=client) as crowd:
        crowd.aggregate(DawidSkene(n_iter=2))
        assert client.futures
    for _ in range(1000):  # they are let go of in another thread
        if not client.futures:
            return
        time.sleep(0.05)
    pytest.fail(f"the cluster still keeps {list(client.futures)}")
