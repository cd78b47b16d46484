"""Learning from a crowd in thirty lines: ``python -m examples.learning``; it needs ``pip install '.[deep]'``.

Thirty people label 900 handwritten digits, each seen by one to three of them. A fifth of their answers is any digit,
and they all take 4 for 9 and 7 for 1 in three of ten cases. Networks learn from that, and are tried on digits that
nobody labelled.
"""

import warnings

import numpy as np
from sklearn.datasets import load_digits

from crowdcore import Crowd, majority_vote
from crowdcore.learning.networks import ConsensusNetwork, CrowdLayer, NetworkClassifier


def main() -> None:
    """Draw the crowd, let networks learn, and print how often they are right."""
    rng = np.random.default_rng(0)
    X, digit = load_digits(return_X_y=True)
    order = rng.permutation(len(digit))
    task, new = order[:900], order[900:]

    shown = np.repeat(np.arange(900), rng.integers(1, 4, 900))  # one to three answers for each task
    person = np.concatenate([rng.permutation(30)[:n] for n in np.bincount(shown)])
    seen = digit[task][shown]
    for true, taken_for in ((4, 9), (7, 1)):
        seen = np.where((seen == true) & (rng.random(len(seen)) < 0.3), taken_for, seen)
    said = np.where(rng.random(len(seen)) < 0.2, rng.integers(0, 10, len(seen)), seen)
    crowd = Crowd.from_codes(shown, person, said, tasks=range(900), annotators=range(30), classes=range(10))

    warnings.simplefilter("ignore")  # few answers for each person and digit: that CrowdLayer needs more is the point
    networks = {
        "majority vote, then a network": NetworkClassifier().fit(X[task], majority_vote(crowd)),
        "CrowdLayer, straight from the answers": CrowdLayer(kind="mw").fit(X[task], crowd),
        "ConsensusNetwork": ConsensusNetwork().fit(X[task], crowd),
    }
    for name, network in networks.items():
        print(f"{name:38} {np.mean(network.predict(X[new]) == digit[new]):.3f} right on {len(new)} new digits")


if __name__ == "__main__":
    main()
