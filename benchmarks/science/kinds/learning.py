"""What a classifier of sets and a regressor of numbers bring, and what useless ones do.

    python -m benchmarks.science.kinds.learning [--data FOLDER] [--out FOLDER]

The crowds are in --data (by default the folder shared/data beside the checkout); what is drawn at random is named so.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from benchmarks.science.kinds.crowds import Answer, answers_of, read_crowd, table_of
from benchmarks.science.papers.datasets import MissingError, find, read_labelme
from benchmarks.science.papers.report import Claim, Report, Table, figure
from crowdcore.kinds import AnswerTable, NumberResult, SetResult, label_sets, numbers
from harness.checkout import DATA

Floats = NDArray[np.float64]

EMOTIONS = ("valence", "anger", "joy", "surprise")
DRAWS, DIMENSIONS = 5, 20
TOPICS = {
    "sport": "goal team league score match", "money": "bank loan price market trade", "space": "star moon orbit comet",
    "food": "bread soup apple cheese", "law": "court judge crime trial", "music": "song band guitar drum",
}  # fmt: skip
COMMON = ("the", "a", "of", "and", "in", "to", "it", "was", "for", "on", "with", "at", "by", "from", "this", "that")


@dataclass(frozen=True)
class SetCase:
    """Sets with features: answers, features (N, d), and whether each class applies (N, K), NaN where not known."""

    name: str
    table: AnswerTable
    features: Floats
    truth: Floats
    classes: list[Any]


@dataclass(frozen=True)
class NumberCase:
    """Numbers with features and their truth."""

    name: str
    table: AnswerTable
    features: Floats
    truth: Floats


def run(data: Path) -> Report:
    """Measure everything."""
    report = Report(
        "learning",
        "Sets and numbers with what is learned of the tasks",
        "What is learned of features, out of fold, is the prior of the consensus "
        "([kinds of answers](../kinds.md#learned-from-the-tasks)). "
        "Shuffled: the same features, but of other tasks, which tell nothing.",
    )
    _sets(data, report)
    _numbers(data, report)
    report.notes += [
        "LabelMe: 1,000 pictures, 2.5 answers each, features of a network. Each answer, one of eight classes, is taken "
        "as a set of one. Medical relations have no features: these are drawn, and tell nothing.",
        f"Drawn texts: words of the classes that apply, or of the number, among common words; TF-IDF and {DIMENSIONS} "
        f"dimensions of its singular value decomposition; mean of {DRAWS} draws. Where no task has two answers, "
        "nothing tells how good annotators are, and what is learned has no say in sets.",
        "Emotions: what a crowd says of a headline is foretold by what it says of three other emotions in it. The "
        "truth is experts', and a crowd's errors are alike in all four: these predictions foretell the crowd better "
        "than the truth, and make the consensus no better.",
        "Diabetes: measurements and disease progression of 442 patients (Efron, Hastie, Johnstone & Tibshirani 2004), "
        "as scikit-learn has them; the answers are drawn, with biases and t-distributed errors about as large as the "
        f"progression's own spread; mean of {DRAWS} draws.",
    ]
    return report


def _ways(features: Floats) -> dict[str, Floats | None]:
    shuffled = features[np.random.default_rng(1).permutation(len(features))]
    return {"without": None, "learned": features, "shuffled": shuffled}


def _sets(data: Path, report: Report) -> None:
    cases = [(_labelme(data),), (_relations(data),), *(_draws(_texts_of_sets, each) for each in (1, 2, 3))]
    body, helps, harm = [], [], []
    for draws in cases:
        found = [_of_sets(case) for case in draws]
        mean = {way: np.mean([each[way] for each in found], axis=0) for way in found[0]}
        body += [[draws[0].name if way == "without" else "", way, *map(figure, row)] for way, row in mean.items()]
        if not draws[0].name.endswith(("features", "1 answer each")):
            helps.append(float(mean["learned"][1] - mean["without"][1]))
        harm.append(float(np.abs(mean["shuffled"] - mean["without"]).max()))
    head = ("crowd", "features", "accuracy", "F1", "log loss")
    report.tables.append(Table("Sets: each class of each task", head, body))
    report.claims += [
        Claim("sets: F1 with features higher on each crowd", f"{min(helps):+.3f} at least", min(helps) > 0),
        Claim("sets: no figure differs with shuffled features by .005", figure(max(harm)), max(harm) < 0.005),
    ]


def _of_sets(case: SetCase) -> dict[str, Floats]:
    told = ~np.isnan(case.truth)
    right = case.truth[told] > 0

    def judged(found: SetResult) -> Floats:
        p = np.clip(found.probability[told], 1e-15, 1 - 1e-15)
        kept = p >= 0.5
        f1 = 2 * (kept & right).sum() / max(kept.sum() + right.sum(), 1)
        return np.array([(kept == right).mean(), f1, log_loss(right, p)])

    return {
        way: judged(label_sets(case.table, classes=case.classes, features=features))
        for way, features in _ways(case.features).items()
    }


def _labelme(data: Path) -> SetCase:
    found, X = read_labelme(data), np.load(find(data, "labelme") / "LabelMe_VGG_avg_train.npy")
    crowd, K = found.crowd, len(found.crowd.classes)
    rows: list[Answer] = [
        (int(task), f"{who:02}", {int(label)})
        for task, who, label in zip(crowd.task, crowd.annotator, crowd.label, strict=True)
    ]
    return SetCase("LabelMe, 8 classes", table_of(rows, len(X)), X, np.eye(K)[found.truth], list(range(K)))


def _relations(data: Path) -> SetCase:
    rows = read_crowd(data, "relations-multi-label")
    table = table_of(answers_of(rows), len(rows))
    classes = sorted(set().union(*table.values))
    truth = np.array([[float(row["truth"].get(name, np.nan)) for name in classes] for row in rows])
    features = np.random.default_rng(0).normal(size=(len(rows), DIMENSIONS))
    return SetCase("medical relations, 12 classes, drawn features", table, features, truth, classes)


def _draws(draw: Callable[[int, int], Any], each: int) -> tuple[Any, ...]:
    return tuple(draw(seed, each) for seed in range(DRAWS))


def _texts_of_sets(seed: int, each: int, num_tasks: int = 500) -> SetCase:
    rng = np.random.default_rng(seed)
    classes, annotators = list(TOPICS), 25
    right = rng.random((num_tasks, len(classes))) < [0.5, 0.4, 0.3, 0.2, 0.15, 0.1]
    found, made_up = rng.uniform(0.5, 0.9, annotators), rng.uniform(0.02, 0.2, annotators)
    texts, rows = [], list[Answer]()
    for i, row in enumerate(right):
        words = [str(rng.choice(TOPICS[classes[k]].split())) for k in np.flatnonzero(row) for _ in range(2)]
        texts.append(" ".join([*words, *rng.choice(COMMON, 8).tolist()]))
        for j in rng.choice(annotators, each, replace=False).tolist():
            said = rng.random(len(classes)) < np.where(row, found[j], made_up[j])
            rows.append((i, f"{j:02}", {classes[k] for k in np.flatnonzero(said)}))
    name = f"drawn texts, {each} answer{'s' * (each > 1)} each"
    return SetCase(name, table_of(rows, num_tasks), _dimensions(texts), right.astype(np.float64), classes)


def _dimensions(texts: Iterable[str]) -> Floats:
    found: Floats = TruncatedSVD(DIMENSIONS, random_state=0).fit_transform(TfidfVectorizer().fit_transform(texts))
    return found


def _numbers(data: Path, report: Report) -> None:
    cases: list[tuple[NumberCase, ...]] = [(case,) for case in _emotions(data)]
    cases += [_draws(draw, each) for draw in (_diabetes, _texts_of_numbers) for each in (2, 3, 5)]
    body, helps, harm = [], [], []
    for draws in cases:
        found = [_of_numbers(case) for case in draws]
        mean = {way: np.mean([each[way] for each in found], axis=0) for way in found[0]}
        for way, (off, r, held, explained) in mean.items():
            name = draws[0].name if way == "without" else ""
            body.append([name, way, figure(off, 1), figure(r), figure(held), figure(explained, 2)])
        if len(draws) > 1:
            helps.append(float(mean["learned"][0] / mean["without"][0]))
        harm.append(float(mean["shuffled"][0] / mean["without"][0]))
    head = ("crowd", "features", "mean absolute error", "correlation", "held", "foretold")
    about = (
        "Held: how many of the 90 % intervals hold the truth. Foretold: share of the truths' variance, as estimated."
    )
    report.tables.append(Table("Numbers", head, body, about))
    report.claims += [
        Claim("numbers: error with features smaller on each drawn crowd", f"{max(helps):.2f} of it", max(helps) < 1),
        Claim("numbers: error with shuffled features at most 1 % larger", f"{max(harm):.3f} of it", max(harm) <= 1.01),
    ]


def _of_numbers(case: NumberCase) -> dict[str, Floats]:
    def judged(found: NumberResult) -> Floats:
        low, high = found.interval.T
        off = np.abs(found.consensus - case.truth).mean()
        r = np.corrcoef(found.consensus, case.truth)[0, 1]
        return np.array([off, r, ((low <= case.truth) & (case.truth <= high)).mean(), found.explained])

    return {way: judged(numbers(case.table, features=X)) for way, X in _ways(case.features).items()}


def _emotions(data: Path) -> list[NumberCase]:
    rows = {name: read_crowd(data, f"number-{name}") for name in EMOTIONS}
    tables = {name: table_of(answers_of(found), len(found)) for name, found in rows.items()}
    said = {name: numbers(table).consensus for name, table in tables.items()}
    return [
        NumberCase(
            f"{name}, by three others",
            tables[name],
            np.column_stack([said[other] for other in EMOTIONS if other != name]),
            np.array([np.mean(row["truth"]) for row in rows[name]]),
        )
        for name in EMOTIONS
    ]


def _diabetes(seed: int, each: int) -> NumberCase:
    X, y = load_diabetes(return_X_y=True)
    table = _answers(y, np.random.default_rng(seed), each, 60.0)
    return NumberCase(f"diabetes, {each} drawn answers", table, X, y)


def _texts_of_numbers(seed: int, each: int, num_tasks: int = 500) -> NumberCase:
    rng = np.random.default_rng(seed)
    sizes = ("tiny", "small", "medium", "large", "huge", "endless")
    size = rng.integers(0, len(sizes), (num_tasks, 2))
    texts = [" ".join([*(sizes[k] for k in row), *rng.choice(COMMON, 8).tolist()]) for row in size.tolist()]
    truth = 10.0 * size.sum(axis=1) + rng.normal(0, 15, num_tasks)
    return NumberCase(f"drawn texts, {each} answers each", _answers(truth, rng, each, 25.0), _dimensions(texts), truth)


def _answers(truth: Floats, rng: np.random.Generator, each: int, spread: float, annotators: int = 20) -> AnswerTable:
    """Return answers with biases and errors of a t-distribution with four degrees of freedom."""
    bias, scale = rng.normal(0, spread / 4, annotators), rng.uniform(0.5, 1.5, annotators) * spread
    rows: list[Answer] = [
        (i, f"{j:02}", float(number + bias[j] + scale[j] * rng.standard_t(4)))
        for i, number in enumerate(truth.tolist())
        for j in rng.choice(annotators, each, replace=False).tolist()
    ]
    return table_of(rows, len(truth))


def main() -> int:
    """Run everything, print the tables, and write them if there is a folder for them."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.science.kinds.learning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, metavar="FOLDER")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write Markdown there")
    options = parser.parse_args()
    try:
        with threadpool_limits(1):
            report = run(options.data)
    except MissingError as error:
        parser.exit(2, f"{error}\n")
    return report.publish(shlex.join(["python", "-m", "benchmarks.science.kinds.learning", *sys.argv[1:]]), options.out)


if __name__ == "__main__":
    sys.exit(main())
