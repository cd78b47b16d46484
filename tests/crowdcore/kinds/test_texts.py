"""The consensus of free texts."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from crowdcore.kinds import AnswerTable, text_distance, texts
from crowdcore.kinds.text.composing import Composer
from crowdcore.kinds.text.preparing import prepare
from harness.checkout import DATA

law = settings(max_examples=40, deadline=None)
WORDS = ["the", "The,", "cat", "cats", "sat", "on", "mat", "猫", "は", "\nend"]


@st.composite
def answers(draw):
    """Answers as task, annotator, text; half of the texts of a task are alike."""
    N, M = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    found = []
    for i in range(N):
        usual = rng.choice(WORDS, rng.integers(1, 9))
        for j in np.flatnonzero(rng.random(M) < 0.8):
            words = [word if rng.random() < 0.8 else rng.choice(WORDS) for word in usual if rng.random() < 0.9]
            found.append((i, int(j), " ".join(words) or "cat"))
    return found, N, M, rng


def table_of(found, tasks, annotators):
    task, annotator, values = zip(*found, strict=True) if found else ((), (), ())
    place = {who: at for at, who in enumerate(annotators)}
    return AnswerTable.from_codes(
        [tasks.index(i) for i in task], [place[j] for j in annotator], values, tasks=tasks, annotators=annotators
    )


def alone(*values, known=None):
    """The result for one task with these answers."""
    n = len(values)
    return texts(AnswerTable.from_codes([0] * n, range(n), values, tasks=["t"], annotators=range(n)), known=known)


@law
@given(answers())
def test_the_order_of_tasks_and_annotators_does_not_matter(case):
    found, N, M, rng = case
    tasks, annotators = rng.permutation(N).tolist(), rng.permutation(M).tolist()
    a = texts(table_of(found, list(range(N)), list(range(M))))
    b = texts(table_of([found[at] for at in rng.permutation(len(found))], tasks, annotators))
    assert a.consensus[tasks].tolist() == b.consensus.tolist()
    for name in ("quality", "all_right", "agreement"):
        assert np.allclose(getattr(a, name)[tasks], getattr(b, name), atol=1e-6, equal_nan=True), name
    assert np.allclose(a.annotators.quality[annotators], b.annotators.quality, atol=1e-6)


@law
@given(answers())
def test_all_numbers_are_shares_and_every_task_with_answers_has_a_text(case):
    found, N, M, _ = case
    result = texts(table_of(found, list(range(N)), list(range(M))))
    for values in (result.quality, result.all_right, result.answer_quality, result.annotators.quality):
        assert ((values >= 0) & (values <= 1)).all()
    low, high = result.annotators.interval.T
    assert ((low <= result.annotators.quality) & (result.annotators.quality <= high)).all()
    assert [text is None for text in result.consensus] == (result.num_answers == 0).tolist()
    for a, i in enumerate(result.answers.task):
        seen = result.diff(a)
        assert "".join(place.consensus for place in seen).strip() == "".join(w for w, _ in result.words(i)).strip()
        assert Counter("".join(place.answer for place in seen).split()) == Counter(result.answers.values[a].split())


@law
@given(answers())
def test_one_more_answer_that_agrees_does_not_lower_the_quality_while_annotators_stay_as_they_are(case):
    found, N, M, rng = case
    before = texts(table_of(found, list(range(N)), list(range(M))))
    found = found + [(i, M, text) for i, text in enumerate(before.consensus) if text is not None]
    table = table_of(found, list(range(N)), list(range(M + 1)))
    composer = Composer(prepare(table, None))
    accuracy = rng.uniform(0.3, 0.99, M + 1)
    for count in (M, M + 1):
        composer.accuracy = np.where(np.arange(M + 1) < count, accuracy, 0.01)  # of no strength
        chosen = [None if text is None else prepared_text(composer, i, text) for i, text in enumerate(before.consensus)]
        believed = composer.believed(chosen, np.zeros(N, np.bool_))
        sure = believed.belief[believed.places.reference]
        if count == M:
            less = sure
    assert (sure >= less - 1e-12).all()


def prepared_text(composer, task, text):
    """The encoded text of the answer that equals a consensus: the one added last."""
    last = composer.table.indptr[task + 1] - 1
    assert composer.table.values[last] == text
    return composer.texts.texts[last]


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox, as they say.",
        "Straße, naïve Ärzte, ça va?",
        "我爱北京天安门。",
        "東京でiPhoneを買いました。",
        "ภาษาไทยไม่เว้นวรรค",
        "ខ្ញុំរៀនភាសាខ្មែរ",
        "ဗမာစာ",
        "مرحبا بالعالم، كيف الحال؟",
        "שלום עולם!",
        "हिन्दी में लिखा है",
        "한국어 띄어쓰기",
        "great 👩‍👩‍👧 👍🏽 🇩🇪!",
        "5% of -3 in C# & C++",
        "first line\nsecond line",
        "word",
        "?!",
    ],
)
def test_identical_texts_of_every_script_are_the_consensus_as_written_and_hardly_doubted(text):
    result = alone(*[text] * 5)
    assert result.consensus[0] == text
    assert result.quality[0] > 0.95
    assert result.all_right[0] > 0.7
    assert result.agreement[0] == 1
    assert all(place.same for place in result.diff(0))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (["我爱北京天安们", "我受北京天安门"], "我爱北京天安门"),
        (["ภาษาไทง่าย", "พาษาไทยง่าย"], "ภาษาไทยง่าย"),
        (["shalom עולם", "שלום עולמ"], "שלום עולם"),
        (["helo", "hallo"], "hello"),
        (["👍 cool", "👍🏽 col"], "👍🏽 cool"),
        (["a cat sat here", "the cat sat hear"], "the cat sat here"),
    ],
)
def test_of_answers_with_errors_at_different_places_the_right_one_is_taken(wrong, right):
    assert alone(*wrong, right).consensus[0] == right


def test_a_text_that_nobody_wrote_is_composed():
    found = alone("one to three four five six", "one two tree four five six", "one two three for five six")
    assert found.consensus[0] == "one two three four five six"


def test_words_are_written_as_the_best_annotator_who_has_them_writes_them():
    rows = [(i, j, f"word {i} alpha beta") for i in range(6) for j in (0, 1)]
    rows += [(i, 2, f"wurd {i} alfa betta") for i in range(6)]
    rows += [(6, 0, "Hello, World"), (6, 1, "hello, worlds"), (6, 2, "HELLO world!")]
    result = texts(table_of(rows, list(range(7)), [0, 1, 2]))
    assert result.annotators.quality[2] < 0.7 < result.annotators.quality[0]
    assert result.consensus[6] == "Hello, World"


def test_case_spaces_and_punctuation_around_words_do_not_count():
    assert text_distance("Hello,  World!", "hello world") == 0
    assert text_distance("cafe\u0301", "Caf\u00e9.") == 0
    assert text_distance("don\u2019t", "don't") == 0
    assert text_distance("5 %", "5%") > 0
    assert text_distance("", "") == 0
    assert text_distance("a", "") == 1


def test_an_answer_of_several_parts_stays_one():
    result = alone(("one two", "three four"), ("one too", "three four"), ("one two", "three for"))
    assert result.consensus[0] == ("one two", "three four")


@pytest.mark.parametrize("long", [("one two", "three"), ("one two", "three four five")])
def test_a_part_that_one_of_two_left_out_is_doubted_as_far_as_the_other_is(long):
    result = alone(long, long[:1])
    assert 0.2 < result.quality[0] < 0.8
    assert (result.answer_quality > 0.2).all()


def test_of_descriptions_in_different_words_one_is_taken_as_it_is():
    answers = ["a man rides a brown horse", "someone on horseback in a field", "the rider and his horse, outside"]
    assert alone(*answers).consensus[0] in answers


def test_different_words_are_not_mixed_letter_by_letter():
    assert alone("Paris", "Lyon", "Lille").consensus[0] in ("Paris", "Lyon", "Lille")
    assert alone("Paris", "Lyon", "Paris").consensus[0] == "Paris"


def test_a_known_text_is_the_consensus_and_teaches_annotators():
    rows = [(i, j, "a b c d e" if j else "a x y d z") for i in range(4) for j in range(3)]
    known = ["A x y d z", None, None, None]
    told, untold = (texts(table_of(rows, list(range(4)), [0, 1, 2]), known=k) for k in (known, None))
    assert told.consensus[0] == "A x y d z"
    assert told.quality[0] == told.all_right[0] == 1
    assert told.annotators.quality[0] > untold.annotators.quality[0]
    assert told.founded.all()


def test_thirty_known_texts_say_how_far_the_crowd_can_be_trusted():
    rows = [(i, j, f"w{i} b c d e f g h") for i in range(60) for j in range(4)]
    truth = [f"w{i} b x d y f z h" if i < 40 else None for i in range(60)]  # all make the same mistakes
    told, untold = (texts(table_of(rows, list(range(60)), list(range(4))), known=k) for k in (truth, None))
    assert untold.quality[50] > 0.95
    assert untold.all_right[50] > 0.7
    assert told.quality[50] < 0.75  # three of eight words are wrong
    assert told.all_right[50] < 0.3


def test_a_single_answer_is_believed_as_far_as_its_annotator():
    rows = [(i, j, f"w{i} alpha beta gamma" if j < 2 else f"w{i} alfa betta gama") for i in range(8) for j in range(3)]
    rows += [(8, 0, "some other text"), (9, 2, "some other text")]
    result = texts(table_of(rows, list(range(11)), [0, 1, 2]))
    assert result.consensus[8:].tolist() == ["some other text", "some other text", None]
    assert result.quality[8] > result.quality[9] + 0.2
    assert result.quality[10] == 0
    assert np.isnan(result.agreement[10])


def test_a_table_without_answers():
    result = texts(AnswerTable.from_codes([], [], [], tasks=["a"], annotators=["x"]))
    assert result.consensus.tolist() == [None]
    assert result.to_frame().loc["a", "num_answers"] == 0


@pytest.mark.parametrize(("words", "copies"), [(2000, 5), (5000, 3)])
def test_long_texts(words, copies):
    rng = np.random.default_rng(0)
    truth = rng.integers(3000, size=words).astype(str)
    wrong = [np.where(rng.random(words) < 0.04, "x", truth) for _ in range(copies)]
    result = alone(*[" ".join(text) for text in wrong])
    assert text_distance(result.consensus[0], " ".join(truth)) < 0.01
    assert 0.85 < result.quality[0] < 1


@pytest.mark.parametrize("bad", [3, ["a"], (), ("a", 1), None])
def test_what_is_no_text_is_named(bad):
    table = AnswerTable.from_codes([0, 0], [0, 1], [bad, "a"], tasks=["t"], annotators=[1, 2])
    with pytest.raises(ValueError, match="it has to be a text"):
        texts(table)


def test_known_texts_have_to_fit():
    table = AnswerTable.from_codes([0], [0], ["a"], tasks=["t"], annotators=[1])
    with pytest.raises(ValueError, match="known has 2; expected 1"):
        texts(table, known=["a", "b"])
    with pytest.raises(ValueError, match="A known text is 1"):
        texts(table, known=[1])


def test_transcriptions_of_speech():
    folder = DATA / "kinds" / "transcription-dev-clean"
    if not folder.exists():
        pytest.skip(f"the crowd with ground truth is not there: {folder}")
    rows = [json.loads(line) for line in (folder / "crowd.jsonl").read_text().splitlines()]
    annotators = sorted({answer["annotator"] for row in rows for answer in row["annotations"]})
    found = [(i, answer["annotator"], answer["answer"]) for i, row in enumerate(rows) for answer in row["annotations"]]
    result = texts(table_of(found, list(range(len(rows))), annotators))
    size = [len(row["truth"].split()) for row in rows]

    def errors(text, truth):
        return text_distance(text, truth) * max(len(text.split()), len(truth.split()))

    wrong = np.array([errors(text, row["truth"]) for text, row in zip(result.consensus, rows, strict=True)])
    right = wrong < 0.5
    assert wrong.sum() / sum(size) < 0.055  # ROVER: .0625
    assert roc_auc_score(right, result.all_right) > 0.84
    tenths = np.array_split(np.argsort(result.all_right), 10)
    assert np.mean([abs(right[part].mean() - result.all_right[part].mean()) for part in tenths]) < 0.06
    assert abs(1 - result.quality.mean() - (wrong / size).mean()) < 0.01
    table = result.answers
    true = [1 - text_distance(text, rows[i]["truth"]) for i, text in zip(table.task, table.values, strict=True)]
    n = result.annotators.num_answers
    true = np.bincount(table.annotator, true) / n
    assert spearmanr(true, result.annotators.quality)[0] > 0.9
    low, high = result.annotators.interval[n >= 5].T
    assert np.mean((low <= true[n >= 5]) & (true[n >= 5] <= high)) > 0.9
