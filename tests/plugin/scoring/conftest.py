"""Models of each kind."""

import sys

import pytest

from label_studio_crowd.scoring.classifiers import build
from tests.plugin.scoring.kinds_of_models import MODULE, SPECS, K, project, tasks_of


@pytest.fixture(scope="module")
def own_models(tmp_path_factory):
    """A directory with a user's own estimators, which is the current one."""
    here = tmp_path_factory.mktemp("own")
    (here / "own_models.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.setattr(sys, "path", [p for p in sys.path if p])
        yield here
    sys.modules.pop("own_models", None)


@pytest.fixture(scope="module")
def fitted(own_models):
    """A model of each kind."""
    data, truth = project()
    return {kind: build(spec, tasks_of(data), n_classes=K).model(truth, K) for kind, spec in SPECS.items()}
