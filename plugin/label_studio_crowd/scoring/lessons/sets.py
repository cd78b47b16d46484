"""Answers that are sets: how probable it is that each class applies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds import SetResult
from label_studio_crowd.scoring import classifiers
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.classifiers.out_of_sample import FLOOR
from label_studio_crowd.scoring.classifiers.sets import UNKNOWN, SetClassifier
from label_studio_crowd.scoring.classifiers.training import SETTLED, rounds_told
from label_studio_crowd.scoring.kinds import KINDS, believe
from label_studio_crowd.scoring.lessons.lesson import Floats, Learned, Lesson
from label_studio_crowd.settings import ConsensusMethod
from label_studio_crowd.wording import percent

Codes = NDArray[np.int64]

ROUNDS = 3
HALF = 0.5


class SetLesson(Lesson[SetClassifier]):
    """The classes of which sets are made."""

    def columns(self, answers: Answers) -> tuple[str, ...]:
        """See `Lesson`."""
        return KINDS["set"].columns(answers.control, answers.values)

    def choose(self, spec: str, tasks: classifiers.TaskData, answers: Answers) -> classifiers.SetChoice:
        """See `Lesson`."""
        return classifiers.choose_for_sets(spec, tasks, n_classes=len(self.columns(answers)))

    def learn(
        self,
        classifier: SetClassifier,
        answers: Answers,
        consensus: ConsensusMethod,
        progress: classifiers.Progress | None,
    ) -> Learned:
        """See `Lesson`: from the consensus without the classifier, then from that with it, until it settles."""
        sets, changed = _consensus(answers, None), []
        learned, P = sets, np.zeros(sets.shape)
        for number in range(1, ROUNDS + 1):
            learned = sets
            P = classifier.predict_out_of_sample(learned, progress=classifiers.in_round(progress, number, ROUNDS))
            sets = _consensus(answers, P)
            changed.append(float((sets != learned).any(axis=1).mean()))
            if changed[-1] < SETTLED:
                break
        model = classifier.model(learned)
        return Learned(P, _summary(classifier.why, P, learned, changed), model)

    def foreign(self, answers: Answers, task: int, answer: Any) -> Any:
        """See `Lesson`: the codes of the classes, and of what is above them in a tree."""
        columns = {name: code for code, name in enumerate(self.columns(answers))}
        given = KINDS["set"].columns(answers.control, [answer]) if answers.control.is_tree else answer
        return frozenset(columns[label] for label in given if label in columns)

    def with_new(self, pred_probs: Floats, new: NDArray[np.bool_]) -> Floats:
        """See `Lesson`."""
        return np.where(new, FLOOR / 2, pred_probs)


def _consensus(answers: Answers, P: Floats | None) -> Codes:
    """Return the consensus as 1 where a class applies, 0 where not; rows of -1 where nobody said anything."""
    found = believe(answers, P)[1].found
    assert isinstance(found, SetResult), "of sets"
    told = (found.num_answers > 0) | found.known
    sets: Codes = np.where(told[:, None], found.probability >= HALF, UNKNOWN).astype(np.int64)
    return sets


def _summary(why: str, P: Floats, sets: Codes, changed: list[float]) -> str:
    told = (sets >= 0).all(axis=1)
    n = int(told.sum())
    if not n or not sets.shape[1]:
        return f"{why}. No task has a set yet, so there was nothing to learn from."
    y, chances = sets[told], P[told]
    shares = np.clip(y.mean(axis=0), FLOOR / 2, 1 - FLOOR / 2)
    agrees, alone = ((chances >= HALF) == y).mean(), ((shares >= HALF) == y).mean()
    text = (
        f"{why}, each class by itself. Out of sample it agrees with {percent(agrees, 1)} of what {n:,} consensus sets "
        f"say of their {sets.shape[1]} classes (the shares of the classes alone: {percent(alone, 1)})."
    )
    if _loss(chances, y) >= _loss(np.tile(shares, (n, 1)), y):
        text += " It predicts no better than the class shares, so it will have little influence."
    return f"{text}\n{rounds_told(changed, 'sets')}"


def _loss(P: Floats, y: Codes) -> float:
    return float(-np.log(np.where(y == 1, P, 1 - P)).mean())
