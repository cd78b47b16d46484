import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import crowdcore

MODULES = ["crowdcore", *(f"crowdcore.{module.name}" for module in pkgutil.iter_modules(crowdcore.__path__))]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_importing_is_light():
    heavy = "{'pandas', 'sklearn', 'scipy', 'numba', 'cleanlab'}"
    code = f"import sys, crowdcore; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_no_public_name_hides_a_module():
    modules = {name.rpartition(".")[2] for name in MODULES}
    assert not modules & set(crowdcore.__all__)
