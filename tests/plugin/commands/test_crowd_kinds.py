"""The commands that need no Label Studio, on answers that are not one class."""

import json

import numpy as np
import pandas as pd
import pytest

CLASSES = ["cat", "dog", "fish"]
PEOPLE = ("ann", "bob", "cho")


def sets(num_tasks=60, seed=0):
    """Answers of three who find most classes of each task, and one who does not, and the truth."""
    rng = np.random.default_rng(seed)
    truth = [sorted(label for label in CLASSES if rng.random() < 0.4) for _ in range(num_tasks)]
    rows = []
    for task, labels in enumerate(truth):
        for who in ("ann", "bob", "cho", "dan"):
            wrong = 0.5 if who == "dan" else 0.08
            rows.append((task, who, sorted(label for label in CLASSES if (label in labels) != (rng.random() < wrong))))
    return pd.DataFrame(rows, columns=["task", "annotator", "label"]), truth


def lengths(num_tasks=60, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 100, num_tasks).round(1)
    rows = [(i, who, round(truth[i] + bias + rng.normal(0, 3), 1))
            for i in range(num_tasks) for who, bias in (("ann", 0), ("bob", 0), ("cho", 10))]  # fmt: skip
    return pd.DataFrame(rows, columns=["task", "annotator", "label"]), truth


def written(frame, path, how):
    if how == "semicolons":
        frame = frame.assign(label=[";".join(labels) or "[]" for labels in frame["label"]])
    if how == "studio":  # as Label Studio's CSV has several choices
        frame = frame.assign(label=[json.dumps({"choices": labels}) for labels in frame["label"]])
    if how in ("json", "parquet"):
        path = path.with_suffix(f".{how}")
        frame.to_json(path, orient="records") if how == "json" else frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


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


def item(kind, value, name="c"):
    return {"from_name": name, "to_name": "t", "type": kind, "value": value}


def export(tmp_path, results):
    """Write an export; results[i][j] is the result of annotator j for task i, None for no annotation."""
    tasks = [
        {"id": i + 1, "data": {"t": "x"}, "annotations": [
            {"id": 100 * i + j, "completed_by": j + 1, "result": result, "ground_truth": False}
            for j, result in enumerate(row) if result is not None
        ]}
        for i, row in enumerate(results)
    ]  # fmt: skip
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    return tmp_path / "export.json"


def test_an_export_with_several_choices_is_of_sets_and_loses_no_answer(run, tmp_path):
    frame, truth = sets()
    results = [
        [[item("choices", {"choices": labels})] if labels else [] for labels in rows["label"]]
        for _, rows in frame.groupby("task")
    ]
    code, _, told = run("aggregate", export(tmp_path, results), "--out", "o.json")
    assert code == 0, told
    assert "240 answers of 4 annotators to 60 tasks" in told
    assert "no answers" not in told
    assert "of the kind set" in told
    found = json.loads((tmp_path / "o.json").read_text())
    assert np.mean([row["consensus"] == labels for row, labels in zip(found, truth, strict=True)]) > 0.8
    code, _, told = run("aggregate", "export.json", "--kind", "choice")
    assert "with several labels" in told


def test_an_export_of_paths_says_the_deepest_node_that_is_sure(run, tmp_path):
    paths = [[["a", "b"], ["c"]], [["a"], ["c"]], [["a", "b"], ["c"]]]
    results = [[[item("taxonomy", {"taxonomy": said})] for said in paths]] * 10
    code, _, told = run("aggregate", export(tmp_path, results), "--out", "o.csv")
    assert code == 0, told
    assert pd.read_csv(tmp_path / "o.csv")["consensus"].str.contains("a / b").all()


def test_exports_of_numbers_texts_and_regions_have_a_consensus(good, bad, tmp_path):
    numbers = [[[item("number", {"number": 10.0 * i + j})] for j in range(3)] for i in range(8)]
    export(tmp_path, numbers)
    good("aggregate", "export.json", "--out", "o.csv")
    assert np.allclose(pd.read_csv(tmp_path / "o.csv")["consensus"], 10 * np.arange(8) + 1, atol=1.5)
    assert "answers to 'c' (number) are of the kind number" in bad("aggregate", "export.json", "--kind", "set")
    texts = [[[item("textarea", {"text": [said]})] for said in ("one two", "one two", "one too")] for _ in range(5)]
    export(tmp_path, texts)
    good("aggregate", "export.json", "--out", "o.csv")
    assert pd.read_csv(tmp_path / "o.csv")["consensus"].tolist() == ["one two"] * 5
    spans = [[[item("labels", {"start": 0, "end": end, "text": "abcd"[:end], "labels": ["PER"]})] for end in (4, 4, 3)]]
    export(tmp_path, spans * 6)
    good("aggregate", "export.json", "--out", "o.csv")
    assert pd.read_csv(tmp_path / "o.csv")["consensus"].str.contains("PER").all()
    good("identify", "export.json")


def test_of_several_controls_one_is_chosen_by_its_name(good, bad, tmp_path):
    both = [[[item("choices", {"choices": ["p", "q"]}), item("rating", {"rating": 3}, "r")]] * 2] * 4
    export(tmp_path, both)
    assert "'c' (choices), 'r' (rating). Choose one with --control" in bad("aggregate", "export.json")
    good("aggregate", "export.json", "--control", "c", "--out", "o.csv")
    assert pd.read_csv(tmp_path / "o.csv")["consensus"].tolist() == ['["p", "q"]'] * 4
    good("aggregate", "export.json", "--control", "r", "--kind", "ordered", "--out", "o.csv")
    assert pd.read_csv(tmp_path / "o.csv")["consensus"].tolist() == [3] * 4


def test_an_export_takes_true_answers_of_a_file_or_its_own(good, tmp_path):
    rows = [[[item("choices", {"choices": said})] for said in (["p"], ["p", "q"], ["p"])]] * 6
    path = export(tmp_path, rows)
    pd.DataFrame({"task": [1, 2], "truth": ["p;q;r", "[]"]}).to_csv(tmp_path / "known.csv", index=False)
    good("aggregate", path, "--known", "known.csv", "--out", "o.json")
    found = json.loads((tmp_path / "o.json").read_text())
    assert [row["consensus"] for row in found[:2]] == [["p", "q", "r"], []]
    tasks = json.loads(path.read_text())
    tasks[0]["annotations"][1]["ground_truth"] = True
    path.write_text(json.dumps(tasks))
    good("aggregate", path, "--trust-ground-truth", "--out", "o.json")
    found = json.loads((tmp_path / "o.json").read_text())
    assert (found[0]["consensus"], found[0]["quality"]) == (["p", "q"], 1.0)
    export(tmp_path, [[[item("textarea", {"text": ["one"]})]] * 2] * 3)
    good("aggregate", "export.json", "--known", "known.csv", "--out", "o.json")
    found = json.loads((tmp_path / "o.json").read_text())
    assert [row["consensus"] for row in found] == ["p;q;r", "[]", "one"]


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


def test_files_have_whole_answers(good, tmp_path):
    text = "wörd " * 200
    export(tmp_path, [[[item("textarea", {"text": [text.strip()]})]] * 3] * 5)
    good("aggregate", "export.json", "--out", "o.csv")
    assert pd.read_csv(tmp_path / "o.csv")["consensus"].tolist() == [text.strip()] * 5
    good("aggregate", "export.json", "--out", "o.json")
    assert json.loads((tmp_path / "o.json").read_text())[0]["consensus"] == text.strip()
    box = {"x": 10, "y": 20, "width": 30, "height": 5, "rotation": 0, "rectanglelabels": ["car"]}
    export(tmp_path, [[[item("rectanglelabels", box)]] * 3] * 5)
    good("aggregate", "export.json", "--out", "o.csv")
    good("aggregate", "export.json", "--out", "o.json")
    in_json = json.loads((tmp_path / "o.json").read_text())[0]["consensus"]
    in_cell = json.loads(pd.read_csv(tmp_path / "o.csv")["consensus"][0])
    for (region,) in (in_json, in_cell):
        assert (region["value"]["width"], region["value"]["rectanglelabels"]) == (pytest.approx(30), ["car"])


def test_large_numbers_keep_their_digits(good, tmp_path):
    numbers = [1234567.25 + 2.5 * i for i in range(8)]
    export(tmp_path, [[[item("number", {"number": number})]] * 3 for number in numbers])
    good("aggregate", "export.json", "--out", "o.csv")
    assert np.allclose(pd.read_csv(tmp_path / "o.csv")["consensus"], numbers, rtol=0, atol=0.01)


@pytest.mark.parametrize("result", [5, "hello", {"a": 1}, ["x", None], [{"text": "\ud83d"}]])
def test_a_result_of_another_shape_is_named(bad, tmp_path, result):
    given = item("choices", {"choices": ["p", "q"]})
    export(tmp_path, [[[given], [given]], [[given], result]])
    said = bad("aggregate", "export.json")
    assert "task 2: the result of the annotation 101 " in " ".join(said.split())


def test_regions_that_cannot_be_read_are_not_nothing(run, tmp_path):
    good_box = {"x": 10, "y": 20, "width": 30, "height": 5, "rotation": 0, "rectanglelabels": ["car"]}
    broken = {name: value for name, value in good_box.items() if name != "width"}
    boxes = [[[item("rectanglelabels", box)] for box in (good_box, broken, broken)]] * 5
    code, _, told = run("aggregate", export(tmp_path, boxes), "--out", "o.json")
    assert code == 0, told
    assert "5 answers of" in told
    assert all(row["consensus"] for row in json.loads((tmp_path / "o.json").read_text()))


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


def test_ratings_of_an_export_have_an_order_and_a_word_among_them_is_named(run, bad, tmp_path):
    rated = [[[item("rating", {"rating": stars})] for stars in (3, 4, 5)]] * 5
    code, _, told = run("aggregate", export(tmp_path, rated), "--out", "o.csv")
    assert code == 0, told
    assert "of the kind ordered; --kind choice" in told
    assert pd.read_csv(tmp_path / "o.csv")["consensus"].tolist() == [4] * 5
    rated[3] = [[item("rating", {"rating": "five"})], *rated[3][1:]]
    assert "task 4: a rating is 'five'; ratings are numbers" in bad("aggregate", export(tmp_path, rated))


def test_sets_of_classes_with_any_mark_in_their_names_come_back_from_a_table(good, tmp_path):
    odd = ["a, b", "c; d", 'e "f" | g']
    sets_of = [[[item("choices", {"choices": odd[: 1 + i % 3]})] for _ in range(3)] for i in range(6)]
    export(tmp_path, sets_of)
    good("aggregate", "export.json", "--out", "o.csv")
    consensus = pd.read_csv(tmp_path / "o.csv")["consensus"]
    assert [sorted(json.loads(cell)) for cell in consensus] == [sorted(odd[: 1 + i % 3]) for i in range(6)]
    rows = [(i, j, cell) for i, cell in enumerate(consensus) for j in range(3)]
    pd.DataFrame(rows, columns=["task", "annotator", "label"]).to_csv(tmp_path / "again.csv", index=False)
    good("aggregate", "again.csv", "--out", "p.csv")
    assert pd.read_csv(tmp_path / "p.csv")["consensus"].tolist() == consensus.tolist()


def test_dates_have_dates_around_them_and_a_year_among_them_is_no_answer(run, tmp_path):
    days = [[[item("datetime", {"datetime": f"2024-05-{10 + i:02}"})] for _ in range(3)] for i in range(6)]
    days[2][1] = [item("datetime", {"datetime": 5})]
    code, _, told = run("aggregate", export(tmp_path, days), "--out", "o.csv")
    assert code == 0, told
    found = pd.read_csv(tmp_path / "o.csv")
    assert found["consensus"].tolist() == [f"2024-05-{10 + i:02}" for i in range(6)]
    assert (found["low"] <= found["consensus"]).all()
    assert (found["consensus"] <= found["high"]).all()
    assert found["num_answers"].tolist() == [3, 3, 2, 3, 3, 3]
    years = [[[item("datetime", {"datetime": 2000 + i})] for _ in range(3)] for i in range(6)]
    run("aggregate", export(tmp_path, years), "--out", "o.csv")
    assert pd.read_csv(tmp_path / "o.csv")["consensus"].tolist() == [2000 + i for i in range(6)]


def test_moments_with_offsets_are_the_same_moments_and_lengths_of_time_are_readable(run, tmp_path):
    said = ["2024-05-01T10:00:00+02:00", "2024-05-01T08:00Z", "2024-05-01T03:30:00-0430"]
    said = [[[item("datetime", {"datetime": one})] for one in said] for _ in range(6)]
    code, _, told = run("aggregate", export(tmp_path, said), "--out", "o.csv")
    assert code == 0, told
    assert "18 answers of 3 annotators to 6 tasks, 1 different answer" in told
    assert set(pd.read_csv(tmp_path / "o.csv")["consensus"]) == {"2024-05-01T08:00"}
    hours = [[[item("datetime", {"datetime": f"2024-05-{day:02}T{hour:02}:00"})] for hour in (8, 8, 18)]
             for day in range(1, 21)]  # fmt: skip
    run("aggregate", export(tmp_path, hours), "--out", "o.csv", "--annotators-out", "a.csv")
    people = pd.read_csv(tmp_path / "a.csv").set_index("annotator")
    assert people["bias"].str.fullmatch(r"-?[\d.]+ (days|h|min|s)").all()
    assert people["bias"][3].endswith(" h")


@pytest.mark.parametrize(("labels", "said"), [([1, 2, 3], True), ([0, 1, 0], False), ([1, 2, 300], False)])
def test_small_whole_numbers_are_said_to_have_no_order(labels, said, run, tmp_path):
    rows = [(task, who, labels[task % 3]) for task in range(6) for who in "ab"]
    pd.DataFrame(rows, columns=["task", "annotator", "label"]).to_csv(tmp_path / "a.csv", index=False)
    told = run("aggregate", "a.csv", "--out", "o.csv")[2]
    assert ("--kind ordered, if they are ratings" in told) == said
    assert "without an order" not in run("aggregate", "a.csv", "--out", "o.csv", "--kind", "choice")[2]


def test_of_two_annotations_the_later_one_counts_whatever_its_zone(good, tmp_path):
    path = export(tmp_path, [[[item("choices", {"choices": ["old"]})], [item("choices", {"choices": ["new"]})]]] * 3)
    tasks = json.loads(path.read_text())
    for task in tasks:
        old, new = task["annotations"]
        old |= {"completed_by": 1, "updated_at": "2024-05-01T12:30:00+02:00"}
        new |= {"completed_by": 1, "updated_at": "2024-05-01T11:00:00Z"}
    path.write_text(json.dumps(tasks))
    good("aggregate", path, "--out", "o.csv")
    assert set(pd.read_csv(tmp_path / "o.csv")["label"]) == {"new"}


def test_flags_may_be_texts_and_what_is_no_flag_or_id_is_named(run, bad, tmp_path):
    path = export(tmp_path, [[[item("choices", {"choices": ["p"]})]] * 2] * 3)
    tasks = json.loads(path.read_text())
    for task in tasks:
        task["annotations"][0]["was_cancelled"] = "false"
    path.write_text(json.dumps(tasks))
    _, _, told = run("aggregate", path)
    assert "6 answers of 2 annotators" in told
    tasks[1]["annotations"][0]["was_cancelled"] = "perhaps"
    path.write_text(json.dumps(tasks))
    assert "was_cancelled of the annotation 100 is 'perhaps'; it must be true or false" in bad("aggregate", path)
    tasks[1]["annotations"][0]["was_cancelled"] = None
    tasks[2]["id"] = [1]
    path.write_text(json.dumps(tasks))
    assert "its id is [1]; it must be a number or a text" in bad("aggregate", path)


def test_a_result_that_does_not_say_what_it_answers_is_named(bad, tmp_path):
    nameless = {key: value for key, value in item("choices", {"choices": ["p"]}).items() if key != "from_name"}
    assert "of the type choices has no from_name" in bad("aggregate", export(tmp_path, [[[nameless]] * 2] * 3))


def test_numbers_and_sets_are_counted_as_answers_and_not_as_classes(run, tmp_path):
    lengths()[0].to_csv(tmp_path / "n.csv", index=False)
    written(sets()[0], tmp_path / "s.csv", "lists")
    for name in ("n.csv", "s.csv"):
        _, _, told = run("aggregate", name)
        assert "different answers" in told
        assert " classes" not in told.splitlines()[0]
