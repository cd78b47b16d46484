"""Crowds and models made to order: kinds that a consensus may meet, named or drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.datasets import judge_features
from crowdcore import Crowd, majority_vote
from crowdcore.simulation import Simulation
from crowdcore.simulation.registry import find_strategy

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

RIGHT_TOGETHER, SAME_ERROR = 0.45, 0.8
"""On a task on which annotators err together: how many are right, and how many of the others give one wrong label."""
RIGHT_ADVERSARY = 0.1
CHUNK = 1 << 20
NUM_FEATURES = 20


@dataclass(frozen=True)
class Model:
    """A model's probabilities: those of a normal observation of each class, that of the class it sees shifted.

    Attributes
    ----------
    accuracy : float
        How often the most probable class is the one it sees; at least the share of the largest class, or 1 / K of a
        balanced model.
    sharpness : float
        Power of the probabilities that would be right: above 1 the model is overconfident.
    sees : str
        The truth; the next class, as with columns mixed up; or a random one.
    balanced : bool
        Whether it takes all classes to be equally frequent, as if it had learned from as many tasks of each.
    always : float
        Probability of the class it says, the same for all tasks: it does not know where it errs. It takes a class for
        the one that looks like it (see `Recipe`). 0 for a model that is as sure as the observation lets it be.
    """

    accuracy: float = 0.8
    sharpness: float = 1.0
    sees: Literal["truth", "the next class", "a random class"] = "truth"
    balanced: bool = False
    always: float = 0.0

    def __str__(self) -> str:
        words = [f"model {self.accuracy:.0%}"]
        if self.always:
            words.append(f"always {self.always:.0%} sure, errors to the class alike")
        if self.sharpness != 1:
            words.append(f"sharpness {self.sharpness:g}")
        if self.sees != "truth":
            words.append(f"of {self.sees}")
        if self.balanced:
            words.append("balanced")
        return " ".join(words)

    def judge(self, rng: np.random.Generator, truth: Codes, shares: Floats) -> Floats:
        """Return probabilities for tasks of this truth, of classes with these shares, shape (N, K)."""
        N, K = len(truth), len(shares)
        if self.always:
            return self._judge_alike(rng, truth, K)
        seen = {
            "truth": truth,
            "the next class": (truth + 1) % K,
            "a random class": rng.integers(K, size=N),
        }[self.sees]
        prior = np.zeros(K) if self.balanced else np.log(shares)
        noise, shifted = rng.normal(size=(N, K)), np.eye(K)[seen]
        low, high = 0.0, 30.0
        for _ in range(40):
            shift = (low + high) / 2
            log_P = shift * (shift * shifted + noise) + prior
            right = (log_P.argmax(axis=1) == seen).mean()
            low, high = (shift, high) if right < self.accuracy else (low, shift)
        log_P *= self.sharpness
        P: Floats = np.exp(log_P - log_P.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        return P

    def _judge_alike(self, rng: np.random.Generator, truth: Codes, K: int) -> Floats:
        N = len(truth)
        said = truth ^ (rng.permutation(N) >= round(self.accuracy * N))
        P: Floats = (1 - self.always) * rng.dirichlet(np.full(K, 0.3), size=N)
        P[np.arange(N), said] += self.always
        return P


@dataclass(frozen=True, eq=False)
class Known:
    """A crowd whose truth is known.

    Attributes
    ----------
    crowd : Crowd
        N tasks, M annotators, K classes.
    truth : ndarray of shape (N,)
        Class codes, -1 where nobody knows the truth.
    pred_probs : ndarray of shape (N, K), or None
        A model's probabilities, out of sample.
    features : ndarray of shape (N, d), or None
        What a classifier can learn from.
    chance : ndarray of shape (M,), or None
        How often each annotator is right in the long run.
    """

    crowd: Crowd
    truth: Codes
    pred_probs: Floats | None = None
    features: Floats | None = None
    chance: Floats | None = None

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Tasks whose truth is known, all that accuracies are of; shape (N,)."""
        judged: NDArray[np.bool_] = self.truth >= 0
        return judged


@dataclass(frozen=True)
class Recipe:
    """What a crowd is made by.

    Attributes
    ----------
    n_tasks, n_annotators, n_classes : int
        N, M and K.
    answers : float
        Mean number of answers a task; each has at least one.
    evenly : bool
        Whether all annotators answer about as much; otherwise some answer far more than others.
    accuracy, spread : float
        Chance that the median annotator is right, and standard deviation of its log odds.
    spammers, adversaries : float
        Shares of the annotators who answer regardless of the task (half of these always the same), and who are right
        once in ten times.
    together : float
        Share of the tasks on which annotators err together.
    evenness : float
        Parameter of the Dirichlet distribution of errors: large if all wrong labels are equally likely.
    look_alikes : float
        Share of the errors that go to the class which looks like the true one: the first and the second are alike, the
        third and the fourth, and so on, so their number is even.
    class_shares : tuple of float
        Of the true classes; equal if empty.
    strategy : str
        One of `crowdcore.simulation`, instead of everything from `accuracy` to `evenness`.
    options : mapping
        The strategy's.
    model : Model, optional
        What there is beside the answers.
    separation : float
        Distance between the classes' means in each of 20 normal features; 0 for no features. With features the
        probabilities are those of `judge_features`.
    """

    n_tasks: int = 1000
    n_annotators: int = 50
    n_classes: int = 4
    answers: float = 3
    evenly: bool = False
    accuracy: float = 0.7
    spread: float = 1.0
    spammers: float = 0.0
    adversaries: float = 0.0
    together: float = 0.0
    evenness: float = 20.0
    look_alikes: float = 0.0
    class_shares: tuple[float, ...] = ()
    strategy: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    model: Model | None = None
    separation: float = 0.0

    def __str__(self) -> str:
        words = [f"{self.n_tasks} × {self.n_annotators}, {self.n_classes} classes, {self.answers:g} a task"]
        if self.strategy:
            words += [self.strategy, *(f"{name} {value:g}" for name, value in self.options.items())]
        else:
            words.append(f"{self.accuracy:.0%} right ± {self.spread:g}")
        shares = {"spammers": self.spammers, "adversaries": self.adversaries, "of tasks wavering": self.together}
        words += [f"{share:.0%} {what}" for what, share in shares.items() if share]
        words += ["who answer about as much"] * self.evenly
        words += [f"{self.look_alikes:.0%} of errors to the class alike"] * bool(self.look_alikes)
        if self.evenness < 2 and self.n_classes > 2:
            words.append("classes confused")
        if self.class_shares:
            words.append(f"largest class {max(self.class_shares):.0%}")
        words += [str(self.model)] if self.model else []
        words += [f"features {self.separation:g} apart"] if self.separation else []
        return ", ".join(words)

    @property
    def shares(self) -> Floats:
        """The true classes' shares, shape (K,)."""
        shares: Floats = np.array(self.class_shares or [1.0] * self.n_classes)
        shares /= shares.sum()
        return shares

    def make(self, seed: int) -> Known:
        """Return such a crowd; the same seed gives the same."""
        made = self._simulated(seed)
        crowd, truth, rng = made.crowd, made.truth, np.random.default_rng([seed, 1])
        known = Known(crowd, truth, chance=made.annotator_accuracy)
        if self.model:
            return replace(known, pred_probs=self.model.judge(rng, truth, self.shares))
        if self.separation:
            means = rng.normal(scale=self.separation, size=(self.n_classes, NUM_FEATURES))
            X = means[truth] + rng.normal(size=(len(truth), NUM_FEATURES))
            P = judge_features(X, majority_vote(crowd), self.n_classes)
            return replace(known, pred_probs=P, features=X)
        return known

    def _simulated(self, seed: int) -> Simulation:
        if not self.strategy:
            return varied_crowd(self, seed)
        return find_strategy(self.strategy)(
            n_tasks=self.n_tasks, n_annotators=self.n_annotators, n_classes=self.n_classes,
            answers_per_task=int(self.answers), seed=seed, **self.options,
        )  # fmt: skip


def varied_crowd(recipe: Recipe, seed: int) -> Simulation:
    """Simulate annotators who differ in skill, in kind and in how much they answer, and who err together."""
    rng = np.random.default_rng([seed, 0])
    N, M, K = recipe.n_tasks, recipe.n_annotators, recipe.n_classes
    truth = rng.choice(K, size=N, p=recipe.shares)
    errors = np.zeros((K, K))
    errors[~np.eye(K, dtype=bool)] = rng.dirichlet(np.full(K - 1, recipe.evenness), size=K).ravel()
    if recipe.look_alikes:
        errors = (1 - recipe.look_alikes) * errors + recipe.look_alikes * np.eye(K)[np.arange(K) ^ 1]
    log_odds = np.log(recipe.accuracy / (1 - recipe.accuracy)) + recipe.spread * rng.normal(size=M)
    role = rng.random(M)
    spammer = role < recipe.spammers
    adversary = ~spammer & (role < recipe.spammers + recipe.adversaries)
    right = np.where(adversary, RIGHT_ADVERSARY, 1 / (1 + np.exp(-log_odds)))[:, None, None]
    own = right * np.eye(K) + (1 - right) * errors
    constant = np.eye(K)[rng.integers(K, size=M)]
    own[spammer] = np.where(rng.random(M)[:, None] < 0.5, constant, 1 / K)[spammer][:, None, :]

    sizes = np.minimum(1 + rng.poisson(recipe.answers - 1, size=N), M)
    task, annotator = _assigned(rng, sizes, np.ones(M) if recipe.evenly else rng.pareto(1.2, size=M) + 0.2)
    label = _drawn(rng, own.cumsum(axis=2)[annotator, truth[task]])
    shared, other = (_drawn(rng, errors.cumsum(axis=1)[true]) for true in (truth, truth[task]))
    draw = rng.random(len(task))
    error = np.where(rng.random(len(task)) < SAME_ERROR, shared[task], other)
    wavers = (rng.random(N) < recipe.together)[task] & ~(spammer | adversary)[annotator]
    label = np.where(wavers, np.where(draw < RIGHT_TOGETHER, truth[task], error), label)

    crowd = Crowd.from_codes(task, annotator, label, tasks=range(N), annotators=range(M), classes=range(K))
    together = np.where(spammer | adversary, 0, recipe.together)[:, None, None]
    wavering = RIGHT_TOGETHER * np.eye(K) + (1 - RIGHT_TOGETHER) * errors
    return Simulation(crowd, truth, (1 - together) * own + together * wavering)


def _assigned(rng: np.random.Generator, sizes: Codes, activity: Floats) -> tuple[Codes, Codes]:
    """Return tasks and annotators: of each task the `sizes` first that come, the active ones sooner."""
    annotators, rows = [], max(1, CHUNK // len(activity))
    for start in range(0, len(sizes), rows):
        chunk = sizes[start : start + rows]
        arrival = rng.exponential(size=(len(chunk), len(activity))) / activity
        most = int(chunk.max())
        first = np.argpartition(arrival, most - 1, axis=1)[:, :most]
        order = np.take_along_axis(first, np.take_along_axis(arrival, first, axis=1).argsort(axis=1), axis=1)
        annotators.append(order[np.arange(most) < chunk[:, None]])
    return np.repeat(np.arange(len(sizes)), sizes), np.concatenate(annotators)


def _drawn(rng: np.random.Generator, steps: Floats) -> Codes:
    """Return a draw from each row of chances that are added up."""
    drawn: Codes = (rng.random((len(steps), 1)) * steps[:, -1:] >= steps).sum(axis=1)
    return drawn


NINE = (0.3 / 9,) * 9
KINDS: dict[str, Recipe] = {
    "base": Recipe(model=Model()),
    "base, alone": Recipe(),
    "thin": Recipe(300, 30, answers=1.3, model=Model(0.75)),
    "thin, alone": Recipe(300, 30, answers=1.6),
    "one answer": Recipe(800, answers=1, model=Model()),
    "one answer, weak model": Recipe(800, answers=1, accuracy=0.85, model=Model(0.5)),
    "spammers": Recipe(answers=4, spammers=0.5, model=Model(0.7)),
    "spammers, alone": Recipe(answers=5, spammers=0.5),
    "adversaries": Recipe(1000, 20, answers=4, adversaries=0.25, model=Model(0.7)),
    "adversaries, alone": Recipe(1000, 20, answers=5, accuracy=0.8, adversaries=0.2),
    "erring together": Recipe(answers=4, together=0.3, model=Model(0.75)),
    "erring together, alone": Recipe(answers=5, together=0.3),
    "erring together, overconfident": Recipe(answers=5, together=0.25, model=Model(0.75, 3)),
    "overconfident": Recipe(model=Model(0.7, 4)),
    "underconfident": Recipe(model=Model(0.8, 0.3)),
    "model knows nothing": Recipe(model=Model(0.25)),
    "model of columns mixed up": Recipe(answers=4, accuracy=0.8, model=Model(0.8, 1, "the next class")),
    "model at random": Recipe(model=Model(0.8, 1, "a random class")),
    "model nearly perfect": Recipe(answers=2, model=Model(0.98)),
    "two classes": Recipe(n_classes=2, model=Model()),
    "two classes, alone": Recipe(n_classes=2, answers=5),
    "two classes, unbalanced": Recipe(n_classes=2, accuracy=0.8, class_shares=(0.95, 0.05), model=Model(0.97)),
    "two classes, unbalanced, balanced model": Recipe(
        n_classes=2, accuracy=0.8, class_shares=(0.95, 0.05), model=Model(0.93, balanced=True)
    ),
    "ten classes, unbalanced": Recipe(n_classes=10, class_shares=(0.7, *NINE), model=Model(0.85)),
    "ten classes, unbalanced, balanced model": Recipe(
        n_classes=10, class_shares=(0.7, *NINE), model=Model(0.85, balanced=True)
    ),
    "ten classes, unbalanced, alone": Recipe(n_classes=10, class_shares=(0.7, *NINE)),
    "30 classes": Recipe(2000, 100, 30, evenness=1.2, model=Model(0.7)),
    "100 classes": Recipe(3000, 200, 100, model=Model(0.6)),
    "100 classes, alone": Recipe(3000, 200, 100),
    "150 classes, look-alikes": Recipe(1500, 100, 150, look_alikes=0.9, model=Model(0.6, always=0.3)),
    "150 classes, look-alikes, unsure model": Recipe(1500, 100, 150, look_alikes=0.9, model=Model(0.6, 0.5)),
    "150 classes, look-alikes, weak model": Recipe(1500, 100, 150, look_alikes=0.9, model=Model(0.1)),
    "150 classes, look-alikes, alone": Recipe(1500, 100, 150, look_alikes=0.9),
    "3,000 annotators of few answers": Recipe(3000, 3000, 2, answers=2, evenly=True, model=Model(0.6, always=0.6)),
    "3,000 annotators of few answers, four classes": Recipe(2000, 3000, evenly=True, model=Model(0.35)),
    "3,000 annotators of few answers, alone": Recipe(3000, 3000, 2, answers=2, evenly=True),
    "5 annotators": Recipe(1000, 5, model=Model(0.75)),
    "5 annotators, alone": Recipe(200, 5, answers=4),
    "2,000 annotators": Recipe(3000, 2000, model=Model(0.75)),
    "5,000 annotators": Recipe(3000, 5000, answers=1.5, accuracy=0.8, model=Model(0.75)),
    "many answers": Recipe(300, 100, answers=25, accuracy=0.5, together=0.1, model=Model()),
    "many answers, alone": Recipe(300, 100, answers=25, accuracy=0.5, together=0.1),
    "tiny": Recipe(60, 8, model=Model(0.75)),
    "tiny, alone": Recipe(108, 20, answers=4),
    "classes confused": Recipe(n_classes=6, answers=4, accuracy=0.6, evenness=0.3, model=Model(0.7)),
    "classes confused, alone": Recipe(n_classes=6, answers=5, accuracy=0.6, evenness=0.3),
    "independent confusion": Recipe(strategy="independent-confusion", answers=5, model=Model(0.7)),
    "independent confusion, alone": Recipe(strategy="independent-confusion", answers=5),
    "hammers and spammers, alone": Recipe(strategy="hammer-spammer", options={"ratio": 0.6}),
    "students and teachers, alone": Recipe(1000, 20, strategy="student-teacher", options={"ratio": 0.5}, answers=5),
    "easy and hard tasks": Recipe(
        strategy="discrete-difficulty", options={"ratio": 0.35, "random": 0.1}, answers=5, model=Model(0.7)
    ),
    "easy and hard tasks, alone": Recipe(
        strategy="discrete-difficulty", options={"ratio": 0.35, "random": 0.1}, answers=5
    ),
    "luck shared": Recipe(strategy="correlated-errors", options={"correlation": 0.6}, answers=5, model=Model(0.7)),
    "features": Recipe(separation=0.5),
    "features, thin": Recipe(600, answers=1.5, separation=0.5),
    "features, erring together": Recipe(answers=4, together=0.3, separation=0.5),
}
"""Kinds of crowds by name."""


def random_recipe(seed: int, with_model: bool) -> Recipe:
    """Return a recipe with every property drawn at random."""
    rng = np.random.default_rng([seed, 2])

    def one_of(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    K = one_of(2, 2, 3, 5, 8, 15, 50)
    shares = rng.dirichlet(np.full(K, one_of(0.5, 2.0, 50.0))) + 0.02 / K
    recipe = Recipe(
        n_tasks=one_of(150, 400, 1000, 2500),
        n_annotators=one_of(6, 15, 40, 150, 800),
        n_classes=K,
        answers=one_of(1.4, 2, 3, 5, 8),
        accuracy=one_of(0.6, 0.7, 0.85),
        spread=one_of(0.3, 1.0, 1.7),
        spammers=one_of(0.0, 0.0, 0.2, 0.35),
        adversaries=one_of(0.0, 0.0, 0.0, 0.1),
        together=one_of(0.0, 0.0, 0.1, 0.3),
        evenness=one_of(20.0, 2.0, 0.3),
        class_shares=tuple((shares / shares.sum()).tolist()),
    )
    model = Model(one_of(0.5, 0.7, 0.85, 0.95), one_of(0.4, 1.0, 1.0, 2.5), balanced=one_of(False, True))
    return replace(recipe, model=model) if with_model else recipe
