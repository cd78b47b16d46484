"""The commands that need no Label Studio, on tables of answers that are not one class."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.plugin.commands.answers_of_kinds import CLASSES, PEOPLE, lengths, sets, written

SPANS = """task,annotator,start,end,label
7,ann,0,3,PER
7,ann,8,11,PER
7,bob,0,3,PER
7,bob,8,12,LOC
7,cyd,8,11,PER
8,ann,,,
8,bob,,,
8,cyd,2,4,PER
"""


@pytest.mark.parametrize("how", ["semicolons", "lists", "studio", "json", "parquet"])
def test_sets_are_seen_and_said_and_their_consensus_is_written(how, run, tmp_path):
    frame, truth = sets()
    path = written(frame, tmp_path / "answers.csv", how)
    code, _, told = run("aggregate", path, "--out", "sets.json", "--annotators-out", "people.csv")
    assert code == 0, told
    assert "The answers look like sets of classes, and are taken as such; --kind choice" in told
    found = json.loads((tmp_path / "sets.json").read_text())
    assert np.mean([row["consensus"] == labels for row, labels in zip(found, truth, strict=True)]) > 0.8
    assert set(found[0]) == {"task", "consensus", "quality", "agreement", "num_answers", *CLASSES}
    people = pd.read_csv(tmp_path / "people.csv")
    assert people["annotator"][0] == "dan"
    assert {"quality", "low", "high", "precision", "recall"} <= set(people)


def test_numbers_are_seen_and_said_and_their_consensus_is_written(run, tmp_path):
    frame, truth = lengths()
    frame.to_csv(tmp_path / "answers.csv", index=False)
    code, _, told = run("aggregate", "answers.csv", "--tolerance", "5", "--out", "n.csv", "--annotators-out", "p.csv")
    assert code == 0, told
    assert "The answers look like numbers" in told
    found = pd.read_csv(tmp_path / "n.csv")
    assert np.abs(found["consensus"] - truth - (found["consensus"] - truth).mean()).mean() < 2
    assert (found["low"] < found["consensus"]).all()
    people = pd.read_csv(tmp_path / "p.csv").set_index("annotator")
    assert people.loc["cho", "bias"] - people.loc["ann", "bias"] == pytest.approx(10, abs=2)


def test_whole_numbers_that_are_classes_are_classes(run, tmp_path):
    rng = np.random.default_rng(0)
    truth = rng.integers(100, size=300)
    rows = [(i, j, truth[i] if rng.random() < 0.7 else rng.integers(100)) for i in range(300) for j in range(4)]
    pd.DataFrame(rows, columns=["task", "annotator", "label"]).to_csv(tmp_path / "a.csv", index=False)
    code, out, told = run("aggregate", "a.csv")
    assert code == 0, told
    assert "look like" not in told
    assert "hierarchical-dawid-skene: 300 of 300 tasks have a label" in out


def test_known_answers_are_the_consensus(good, tmp_path):
    frame, truth = sets()
    written(frame, tmp_path / "a.csv", "semicolons")
    pd.DataFrame({"task": range(20), "truth": [";".join(labels) or "[]" for labels in truth[:20]]}).to_csv(
        tmp_path / "known.csv", index=False
    )
    good("aggregate", "a.csv", "--known", "known.csv", "--out", "o.json")
    found = json.loads((tmp_path / "o.json").read_text())[:20]
    assert [row["consensus"] for row in found] == truth[:20]
    assert {row["quality"] for row in found} == {1.0}


def test_ordered_classes_need_their_order(good, bad, tmp_path):
    rng = np.random.default_rng(0)
    words = ["low", "mid", "high"]
    truth = rng.integers(3, size=60)
    rows = [(i, j, words[int(np.clip(truth[i] + rng.choice([-1, 0, 0, 0, 1]), 0, 2))])
            for i in range(60) for j in range(3)]  # fmt: skip
    pd.DataFrame(rows, columns=["task", "annotator", "label"]).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame({"task": range(60), "truth": [words[k] for k in truth]}).to_csv(tmp_path / "t.csv", index=False)
    assert "give --classes, the lowest first" in bad("aggregate", "a.csv", "--kind", "ordered")
    good("aggregate", "a.csv", "--kind", "ordered", "--classes", "low,mid,high", "--out", "o.csv")
    found = pd.read_csv(tmp_path / "o.csv")
    assert (found["consensus"] == [words[k] for k in truth]).mean() > 0.6
    assert (found["within_one"] >= found["quality"]).all()
    shown = good("compare", "a.csv", "--kind", "ordered", "--classes", "low,mid,high", "--truth", "t.csv")
    assert all(name in shown for name in ("ordered", "majority-vote", "median", "mean_absolute_error"))


@pytest.mark.parametrize("kind", ["set", "number"])
def test_ways_to_a_consensus_are_compared(kind, run, tmp_path):
    frame, truth = sets() if kind == "set" else lengths()
    told = [";".join(labels) or "[]" for labels in truth] if kind == "set" else truth
    written(frame, tmp_path / "a.csv", "semicolons" if kind == "set" else "")
    pd.DataFrame({"task": range(60), "truth": told}).to_csv(tmp_path / "t.csv", index=False)
    code, out, told = run("compare", "a.csv", "--truth", "t.csv", "--json", "--out", "c.csv")
    assert code == 0, told
    rows = {row["method"]: row for row in json.loads(out)}
    if kind == "set":
        assert rows["sets"]["f1"] >= rows["majority of each class"]["f1"] > rows["union"]["f1"]
    else:
        assert rows["numbers"]["mean_absolute_error"] <= rows["mean"]["mean_absolute_error"] + 0.3
        assert rows["numbers"]["correlation"] > 0.99
    assert len(pd.read_csv(tmp_path / "c.csv")) == len(rows)


@pytest.mark.parametrize(("kind", "draw"), [("set", sets), ("number", lengths)])
def test_identify_shows_agreement_tasks_and_annotators(kind, draw, good, tmp_path):
    written(draw()[0], tmp_path / "a.csv", "semicolons" if kind == "set" else "")
    shown = good("identify", "a.csv")
    for word in ("krippendorff_alpha", "least sure come first", "the worst come first"):
        assert word in shown
    good("identify", "a.csv", "--method", "annotators", "--out", "p.csv")
    assert pd.read_csv(tmp_path / "p.csv")["annotator"].nunique() in (3, 4)


def test_a_table_of_spans_gives_a_row_for_each_span_of_the_consensus(run, good, tmp_path):
    (tmp_path / "spans.csv").write_text(SPANS)
    code, _, told = run("aggregate", "spans.csv", "--out", "found.csv", "--annotators-out", "people.csv")
    assert (code, "a table of regions" in told) == (0, True)
    found = pd.read_csv("found.csv")
    assert found[["task", "start", "end", "label"]].astype(object).where(found.notna(), None).to_numpy().tolist() == [
        [7, 0, 3, "PER"],
        [7, 8, 11, "PER"],
        [8, None, None, None],
    ]
    assert found["quality"][:2].between(0.5, 1).all()
    assert set(pd.read_csv("people.csv")["annotator"]) == {"ann", "bob", "cyd"}
    assert "PER 0 3; PER 8 11" in good("aggregate", "spans.csv")


def test_regions_are_compared_with_the_truth(good, tmp_path):
    (tmp_path / "spans.csv").write_text(SPANS)
    (tmp_path / "truth.csv").write_text("task,start,end,label\n7,0,3,PER\n7,8,11,PER\n8,,,\n")
    found = json.loads(good("compare", "spans.csv", "--truth", "truth.csv", "--json"))
    assert (found[0]["method"], found[0]["distance"], found[0]["exactly_right"]) == ("regions", 0, 1)
    assert found[-1]["method"] == "an answer at random"
    assert found[-1]["distance"] > 0.1


def test_texts_are_seen_and_compared(run, good, tmp_path):
    rng = np.random.default_rng(0)
    said = [" ".join(rng.choice(list("abcdefgh"), 6)) for _ in range(12)]
    rows = [(task, who, text if who != "cho" else text[:-1] + "z") for task, text in enumerate(said) for who in PEOPLE]
    pd.DataFrame(rows, columns=["task", "annotator", "label"]).to_csv(tmp_path / "texts.csv", index=False)
    pd.DataFrame({"task": range(12), "truth": said}).to_csv(tmp_path / "truth.csv", index=False)
    _, _, told = run("aggregate", "texts.csv", "--out", "found.csv")
    assert "The answers look like texts that people wrote" in told
    assert pd.read_csv("found.csv")["consensus"].tolist() == said
    found = json.loads(good("compare", "texts.csv", "--truth", "truth.csv", "--json"))
    assert {row["method"]: row["exactly_right"] for row in found}["texts"] == 1


def test_rankings_are_lists_the_best_first(good, tmp_path):
    rows = [(1, "ann", "x > y > z"), (1, "bob", "x > z > y"), (1, "cho", "x > y > z")]
    pd.DataFrame(rows, columns=["task", "annotator", "label"]).to_csv(tmp_path / "ranks.csv", index=False)
    good("aggregate", "ranks.csv", "--kind", "ranking", "--out", "found.json")
    assert json.loads((tmp_path / "found.json").read_text())[0]["consensus"] == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("aggregate", "sets.csv", "--kind", "audio"),
            "--kind is 'audio'; allowed are choice, ordered, set, number, text",
        ),
        (("aggregate", "sets.csv", "--method", "dawid-skene"), "--method is for answers that are one class"),
        (("aggregate", "sets.csv", "--tolerance", "1"), "--tolerance is for numbers"),
        (("aggregate", "sets.csv", "--kind", "number"), "is no number"),
        (("aggregate", "n.csv", "--probabilities", "n.csv"), "--probabilities is for answers that are one class"),
        (("aggregate", "n.csv", "--tolerance", "0"), "tolerance is 0"),
        (("aggregate", "n.csv", "--option", "iterations=3"), "--option does not fit answers of the kind number"),
        (("aggregate", "n.csv", "--out", "o.npy"), "its ending chooses the format"),
        (("identify", "n.csv", "--method", "entropy"), "allowed are project, tasks, annotators"),
        (("compare", "n.csv"), "The answers come without the truth"),
        (("compare", "n.csv", "--truth", "n-truth.csv", "--methods", "glad"), "there are"),
    ],
)
def test_what_does_not_fit_is_said(words, told, bad, tmp_path):
    written(sets()[0], tmp_path / "sets.csv", "semicolons")
    frame, truth = lengths()
    frame.to_csv(tmp_path / "n.csv", index=False)
    pd.DataFrame({"task": range(60), "truth": truth}).to_csv(tmp_path / "n-truth.csv", index=False)
    assert told in bad(*words)


def test_a_class_called_quality_keeps_its_column(good, tmp_path):
    rows = [(i, j, "quality;price" if i % 2 else "price") for i in range(8) for j in range(3)]
    rows.append((8, 0, "quality"))
    pd.DataFrame(rows, columns=["task", "annotator", "label"]).to_csv(tmp_path / "a.csv", index=False)
    good("aggregate", "a.csv", "--kind", "set", "--out", "o.csv")
    found = pd.read_csv(tmp_path / "o.csv")
    assert (found["quality"][:8] > 0.8).all()
    assert (found["quality (class)"][:8:2] < 0.5).all()


def test_a_wide_table_may_hold_numbers(good, tmp_path):
    frame, truth = lengths()
    wide = frame.pivot_table(index="task", columns="annotator", values="label").reset_index()
    wide.to_csv(tmp_path / "w.csv", index=False)
    good("aggregate", "w.csv", "--kind", "number", "--out", "o.csv")
    found = pd.read_csv(tmp_path / "o.csv")
    assert np.corrcoef(found["consensus"], truth)[0, 1] > 0.99


def test_true_numbers_need_not_be_among_the_answers(good, tmp_path):
    frame, truth = lengths()
    frame["gold"] = truth[frame["task"]] + 0.037
    frame.drop(columns="gold").to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame({"task": range(60), "truth": [-1.0, *(truth[1:] + 0.037)]}).to_csv(tmp_path / "t.csv", index=False)
    found = json.loads(good("compare", "a.csv", "--truth", "t.csv", "--json"))
    assert len(found) == 4
    good("aggregate", "a.csv", "--known", "t.csv", "--out", "o.csv")
    assert pd.read_csv(tmp_path / "o.csv")["consensus"][0] == -1
    frame.to_csv(tmp_path / "b.csv", index=False)
    assert json.loads(good("compare", "b.csv", "--truth-column", "gold", "--json"))


def ratings(tmp_path, column="rating", wrong=None):
    rng = np.random.default_rng(0)
    truth = rng.integers(1, 6, 40)
    rows = [(i, j, str(int(np.clip(truth[i] + rng.choice([-1, 0, 0, 1]), 1, 5)))) for i in range(40) for j in range(3)]
    rows[7] = (*rows[7][:2], wrong or rows[7][2])
    pd.DataFrame(rows, columns=["task", "annotator", column]).to_csv(tmp_path / "stars.csv", index=False)


@pytest.mark.parametrize("column", ["rating", "stars", "score"])
def test_ratings_are_classes_of_an_order_and_that_is_said(column, run, tmp_path):
    ratings(tmp_path, column)
    code, _, told = run("aggregate", "stars.csv", "--out", "o.csv")
    assert code == 0, told
    assert "look like ratings, which are classes of an order, and are taken as such; --kind choice" in told
    assert "within_one" in pd.read_csv(tmp_path / "o.csv")
    code, _, told = run("aggregate", "stars.csv", "--method", "dawid-skene", "--out", "o.csv")
    assert code == 0, told
    assert "with --method, their order does not count" in told


def test_a_word_among_ratings_is_named_with_its_task_and_annotator(bad, good, tmp_path):
    ratings(tmp_path, wrong="five")
    told = " ".join(bad("aggregate", "stars.csv").split())
    assert "has 'five' for task 2, annotator 1" in told
    assert "--missing" in told
    good("aggregate", "stars.csv", "--missing", "five", "--out", "o.csv")
    good("aggregate", "stars.csv", "--kind", "choice", "--out", "o.csv")


@pytest.mark.parametrize(("labels", "said"), [([1, 2, 3], True), ([0, 1, 0], False), ([1, 2, 300], False)])
def test_small_whole_numbers_are_said_to_have_no_order(labels, said, run, tmp_path):
    rows = [(task, who, labels[task % 3]) for task in range(6) for who in "ab"]
    pd.DataFrame(rows, columns=["task", "annotator", "label"]).to_csv(tmp_path / "a.csv", index=False)
    told = run("aggregate", "a.csv", "--out", "o.csv")[2]
    assert ("--kind ordered, if they are ratings" in told) == said
    assert "without an order" not in run("aggregate", "a.csv", "--out", "o.csv", "--kind", "choice")[2]


def test_numbers_and_sets_are_counted_as_answers_and_not_as_classes(run, tmp_path):
    lengths()[0].to_csv(tmp_path / "n.csv", index=False)
    written(sets()[0], tmp_path / "s.csv", "lists")
    for name in ("n.csv", "s.csv"):
        _, _, told = run("aggregate", name)
        assert "different answers" in told
        assert " classes" not in told.splitlines()[0]
