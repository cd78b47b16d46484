import subprocess
import sys

import pytest

from harness.service_process import until
from label_studio_crowd.errors import UserError
from label_studio_crowd.store.projects import Store


def test_two_runs_on_one_project_keep_out_of_each_others_way(store):
    one, other = Store(store), Store(store)
    with one.project("s", 1).exclusive():
        with (
            pytest.raises(UserError, match="Another run is working on this project"),
            other.project("s", 1).exclusive(),
        ):
            pass
        with other.project("s", 2).exclusive():
            pass
    with other.project("s", 1).exclusive():
        pass


def test_the_lock_of_a_run_ends_with_its_process(store):
    code = f"""
import os
from label_studio_crowd.store.projects import Store
with Store({store!r}).project("s", 1).exclusive():
    print("locked", flush=True)
    input()
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "locked\n"
    with (
        pytest.raises(UserError, match="Another run is working on this project"),
        Store(store).project("s", 1).exclusive(),
    ):
        pass
    process.kill()
    process.wait()
    until(lambda: lock_is_free(store))  # PostgreSQL notices a moment later that its client is gone


def lock_is_free(store):
    try:
        with Store(store).project("s", 1).exclusive():
            return True
    except UserError:
        return False
