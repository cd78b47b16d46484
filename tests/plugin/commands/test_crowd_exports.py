"""The commands that need no Label Studio, on its exports of answers that are not one class."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.plugin.commands.answers_of_kinds import sets


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
