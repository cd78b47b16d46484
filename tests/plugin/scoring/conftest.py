"""Models of each kind."""

import pytest

from label_studio_crowd.scoring.classifiers import build
from tests.plugin.own_modules import own_modules
from tests.plugin.scoring.kinds_of_models import MODULE, SPECS, K, project, tasks_of


@pytest.fixture(scope="module")
def own_models(tmp_path_factory):
    """A directory with a user's own estimators, which is the current one."""
    with own_modules(tmp_path_factory.mktemp("own"), own_models=MODULE) as here:
        yield here


@pytest.fixture(scope="module")
def fitted(own_models):
    """A model of each kind."""
    data, truth = project()
    return {kind: build(spec, tasks_of(data), n_classes=K).model(truth, K) for kind, spec in SPECS.items()}
