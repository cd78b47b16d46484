"""Small projects as new users have them: few tasks and labels, and texts that tell a classifier little."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.generated import Known
from crowdcore import Crowd
from label_studio_crowd.scoring import classifiers

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

SKILLS = (0.95, 0.9, 0.86, 0.8, 0.6, 0.4)
"""How often each of the six annotators is right."""
WORDS, VOCABULARY, OWN_WORDS = 8, 300, 6
"""Words of a text, words that say nothing, and words of each class's own."""
STEEPNESS = 1.5
"""Power of the rank by which the classes of a taxonomy become rarer."""


@dataclass(frozen=True)
class SmallProject:
    """What a small project is made by.

    Attributes
    ----------
    n_tasks, labels : int
        Tasks, and labels of each.
    rare : float
        Share of the rarer of two classes; 0 for a taxonomy, of whose classes few are common and most are rare.
    telling : float
        Share of a text's words that are of its class; the others say nothing.
    n_classes : int
        K.
    """

    n_tasks: int
    labels: int
    rare: float = 0.0
    telling: float = 0.0
    n_classes: int = 2

    def __str__(self) -> str:
        classes = f"rarer class {self.rare:.0%}" if self.rare else f"{self.n_classes} classes"
        return f"{self.n_tasks} × {len(SKILLS)}, {classes}, {self.labels} a task, {self.telling:.0%} of words tell"

    @property
    def shares(self) -> Floats:
        """The true classes' shares, shape (K,)."""
        ranks = np.arange(1.0, self.n_classes + 1)
        shares: Floats = np.array([1 - self.rare, self.rare]) if self.rare else ranks**-STEEPNESS
        return shares / shares.sum()

    def make(self, seed: int, with_model: bool = True) -> Known:
        """Return such a project, with the plugin's own training on its texts; the same seed gives the same."""
        rng = np.random.default_rng([seed, 3])
        truth = rng.choice(self.n_classes, size=self.n_tasks, p=self.shares)
        texts = [self._text(rng, true) for true in truth.tolist()]
        task = np.repeat(np.arange(self.n_tasks), self.labels)
        annotator = rng.random((self.n_tasks, len(SKILLS))).argsort(axis=1)[:, : self.labels].ravel()
        right = rng.random(len(task)) < np.array(SKILLS)[annotator]
        label = np.where(right, truth[task], self._mistaken(rng, truth[task]))
        crowd = Crowd.from_codes(
            task, annotator, label, tasks=range(self.n_tasks), annotators=range(len(SKILLS)),
            classes=range(self.n_classes),
        )  # fmt: skip
        return Known(crowd, truth, trained(crowd, texts) if with_model else None, chance=np.array(SKILLS))

    def _mistaken(self, rng: np.random.Generator, truth: Codes) -> Codes:
        """Return a wrong label for each class, the sooner the more common it is."""
        found = rng.choice(self.n_classes, size=len(truth), p=self.shares)
        return np.where(found == truth, (truth + 1) % self.n_classes, found)

    def _text(self, rng: np.random.Generator, true: int) -> str:
        own = rng.random(WORDS) < self.telling
        word = rng.integers(VOCABULARY, size=WORDS)
        return " ".join(
            f"class{true}word{at % OWN_WORDS}" if tells else f"word{at}"
            for tells, at in zip(own.tolist(), word.tolist(), strict=True)
        )


def trained(crowd: Crowd, texts: list[str]) -> Floats:
    """Return the probabilities, out of sample, of the plugin's text classifier, trained as the plugin trains it."""
    tasks = classifiers.TaskData(ids=range(len(texts)), data=[{"text": text} for text in texts])
    classifier = classifiers.build("text:text", tasks, n_classes=len(crowd.classes))
    assert classifier is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn thinks that so many classes may be numbers
        P: Floats = classifiers.train(classifier, crowd).pred_probs
    return P


SMALL: dict[str, SmallProject] = {
    "40 tasks, rare .33, 2 labels": SmallProject(40, 2, 0.33),
    "100 tasks, rare .10, 2 labels": SmallProject(100, 2, 0.10),
    "100 tasks, rare .33, 2 labels": SmallProject(100, 2, 0.33),
    "300 tasks, rare .20, 2 labels": SmallProject(300, 2, 0.20),
    "300 tasks, rare .20, 2 labels, telling texts": SmallProject(300, 2, 0.20, telling=0.15),
    "80 tasks, 118 classes, 3 labels": SmallProject(80, 3, telling=0.05, n_classes=118),
}
"""Small projects by name."""
