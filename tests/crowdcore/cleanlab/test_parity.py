"""crowdcore against cleanlab 2.9.0 on random crowds; harness/cleanlab_parity.py says what is compared.

More crowds: ``python -m benchmarks.science.parity --crowds 300``.
"""

import numpy as np
import pytest

OUTPUTS = {
    "ActiveLab, labeled",
    "ActiveLab, unlabeled",
    "agreement_with_consensus",
    "annotator order",
    "annotator_agreement",
    "annotator_quality",
    "annotator_weight",
    "consensus_label",
    "consensus_quality_score",
    "detailed quality",
    "majority vote",
    "model_weight",
    "num_annotations",
    "num_examples_labeled",
    "worst_class",
}


@pytest.mark.parametrize("block", range(3))
def test_all_options_on_twenty_random_crowds(parity, block):
    found = parity.Comparison()
    for number in range(20 * block, 20 * block + 20):
        parity.compare(parity.random_case(np.random.default_rng([1, number])), found, f"crowd {number}")
    assert found.notes == []
    assert set(found.largest) == OUTPUTS
    assert max(found.largest.values()) <= 1e-9
    assert found.largest["consensus_label"] == found.largest["majority vote"] == 0
    # in cleanlab the last bit of equal numbers decided; rare, except in crowds of a few tasks
    assert sum(count for what, count in found.counts.items() if "left out" in what) <= 3
    assert sum(count for what, count in found.counts.items() if "worst classes" in what) <= 20


def test_the_random_crowds_are_varied(parity):
    cases = [parity.random_case(np.random.default_rng([1, number])) for number in range(60)]
    answers = [np.sum(~np.isnan(case.labels)) / case.labels.size for case in cases]
    assert min(len(case.labels) for case in cases) == 2
    assert max(len(case.labels) for case in cases) > 150
    assert {case.models.shape[0] for case in cases} == {1, 2, 3}
    assert {case.models.shape[2] for case in cases} >= set(range(2, 9))
    assert max(case.labels.shape[1] for case in cases) > 20
    assert min(answers) < 0.2
    assert max(answers) == 1
    assert any((case.models == 0).any() for case in cases)
    assert any((np.sum(~np.isnan(case.labels), axis=1) == 1).mean() > 0.5 for case in cases)
