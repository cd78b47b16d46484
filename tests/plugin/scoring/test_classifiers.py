"""Classifiers: what a project's data says about its classes, out of sample, and never a surprise."""

import subprocess
import sys

import numpy as np
import pytest

from crowdcore import Crowd, crowdlab, majority_vote
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.classifiers import TaskData, build, choose, train
from label_studio_crowd.scoring.classifiers.fields import kind_of
from label_studio_crowd.scoring.classifiers.out_of_sample import FLOOR, deal
from label_studio_crowd.scoring.classifiers.text import plain
from label_studio_crowd.scoring.consensus import MOST_EXPONENT, find_beliefs

TOPICS = [
    ["ball", "goal", "team", "match", "player", "score", "league", "coach"],
    ["bank", "money", "market", "stock", "price", "trade", "profit", "loan"],
    ["planet", "star", "orbit", "moon", "comet", "rocket", "galaxy", "light"],
]
COMMON = ["the", "a", "of", "and", "in", "to", "it", "was", "for", "on", "with", "at", "by", "from", "this", "that"]


def tasks_of(data, *fields, predictions=None):
    return TaskData(range(100, 100 + len(data)), data, fields, predictions or {})


def topical(n, seed=0, topical_words=3):
    """Texts whose words tell their class, and the classes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    data = [{"text": " ".join([*rng.choice(TOPICS[c], topical_words), *rng.choice(COMMON, 8)])} for c in truth]
    return tasks_of(data, ("Text", "text")), truth


def noisy_crowd(truth, K, *, skill=0.65, answers=2, annotators=12, seed=0):
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(len(truth)), answers)
    who = np.concatenate([rng.choice(annotators, answers, replace=False) for _ in truth])
    label = np.where(rng.random(len(task)) < skill, truth[task], rng.integers(0, K, len(task)))
    return Crowd.from_codes(task, who, label, tasks=range(len(truth)), annotators=range(annotators), classes=range(K))


def assert_probabilities(P, N, K):
    assert P.shape == (N, K)
    assert P.dtype == np.float64
    assert np.isfinite(P).all()
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-12)
    assert P.min() > 0.0099 / K  # logarithms are taken of these


# ---------------------------------------------------------------- it learns, and out of sample


def test_text_tells_the_classes_of_labelled_and_unlabelled_tasks():
    tasks, truth = topical(300)
    labels = np.where(np.arange(300) < 200, truth, -1)
    P = build("auto", tasks, n_classes=3).predict_out_of_sample(labels, 3)
    assert_probabilities(P, 300, 3)
    right = P.argmax(axis=1) == truth
    assert right[:200].mean() > 0.9
    assert right[200:].mean() > 0.9


@pytest.mark.parametrize("method", ["hierarchical-dawid-skene", "crowdlab"])
def test_a_consensus_with_text_beats_the_majority(method):
    tasks, truth = topical(400)
    crowd = noisy_crowd(truth, 3)
    trained = train(build("text", tasks, n_classes=3), crowd, consensus=method)
    consensus = find_beliefs(method, crowd, trained.pred_probs).result.consensus
    assert (consensus == truth).mean() > (majority_vote(crowd) == truth).mean() + 0.1


def test_the_second_round_learns_from_the_consensus_of_the_first():
    tasks, truth = topical(400)
    crowd = noisy_crowd(truth, 3)
    classifier = build("text", tasks, n_classes=3)
    P = classifier.predict_out_of_sample(majority_vote(crowd), 3)
    for method, consensus in (
        ("crowdlab", crowdlab(crowd, P).consensus),
        ("hierarchical-dawid-skene", hierarchical_dawid_skene(crowd, P, most_exponent=MOST_EXPONENT).consensus),
    ):
        trained = train(classifier, crowd, consensus=method, rounds=2)
        np.testing.assert_array_equal(trained.labels, consensus)
        np.testing.assert_array_equal(trained.pred_probs, classifier.predict_out_of_sample(consensus, 3))


MEMORY = """
from sklearn.compose import make_column_transformer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

def make():
    return make_pipeline(make_column_transformer(("passthrough", ["x"])), KNeighborsClassifier(1))
"""


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """An estimator that knows every task it has seen by heart."""
    (tmp_path / "memory.py").write_text(MEMORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    yield "memory:make"
    sys.modules.pop("memory", None)


@pytest.mark.parametrize("spec", ["text:text", "tabular:x", "embedding:v", "memory:make"])
@pytest.mark.usefixtures("memory")
def test_labels_that_depend_on_nothing_are_not_predicted(spec):
    """Every task is unlike every other, so whoever saw its label knows it, and nobody else can."""
    rng = np.random.default_rng(1)
    words = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 7)) for _ in range(200)]
    data = [
        {"text": f"{word} {word[::-1]}", "v": rng.normal(size=400).tolist(), "x": float(i)}
        for i, word in enumerate(words)
    ]
    labels = rng.integers(0, 2, 200)
    P = build(spec, tasks_of(data), n_classes=2).predict_out_of_sample(labels, 2)
    assert (P.argmax(axis=1) == labels).mean() < 0.6


def test_a_task_without_label_gets_the_mean_of_the_fold_models(memory):
    """An unlabelled copy of a labelled task is known to the four models that saw the label."""
    labels = np.random.default_rng(0).integers(0, 2, 400)
    tasks = tasks_of([{"x": float(x)} for x in [*range(400), *range(400)]])
    P = build(memory, tasks, n_classes=2).predict_out_of_sample(np.r_[labels, np.full(400, -1)], 2)
    assert (P[:400].argmax(axis=1) == labels).mean() < 0.6
    assert P[400:][np.arange(400), labels].min() > 0.79  # four of five are sure of it


def test_tabular_learns_from_numbers_and_from_categories():
    rng = np.random.default_rng(0)
    x, colour = rng.normal(size=300), rng.choice(["red", "green", "blue"], 300)
    truth = (x > 0) * 1 + (colour == "red") * 2
    data = [{"x": v, "colour": str(c)} for v, c in zip(x.tolist(), colour, strict=True)]
    P = build("auto", tasks_of(data), n_classes=4).predict_out_of_sample(truth, 4)
    assert (P.argmax(axis=1) == truth).mean() > 0.9


def test_the_two_sides_of_a_comparison_stay_apart():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    good, bad = "clear helpful answer", "vague rude reply"
    data = [{"a": (good, bad)[c], "b": (bad, good)[c]} for c in truth]
    tasks = tasks_of(data, ("Text", "a"), ("Text", "b"))
    P = build("text", tasks, n_classes=2).predict_out_of_sample(truth, 2)
    assert (P.argmax(axis=1) == truth).mean() > 0.95


@pytest.mark.parametrize("spec", ["text:text", "tabular:n", "embedding:v"])
def test_the_same_seed_gives_the_same_probabilities(spec):
    rng = np.random.default_rng(0)
    tasks, truth = topical(80)
    data = [
        {**row, "n": float(rng.normal() + c), "v": rng.normal(size=9).tolist()}
        for row, c in zip(tasks.data, truth, strict=True)
    ]
    one, two = (build(spec, tasks_of(data), n_classes=3) for _ in range(2))
    np.testing.assert_array_equal(
        one.predict_out_of_sample(truth, 3, seed=5), two.predict_out_of_sample(truth, 3, seed=5)
    )
    np.testing.assert_array_equal(
        one.predict_out_of_sample(truth, 3, seed=5), two.predict_out_of_sample(truth, 3, seed=5)
    )
    assert (one.predict_out_of_sample(truth, 3, seed=6) != two.predict_out_of_sample(truth, 3, seed=5)).any()


# ---------------------------------------------------------------- labels that are few, rare, or missing

DEGENERATE = {
    "no labels": [-1] * 12,
    "one label": [1] + [-1] * 11,
    "two labels of two classes": [0, 1] + [-1] * 10,
    "three labels of one class": [2] * 3 + [-1] * 9,
    "one class only": [1] * 12,
    "a class with a single member": [0] * 6 + [1] * 5 + [3],
    "every label another class": [0, 1, 2, 3] + [-1] * 8,
    "fewer members than folds": [0] * 8 + [1] * 2 + [2] * 2,
}


@pytest.mark.parametrize("labels", DEGENERATE.values(), ids=DEGENERATE)
@pytest.mark.parametrize("spec", ["text:text", "tabular:x,colour", "embedding:v", "predictions:m"])
def test_any_labels_give_probabilities(spec, labels):
    rng = np.random.default_rng(0)
    data = [
        {"text": f"some words {i % 3}", "x": i, "colour": "rb"[i % 2], "v": rng.normal(size=8).tolist()}
        for i in range(12)
    ]
    tasks = tasks_of(data, predictions={"m": {100: (0, 0.8), 105: (1, None)}})
    P = build(spec, tasks, n_classes=5).predict_out_of_sample(np.array(labels), 5)
    assert_probabilities(P, 12, 5)


def test_without_labels_all_classes_are_equally_probable():
    tasks, _ = topical(10)
    P = build("text", tasks, n_classes=4).predict_out_of_sample(np.full(10, -1), 4)
    np.testing.assert_allclose(P, 0.25)


def test_with_one_class_that_class_is_likely_and_the_others_possible():
    tasks, _ = topical(20)
    P = build("text", tasks, n_classes=3).predict_out_of_sample(np.full(20, 2), 3)
    assert (P.argmax(axis=1) == 2).all()
    assert P[:, 2].min() > 0.9


def test_no_tasks_at_all():
    assert choose("auto", tasks_of([]), n_classes=2).classifier is None
    with pytest.raises(UserError, match="no data"):
        build("text", tasks_of([]), n_classes=2)


@pytest.mark.parametrize("sizes", [[7, 3, 1], [1, 1, 1, 1, 1, 1, 1], [23, 2], [5]])
def test_folds_are_as_even_as_the_classes_allow(sizes):
    y = np.repeat(np.arange(len(sizes)), sizes)
    fold = deal(y, 5, np.random.default_rng(0))
    assert np.ptp(np.bincount(fold, minlength=5)) <= 1
    for c in range(len(sizes)):
        assert np.ptp(np.bincount(fold[y == c], minlength=5)) <= 1


@pytest.mark.parametrize(
    ("labels", "says"),
    [([0, 1], "shape"), ([0, 1, 3], "allowed are 0 to 2"), ([0, -2, 1], "allowed"), ([0.0, 1.0, 2.0], "float")],
)
def test_wrong_labels_are_refused(labels, says):
    tasks, _ = topical(3)
    with pytest.raises(ValueError, match=says):
        build("text", tasks, n_classes=3).predict_out_of_sample(np.array(labels), 3)


# ---------------------------------------------------------------- data as it comes


def test_tasks_without_text_get_the_shares_of_the_classes():
    tasks, truth = topical(120)
    data = [dict(row) for row in tasks.data]
    data[0]["text"], data[1]["text"], data[2]["text"] = "", None, "  <br> "
    del data[3]["text"]
    data[4]["text"] = float("nan")
    classifier = build("auto", tasks_of(data, ("Text", "text")), n_classes=3)
    assert "115 of 120 tasks have text" in classifier.why
    labels = truth.copy()
    labels[:2] = -1
    P = classifier.predict_out_of_sample(labels, 3)
    assert_probabilities(P, 120, 3)
    np.testing.assert_allclose(P[:5], np.tile(np.bincount(truth) / 120, (5, 1)), atol=0.02)
    assert (P[5:].argmax(axis=1) == truth[5:]).mean() > 0.8


@pytest.mark.parametrize(
    "values",
    [
        ["?", "!", "?!", "..."] * 5,
        [1, 2.5, True, None, "four"] * 4,
        [["a list", "of strings"], {"nested": {"deep": "text"}}, [], {}] * 5,
        [f"{i:b}{'x' * i}" for i in range(20)],
    ],
    ids=["punctuation", "mixed types", "nested", "nothing in common"],
)
def test_odd_texts_are_no_trouble(values):
    tasks = tasks_of([{"text": value} for value in values])
    P = build("text:text", tasks, n_classes=2).predict_out_of_sample(np.arange(20) % 2, 2)
    assert_probabilities(P, 20, 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<p>Fish &amp; <b>chips</b></p><script>var x = 'no'</script>", "Fish & chips"),
        ("a < b and I <3 you", "a < b and I <3 you"),
        ("shown <!-- " * 20_000, "shown"),
        ("shown <style>" * 20_000, "shown"),
        (
            [{"author": "Ann", "text": "Hello", "start": 0.5, "audio": "https://x.org/a.mp3"}, {"text": "Bye"}],
            "Ann Hello Bye",
        ),
        (["one", 2, None], "one 2"),
        (3.5, "3.5"),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_what_counts_as_text(value, text):
    assert plain(value) == text


def test_numbers_that_are_missing_or_written_as_strings():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 100)
    data = [{"x": str(c + rng.normal(0, 0.2))} for c in truth]
    for at, value in enumerate([None, "", float("nan"), float("inf"), "n/a"]):
        data[at] = {"x": value}
    del data[5]["x"]
    P = build("tabular:x", tasks_of(data), n_classes=2).predict_out_of_sample(truth, 2)
    assert_probabilities(P, 100, 2)
    assert (P.argmax(axis=1) == truth)[6:].mean() > 0.9


def test_a_category_with_thousands_of_values_and_one_that_is_constant():
    data = [{"c": f"value {i}", "k": "same", "m": [1, "a", None][i % 3]} for i in range(400)]
    P = build("tabular:c,k,m", tasks_of(data), n_classes=3).predict_out_of_sample(np.arange(400) % 3, 3)
    assert_probabilities(P, 400, 3)


def test_vectors_of_the_wrong_length_are_counted_and_get_the_shares_of_the_classes():
    rng = np.random.default_rng(0)
    truth = np.arange(90) % 3
    data = [{"v": (rng.normal(size=10) + 3 * np.eye(10)[c]).tolist()} for c in truth]
    data[0]["v"], data[1]["v"], data[2]["v"] = data[0]["v"][:9], None, [float("nan")] * 10
    data[3]["v"] = str(data[3]["v"])
    classifier = build("embedding:v", tasks_of(data), n_classes=3)
    assert "3 of 90 tasks have no such vector" in classifier.why
    P = classifier.predict_out_of_sample(truth, 3)
    assert_probabilities(P, 90, 3)
    np.testing.assert_allclose(P[:3], 1 / 3, atol=0.02)
    assert (P[3:].argmax(axis=1) == truth[3:]).mean() > 0.9
    assert P[3].argmax() == truth[3]


def test_predictions_are_taken_at_their_score():
    predictions = {"m": {100: (1, 0.7), 101: (1, 0.2), 102: (0, 1.0), 103: (7, 0.9), 104: (2, None), 105: (2, 87.0)}}
    tasks = tasks_of([{}] * 8, predictions=predictions)
    classifier = build("predictions:m", tasks, n_classes=3)
    assert "5 of 8 tasks" in classifier.why
    assert "2 without a score" in classifier.why
    P = classifier.predict_out_of_sample(np.array([-1] * 8), 3)
    assert_probabilities(P, 8, 3)
    np.testing.assert_allclose(P[0], [0.15, 0.7, 0.15], atol=FLOOR)
    np.testing.assert_allclose(P[1], 1 / 3, atol=FLOOR)  # a class is never predicted below chance
    assert P[2, 0] == pytest.approx(1, abs=FLOOR)
    np.testing.assert_allclose(P[3], 1 / 3)  # a class that the control does not have
    np.testing.assert_allclose(P[4:6], [[0.05, 0.05, 0.9]] * 2, atol=FLOOR)
    np.testing.assert_allclose(P[6:], 1 / 3)


def test_predictions_without_a_score_are_believed_as_often_as_they_are_right():
    truth = np.arange(200) % 2
    said = np.where(np.arange(200) % 5 < 3, truth, 1 - truth)  # right three times out of five
    tasks = tasks_of([{}] * 200, predictions={"m": {100 + i: (int(c), None) for i, c in enumerate(said)}})
    P = build("predictions:m", tasks, n_classes=2).predict_out_of_sample(truth, 2)
    np.testing.assert_allclose(P[np.arange(200), said], 0.6, atol=0.03)


# ---------------------------------------------------------------- what auto chooses

SENTENCES = [f"{a} {b} went home {c}" for a in ("Ann", "Bob", "Eve") for b in ("Lee", "Ray") for c in ("early", "late")]


def column(**makers):
    return [{name: make(i) for name, make in makers.items()} for i in range(36)]


def sentence(i):
    return f"{SENTENCES[i % 12]} on day {i}"


def number(i):
    return (i * 7919 % 101) / 7


def colour(i):
    return ["red", "green", "blue"][i % 3]


def photo(i):
    return f"https://example.org/{i}.jpg"


AUTO = [
    # case, data, fields shown, chosen, words in the reason
    (
        "text shown",
        column(text=sentence, id=int),
        [("Text", "text")],
        "text",
        ['"text"', "annotators are shown text", '"id" (identifiers)'],
    ),
    (
        "an embedding comes first",
        column(text=sentence, e=lambda i: [number(i + j) for j in range(16)]),
        [("Text", "text")],
        "embedding",
        ["16 numbers", '"text" (text)'],
    ),
    (
        "a short list is no embedding",
        column(size=lambda i: [640 + i, 480], kind=colour),
        [],
        "tabular",
        ['"size" (nested data)'],
    ),
    ("lists of many lengths", column(e=lambda i: [1.0] * (8 + i)), [], None, ["nested data"]),
    ("image alone", column(image=photo), [("Image", "image")], None, ['"image" (links to files)']),
    (
        "image and figures",
        column(image=photo, width=number, source=colour),
        [("Image", "image")],
        "tabular",
        ['"width"', '"source"', "links"],
    ),
    ("text that is a link", column(doc=lambda i: f"s3://bucket/{i}.txt"), [("Text", "doc")], None, ["links"]),
    ("a text not shown", column(image=photo, caption=sentence), [("Image", "image")], None, ['"caption" (text)']),
    ("HTML", column(page=lambda i: f"<p>{sentence(i)} {i}</p>"), [("HyperText", "page")], "text", []),
    ("paragraphs", column(talk=lambda i: [{"author": "A", "text": sentence(i)}]), [("Paragraphs", "talk")], "text", []),
    (
        "two texts",
        column(left=sentence, right=lambda i: sentence(i + 5)),
        [("Text", "left"), ("Text", "right")],
        "text",
        ['"left", "right"'],
    ),
    (
        "header with one wording",
        column(q=lambda i: "Which is it?", x=number),
        [("Header", "q")],
        "tabular",
        ['"q" (the same in every task)'],
    ),
    (
        "a table",
        column(row=lambda i: {"age": number(i), "colour": colour(i), "name": f"n{i}"}),
        [("Table", "row")],
        "tabular",
        ['"row.age", "row.colour"', '"row.name"'],
    ),
    (
        "nothing of use",
        column(
            id=int,
            t=lambda i: f"2024-05-{1 + i % 28:02d}T10:00:00Z",
            k=lambda i: 1,
            h=lambda i: f"{i * 2654435761:016x}",
            gone=lambda i: None,
        ),
        [],
        None,
        ["identifiers", "dates or times", "the same in every task", "empty"],
    ),
    ("no data", [{}, {}], [], None, []),
]


@pytest.mark.parametrize(("data", "fields", "chosen", "words"), [case[1:] for case in AUTO], ids=[c[0] for c in AUTO])
def test_auto(data, fields, chosen, words):
    choice = choose("auto", tasks_of(data, *fields), n_classes=2)
    assert (choice.classifier and choice.classifier.name) == chosen
    assert choice.why.startswith(f"{chosen or 'none'}:")
    for word in words:
        assert word in choice.why
    if choice.classifier:
        assert choice.classifier.why == choice.why
        P = choice.classifier.predict_out_of_sample(np.arange(len(data)) % 2, 2)
        assert_probabilities(P, len(data), 2)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("x", [1.5, 2.5, 0.1, 3.3] * 5, "number"),
        ("x", ["1.5", "", "2", None] * 5, "number"),
        ("grid", [31, 18, 77, 54, 20, 90] * 3, "number"),
        ("user_id", [7, 8, 9] * 9, "category"),
        ("userId", [31, 18, 77, 54, 20, 90, 1000], "id"),
        ("serial", list(range(5000, 5040)), "id"),
        ("created", [1.7e9 + 1000 * i for i in range(30)], "time"),
        ("day", [f"{i}.3.2024" for i in range(1, 25)], "time"),
        ("file", [f"/data/upload/3/{i}.png" for i in range(9)], "link"),
        ("picture", [f"cat{i}.jpg" for i in range(9)], "link"),
        ("blob", ["data:image/png;base64," + "A/b" * 100_000 + c for c in "abc"], "link"),
        ("key", ["6f1c2d3e4a5b", "aa01bb02cc03", "1234567890ab", "0f0f0f0f0f0f"], "id"),
        ("whose", [f"{i}b2504e0-4f89-11d3-9a0c-0305e82c3302" for i in range(9)], "id"),
        ("flag", [True, False] * 9, "category"),
        ("title", ["a fine short sentence number " + c for c in "abcdefghijk"], "text"),
        ("review", ["这是一个很好的产品" + c for c in "甲乙丙丁戊己庚"], "text"),
        ("surname", ["Miller", "Smith", "Jones", "Brown", "Young", "Moore"], "words"),
        ("huge", [10**400, 5, 7] * 4, "category"),
    ],
)
def test_kinds_of_fields(name, values, kind):
    assert kind_of(name, values, len(values)) == kind


def test_none_is_a_choice():
    choice = choose("none", topical(5)[0], n_classes=2)
    assert choice.classifier is None
    assert build("none", topical(5)[0], n_classes=2) is None
    assert "as requested" in choice.why


# ---------------------------------------------------------------- the user's own estimator

MODULE = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

def forest():
    return make_pipeline(make_column_transformer((CountVectorizer(), "text")), RandomForestClassifier(10))

class Backwards:
    "Columns in an order of its own, and no other scikit-learn manners."
    def fit(self, X, y):
        self.classes_ = sorted(set(y), reverse=True)
        self.top = max(y)
        assert list(X.columns) == ["text"] and X.index[0] >= 100
        return self
    def predict_proba(self, X):
        return [[float(c == self.top) for c in self.classes_] for _ in range(len(X))]

class Broken(Backwards):
    def predict_proba(self, X):
        return [[float("nan")] * len(self.classes_)] * len(X)

class Narrow(Backwards):
    def predict_proba(self, X):
        return [[1.0]] * len(X)

class Raising(Backwards):
    def fit(self, X, y):
        raise KeyError("colour")

def needs_argument(x): ...
constant = 3
"""


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    (tmp_path / "own_estimators.py").write_text(MODULE)
    (tmp_path / "needs_torchlike.py").write_text("import no_such_library_here")
    (tmp_path / "crashing.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    yield
    for name in ("own_estimators", "needs_torchlike", "crashing"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("own_module")
def test_an_estimator_of_ones_own_from_the_current_directory():
    tasks, truth = topical(150)
    classifier = build("own_estimators:forest", tasks, n_classes=3)
    assert classifier.name == "estimator"
    assert "Pipeline from own_estimators:forest" in classifier.why
    P = classifier.predict_out_of_sample(truth, 3)
    assert_probabilities(P, 150, 3)  # a forest's exact zeros are gone
    assert (P.argmax(axis=1) == truth).mean() > 0.8
    np.testing.assert_array_equal(P, classifier.predict_out_of_sample(truth, 3))


@pytest.mark.usefixtures("own_module")
def test_columns_are_put_in_the_order_of_the_classes():
    tasks, truth = topical(30)
    P = build("own_estimators:Backwards", tasks, n_classes=4).predict_out_of_sample(truth, 4)
    assert (P.argmax(axis=1) == 2).all()


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("no_such_module_here:make", "no module 'no_such_module_here'.*Start from the directory"),
        ("sklearn.no_such_part:make", "no module 'sklearn.no_such_part'"),
        ("needs_torchlike:make", "needs the module 'no_such_library_here'"),
        ("crashing:make", "ZeroDivisionError"),
        ("own_estimators:missing", "has no 'missing'; what can be called in it: .*forest"),
        ("own_estimators:constant", "is a int, which cannot be called"),
        ("own_estimators:needs_argument", "without arguments"),
        ("own_estimators:LinearSVC", "has no predict_proba"),
        ("own_estimators:", "allowed are"),
        ("own_estimators.py/x:forest", "Example: my_models:make"),
    ],
)
def test_bad_paths_say_what_is_wrong(spec, says):
    with pytest.raises(UserError, match=says):
        build(spec, topical(5)[0], n_classes=3)


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize(
    ("name", "says"),
    [("Broken", "no probabilities"), ("Narrow", r"shape \(\d+, 1\)"), ("Raising", "KeyError: 'colour'.*columns text")],
)
def test_estimators_that_misbehave_say_what_is_wrong(name, says):
    tasks, truth = topical(30)
    with pytest.raises(UserError, match=says):
        build(f"own_estimators:{name}", tasks, n_classes=3).predict_out_of_sample(truth, 3)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("magic", "'magic'; allowed are auto, none, text"),
        ("", "allowed are auto"),
        ("auto:text", "allowed are auto"),
        ("text:body", "'body' is in no task; the fields are .*\"text\""),
        ("text:void", "'void' is empty in every task"),
        ("text:,", "instead of a data field"),
        ("tabular", "no data field with numbers or categories; .*tabular:FIELD"),
        ("embedding", "no data field that holds a list of numbers"),
        ("embedding:text", "holds no lists of numbers; its first value is"),
        ("embedding:text,void", "void' is empty"),
        ("predictions", "without a model version"),
        ("predictions:v9", "'v9'.*other versions: 'v1'"),
    ],
)
def test_errors_say_what_was_found_and_what_to_do(spec, says):
    data = [{"text": f"some longer words {i}", "void": None} for i in range(10)]
    with pytest.raises(UserError, match=says):
        build(spec, tasks_of(data, predictions={"v1": {100: (0, 0.5)}}), n_classes=2)


# ---------------------------------------------------------------- training


def test_training_settles_and_tells_its_story():
    tasks, truth = topical(300, topical_words=5)
    heard = []
    trained = train(
        build("auto", tasks, n_classes=3),
        noisy_crowd(truth, 3, skill=0.8),
        rounds=6,
        progress=lambda *step: heard.append(step),
    )
    assert_probabilities(trained.pred_probs, 300, 3)
    assert trained.settled
    assert trained.rounds == len(trained.changed) == len(trained.log_loss) < 6
    assert trained.informative
    assert "Out of sample it agrees with 9" in trained.summary
    assert heard[0] == ("training, round 1 of at most 6: reading text", 0, 1)
    assert all(0 <= done <= total for _, done, total in heard)
    assert heard[-1][1] == heard[-1][2]


def test_training_stops_after_the_rounds_allowed():
    tasks, truth = topical(200)
    trained = train(build("text", tasks, n_classes=3), noisy_crowd(truth, 3, skill=0.5), rounds=1)
    assert trained.rounds == 1
    assert not trained.settled
    with pytest.raises(ValueError, match="rounds is 0"):
        train(build("text", tasks, n_classes=3), noisy_crowd(truth, 3), rounds=0)


def test_tasks_without_answers_are_predicted_and_never_learned_from():
    tasks, truth = topical(200)
    crowd = noisy_crowd(truth[:120], 3)
    longer = Crowd.from_codes(
        crowd.task, crowd.annotator, crowd.label, tasks=range(200), annotators=range(12), classes=range(3)
    )
    trained = train(build("text", tasks, n_classes=3), longer)
    assert (trained.labels[120:] == -1).all()
    assert (trained.pred_probs.argmax(axis=1) == truth)[120:].mean() > 0.8


@pytest.mark.parametrize("rounds", [1, 3])
def test_known_labels_are_learned_from_whatever_the_crowd_says(rounds):
    tasks, truth = topical(200)
    wrong = noisy_crowd((truth + 1) % 3, 3, skill=1.0, answers=2)
    known = np.where(np.arange(200) < 150, truth, -1)
    trained = train(build("text", tasks, n_classes=3), wrong, known_labels=known, rounds=rounds)
    assert (trained.labels[:150] == truth[:150]).all()
    assert (trained.pred_probs.argmax(axis=1) == truth)[:150].mean() > 0.8


def test_a_classifier_that_knows_nothing_is_reported():
    rng = np.random.default_rng(0)
    data = [{"x": float(v)} for v in rng.normal(size=200)]
    trained = train(build("auto", tasks_of(data), n_classes=2), noisy_crowd(rng.integers(0, 2, 200), 2, answers=3))
    assert not trained.informative
    assert "no better than the class shares" in trained.summary


def test_a_crowd_without_answers():
    tasks, _ = topical(10)
    crowd = Crowd.from_codes([], [], [], tasks=range(10), annotators=[], classes=range(3))
    trained = train(build("text", tasks, n_classes=3), crowd)
    np.testing.assert_allclose(trained.pred_probs, 1 / 3)
    assert "nothing to learn from" in trained.summary


def test_importing_is_cheap():
    code = (
        "import sys, label_studio_crowd.scoring.classifiers; print(*{'sklearn', 'pandas', 'scipy'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
