"""The ways to simulate a crowd: one function each."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.crowd.ids import Codes
from crowdcore.simulation.drawing import (
    Floats,
    Simulation,
    as_confusions,
    check_share,
    check_size,
    draw_confusions,
    draw_truth,
    simulated,
)


def independent_confusion(
    n_tasks: int = 100,
    n_annotators: int = 20,
    n_classes: int = 2,
    *,
    workload: int | None = None,
    answers_per_task: int | None = None,
    class_shares: ArrayLike | None = None,
    imbalance_votes: bool = False,
    confusions: ArrayLike | None = None,
    seed: int = 0,
) -> Simulation:
    """Simulate annotators who answer independently, each by a confusion matrix of their own.

    Its rows are drawn evenly from all distributions (Dirichlet with parameters 1), and the largest chance of each
    is swapped onto the diagonal. The model of Dawid & Skene 1979; as in peerannot.

    Parameters
    ----------
    n_tasks, n_annotators, n_classes : int
        N, M and K.
    workload : int, optional
        How many tasks each annotator answers, exactly. With `answers_per_task` too, or with `imbalance_votes`: the
        most that anybody answers; the tasks are then spread evenly.
    answers_per_task : int, optional
        How many annotators answer each task, exactly. Without it and without `workload` all of them do.
    class_shares : array_like of shape (K,), optional
        Chances of the true classes; equal by default.
    imbalance_votes : bool
        Draw each task's number of answers evenly from 1 to `answers_per_task`.
    confusions : array_like of shape (M, K, K), optional
        Confusion matrices (annotator, true class, label) to be taken instead of random ones.
    seed : int
        Seed of the random numbers; the same seed gives the same crowd.

    Returns
    -------
    Simulation
        The crowd, its truth and its confusion matrices.

    Raises
    ------
    ValueError
        If a number is out of its range, or there are fewer annotators or tasks than answers are wanted of each.

    Examples
    --------
    >>> made = independent_confusion(200, 30, 5, answers_per_task=10, seed=1)
    >>> made.crowd
    Crowd(200 tasks, 30 annotators, 5 classes, 2000 answers)
    >>> made.confusions.shape
    (30, 5, 5)
    """
    rng, truth = _start(n_tasks, n_annotators, n_classes, class_shares, seed)
    matrices = _given_or_drawn(rng, confusions, n_annotators, n_classes)
    return simulated(rng, truth, matrices, workload, answers_per_task, imbalance_votes)


def imbalanced_votes(
    n_tasks: int = 100,
    n_annotators: int = 20,
    n_classes: int = 2,
    *,
    workload: int | None = None,
    answers_per_task: int | None = None,
    class_shares: ArrayLike | None = None,
    confusions: ArrayLike | None = None,
    seed: int = 0,
) -> Simulation:
    """Simulate as `independent_confusion` does, with another number of answers for each task.

    The numbers are drawn evenly from 1 to `answers_per_task`: ``imbalance_votes=True``, which every other strategy
    takes too. Parameters, result and errors are those of `independent_confusion`.

    Examples
    --------
    >>> made = imbalanced_votes(1000, 30, 5, answers_per_task=10, seed=1)
    >>> made.crowd.num_answers.min(), made.crowd.num_answers.max()
    (np.int64(1), np.int64(10))
    """
    return independent_confusion(
        n_tasks,
        n_annotators,
        n_classes,
        workload=workload,
        answers_per_task=answers_per_task,
        class_shares=class_shares,
        imbalance_votes=True,
        confusions=confusions,
        seed=seed,
    )


def hammer_spammer(
    n_tasks: int = 100,
    n_annotators: int = 20,
    n_classes: int = 2,
    *,
    ratio: float = 0.1,
    workload: int | None = None,
    answers_per_task: int | None = None,
    class_shares: ArrayLike | None = None,
    imbalance_votes: bool = False,
    seed: int = 0,
) -> Simulation:
    """Simulate annotators who are always right, and spammers who answer at random.

    The first annotators are hammers, the last ``floor(ratio * n_annotators)`` spammers. Karger, Oh & Shah 2011,
    "Iterative learning for reliable crowdsourcing systems"; as in peerannot.

    Parameters
    ----------
    ratio : float
        Share of spammers among the annotators.
    n_tasks, n_annotators, n_classes, workload, answers_per_task, class_shares, imbalance_votes, seed
        See `independent_confusion`.

    Returns
    -------
    Simulation
        The crowd; confusion matrices are the identity or uniform.

    Raises
    ------
    ValueError
        As `independent_confusion`.

    Examples
    --------
    >>> made = hammer_spammer(1000, 10, 4, ratio=0.3)
    >>> made.annotator_accuracy.tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.25, 0.25, 0.25]
    """
    rng, truth = _start(n_tasks, n_annotators, n_classes, class_shares, seed)
    spammers = _part(ratio, n_annotators)
    matrices = np.empty((n_annotators, n_classes, n_classes))
    matrices[: n_annotators - spammers] = np.eye(n_classes)
    matrices[n_annotators - spammers :] = 1 / n_classes
    return simulated(rng, truth, matrices, workload, answers_per_task, imbalance_votes)


def student_teacher(
    n_tasks: int = 100,
    n_annotators: int = 20,
    n_classes: int = 2,
    *,
    ratio: float = 0.1,
    workload: int | None = None,
    answers_per_task: int | None = None,
    class_shares: ArrayLike | None = None,
    imbalance_votes: bool = False,
    confusions: ArrayLike | None = None,
    seed: int = 0,
) -> Simulation:
    """Simulate teachers, and students who make mistakes as their teacher does.

    The first annotators are teachers, with matrices as in `independent_confusion`; the last
    ``floor(ratio * n_annotators)`` are students, each with the matrix of a random teacher. They answer by it on
    their own: for mistakes on the same tasks see `correlated_errors`. As in peerannot.

    Parameters
    ----------
    ratio : float
        Share of students among the annotators, below 1.
    confusions : array_like of shape (teachers, K, K), optional
        The teachers' matrices.
    n_tasks, n_annotators, n_classes, workload, answers_per_task, class_shares, imbalance_votes, seed
        See `independent_confusion`.

    Returns
    -------
    Simulation
        The crowd; `teacher` says whom each student follows.

    Raises
    ------
    ValueError
        As `independent_confusion`, or if there is no teacher.

    Examples
    --------
    >>> made = student_teacher(100, 6, 3, ratio=0.5)
    >>> made.teacher.tolist()
    [-1, -1, -1, 1, 2, 1]
    """
    rng, truth = _start(n_tasks, n_annotators, n_classes, class_shares, seed)
    students = _part(ratio, n_annotators)
    teachers = n_annotators - students
    if not teachers:
        raise ValueError(
            f"ratio is {ratio!r}, so all {n_annotators} annotators are students. Choose a smaller ratio: at least one "
            "must be a teacher."
        )
    matrices = _given_or_drawn(rng, confusions, teachers, n_classes)
    teacher = np.full(n_annotators, -1)
    teacher[teachers:] = rng.integers(teachers, size=students)
    matrices = np.concatenate([matrices, matrices[teacher[teachers:]]])
    return simulated(rng, truth, matrices, workload, answers_per_task, imbalance_votes, teacher=teacher)


def discrete_difficulty(
    n_tasks: int = 100,
    n_annotators: int = 20,
    n_classes: int = 2,
    *,
    ratio: float = 0.1,
    ratio_diff: float = 1.0,
    random: float = 0.0,
    workload: int | None = None,
    answers_per_task: int | None = None,
    class_shares: ArrayLike | None = None,
    imbalance_votes: bool = False,
    confusions: ArrayLike | None = None,
    seed: int = 0,
) -> Simulation:
    """Simulate tasks that are easy, hard or impossible, and annotators who are good or bad.

    Everybody is right on easy tasks and guesses on random ones; on hard ones answers follow the confusion matrix.
    The first ``floor(ratio * n_annotators)`` annotators are good (rows Dirichlet(0.2), the largest chance swapped
    onto the diagonal), the others bad (rows Dirichlet(5), which are nearly uniform). As in peerannot.

    Parameters
    ----------
    ratio : float
        Share of good annotators.
    ratio_diff : float
        Easy tasks for each hard one.
    random : float
        Share of random tasks.
    n_tasks, n_annotators, n_classes, workload, answers_per_task, class_shares, imbalance_votes, confusions, seed
        See `independent_confusion`.

    Returns
    -------
    Simulation
        The crowd; `difficulty` says what each task is.

    Raises
    ------
    ValueError
        As `independent_confusion`.

    Examples
    --------
    >>> made = discrete_difficulty(1000, 20, 3, ratio=0.5, ratio_diff=3, seed=0)
    >>> (made.difficulty == "easy").mean()
    np.float64(0.741)
    """
    check_share("random", random)
    if not (isinstance(ratio_diff, int | float | np.number) and np.isfinite(ratio_diff) and ratio_diff >= 0):
        raise ValueError(
            f"ratio_diff is {ratio_diff!r}; it must be the number of easy tasks for each hard one, 0 or more."
        )
    rng, truth = _start(n_tasks, n_annotators, n_classes, class_shares, seed)
    good = _part(ratio, n_annotators)
    hard = (1 - random) / (1 + ratio_diff)
    difficulty = rng.choice(["easy", "hard", "random"], p=[1 - random - hard, hard, random], size=n_tasks)
    if confusions is None:
        matrices = np.concatenate(
            [
                draw_confusions(rng, good, n_classes, 0.2),
                draw_confusions(rng, n_annotators - good, n_classes, 5.0, favour_truth=False),
            ]
        )
    else:
        matrices = as_confusions(confusions, n_annotators, n_classes)
    return simulated(rng, truth, matrices, workload, answers_per_task, imbalance_votes, difficulty=difficulty)


def correlated_errors(
    n_tasks: int = 100,
    n_annotators: int = 20,
    n_classes: int = 2,
    *,
    correlation: float = 0.5,
    workload: int | None = None,
    answers_per_task: int | None = None,
    class_shares: ArrayLike | None = None,
    imbalance_votes: bool = False,
    confusions: ArrayLike | None = None,
    seed: int = 0,
) -> Simulation:
    r"""Simulate annotators who make the same mistakes on the same tasks.

    Each answer comes from a draw :math:`u` in [0, 1): right if :math:`u < \pi_j[z, z]`, otherwise one of the wrong
    labels, in the order of the classes, as their chances :math:`\pi_j[z, \cdot]` add up. With the chance
    `correlation` :math:`u` is the task's luck, which all its annotators share; otherwise it is the answer's own.
    So on a task of high luck many are wrong together and choose the same wrong label, while each annotator taken
    alone answers by their confusion matrix, exactly as in `independent_confusion`. Two annotators answer by the
    same luck on the share ``correlation ** 2`` of their tasks.

    Parameters
    ----------
    correlation : float
        Share of the answers that depend on the task's luck, from 0 (independent errors) to 1.
    n_tasks, n_annotators, n_classes, workload, answers_per_task, class_shares, imbalance_votes, confusions, seed
        See `independent_confusion`.

    Returns
    -------
    Simulation
        The crowd; `luck` has the shared draws.

    Raises
    ------
    ValueError
        As `independent_confusion`.

    Examples
    --------
    >>> from crowdcore import majority_vote
    >>> for correlation in (0.0, 0.8):
    ...     made = correlated_errors(1000, 20, 3, correlation=correlation, seed=0)
    ...     print(f"{made.accuracy:.2f} of the answers right, "
    ...           f"{(majority_vote(made.crowd) == made.truth).mean():.2f} of the majorities")
    0.64 of the answers right, 0.98 of the majorities
    0.64 of the answers right, 0.69 of the majorities
    """
    check_share("correlation", correlation)
    rng, truth = _start(n_tasks, n_annotators, n_classes, class_shares, seed)
    matrices = _given_or_drawn(rng, confusions, n_annotators, n_classes)
    return simulated(rng, truth, matrices, workload, answers_per_task, imbalance_votes, correlation=correlation)


def _start(
    n_tasks: int, n_annotators: int, n_classes: int, class_shares: ArrayLike | None, seed: int
) -> tuple[np.random.Generator, Codes]:
    """Return the source of chance and the true classes."""
    for name, value in (("n_tasks", n_tasks), ("n_annotators", n_annotators), ("n_classes", n_classes)):
        check_size(name, value)
    check_size("seed", seed, least=0)
    rng = np.random.default_rng(seed)
    return rng, draw_truth(rng, n_tasks, n_classes, class_shares)


def _given_or_drawn(rng: np.random.Generator, confusions: ArrayLike | None, size: int, n_classes: int) -> Floats:
    if confusions is not None:
        return as_confusions(confusions, size, n_classes)
    return draw_confusions(rng, size, n_classes, 1.0)


def _part(ratio: float, whole: int) -> int:
    """Return the share of a number, rounded down; 0.29 of 100 is 29."""
    check_share("ratio", ratio)
    return int(ratio * whole + 1e-9)
