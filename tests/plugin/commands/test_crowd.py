"""The commands without Label Studio, as a user types them, on real answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crowdcore import hierarchical_dawid_skene
from crowdcore.formats import read_crowd, read_folder
from crowdcore.simulation import independent_confusion
from harness.checkout import DATA
from harness.stand_ins import crowds

EXPORTS = Path(__file__).parent / "exports"
DOG, DOG_TRUTH = crowds() / "dog" / "answer.csv", crowds() / "dog" / "truth.csv"
LABELME = crowds() / "labelme" / "answers.txt"
SIMULATED = crowds() / "peerannot-simulations" / "independent"
REAL = crowds() == DATA  # else what is expected was computed by crowd-kit 1.4.2 and peerannot 0.0.1.post43
PEERANNOTS = [
    "majority_voting",
    "naive_soft",
    "dawid_skene",
    "dawid_skene_clust[L=2]",
    "glad",
    "wds",
    "plantnet",
    "twothird",
    "iwmv",
    "wawa",
]

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def accuracy(labels: pd.Series, truth: Path) -> float:
    known = pd.read_csv(truth, index_col=0).iloc[:, 0]
    return (labels.reindex(known.index) == known).mean()


def test_dawid_skene_on_dogs(good, tmp_path):
    assert "Wrote labels.csv" in good("aggregate", DOG, "--method", "dawid-skene", "--out", "labels.csv")
    found = pd.read_csv("labels.csv", index_col="task")
    assert list(found.columns) == ["label", "quality", "0", "1", "2", "3"]
    assert accuracy(found["label"], DOG_TRUTH) == pytest.approx(0.844 if REAL else 0.8885, abs=0.003)
    assert np.allclose(found[["0", "1", "2", "3"]].sum(axis=1), 1)


def test_without_a_file_the_first_rows_are_shown(run):
    code, out, err = run("aggregate", DOG)
    assert code == 0
    assert "long table (question, worker, answer) with 8,070 answers of 109 annotators to 807 tasks, 4 classes" in err
    assert "\nhierarchical-dawid-skene: 807 of 807 tasks have a label" in f"\n{out}"
    assert "797 more rows" in out
    assert "--out labels.csv" in out


@pytest.mark.parametrize("strategy", PEERANNOTS)
@pytest.mark.parametrize("hard", [False, True])
def test_every_strategy_of_peerannot(good, strategy, hard):
    good("aggregate", DOG, "-m", strategy, "--out", "labels.npy", *["--hard"] * hard)
    found = np.load("labels.npy")
    labels = found if hard else found.argmax(axis=1)
    assert found.shape == ((807,) if hard else (807, 4))
    tasks = read_crowd(DOG).crowd.tasks
    decided = labels >= 0
    truth = pd.read_csv(DOG_TRUTH, index_col=0).iloc[:, 0].reindex(tasks[decided])
    assert (truth == labels[decided]).mean() > 0.6


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "json"])
def test_the_ending_chooses_the_format(good, ending):
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed, so there is no Parquet")
    good("aggregate", DOG, "--out", f"all.{ending}", "--annotators-out", f"who.{ending}")
    good("aggregate", DOG, "--out", f"hard.{ending}", "--hard")
    read = {
        "csv": pd.read_csv,
        "tsv": lambda path: pd.read_csv(path, sep="\t"),
        "parquet": pd.read_parquet,
        "json": lambda path: pd.DataFrame(json.loads(Path(path).read_text())),
    }[ending]
    assert list(read(f"all.{ending}").columns) == ["task", "label", "quality", "0", "1", "2", "3"]
    assert list(read(f"hard.{ending}").columns) == ["task", "label"]
    annotators = read(f"who.{ending}")
    assert len(annotators) == 109
    assert {"annotator", "num_answers", "agreement_with_consensus", "skill"} <= set(annotators.columns)


@pytest.fixture
def simulated(tmp_path):
    """A crowd of two answers a task whose files are in the folder, its probabilities and its features."""
    made = independent_confusion(n_tasks=300, n_annotators=10, n_classes=3, answers_per_task=2, seed=1)
    crowd, rng = made.crowd, np.random.default_rng(0)
    P = 0.4 * np.eye(3)[made.truth] + 0.6 * rng.dirichlet(np.ones(3), size=300)
    X = np.eye(3)[made.truth] + rng.normal(scale=0.6, size=(300, 3))
    crowd.to_long().to_csv(tmp_path / "answers.csv", index=False)
    tasks = pd.Index(crowd.tasks, name="task")
    pd.DataFrame(P, tasks, crowd.classes).to_csv(tmp_path / "probabilities.csv")
    pd.DataFrame({"truth": made.truth}, tasks).to_csv(tmp_path / "truth.csv")
    np.save(tmp_path / "features.npy", X)
    return crowd, {"pred_probs": P, "features": X}


FILES = {"pred_probs": ["--probabilities", "probabilities.csv"], "features": ["--features", "features.npy"]}


@pytest.mark.parametrize("given", [(), ("pred_probs",), ("features",), ("pred_probs", "features")], ids="+".join)
def test_aggregate_uses_all_that_there_is(good, simulated, given):
    crowd, evidence = simulated
    words = [word for what in given for word in FILES[what]]
    shown = good("aggregate", "answers.csv", *words, "--annotators-out", "who.csv")
    assert "hierarchical-dawid-skene: 300 of 300 tasks have a label" in shown
    good("aggregate", "answers.csv", *words, "--out", "labels.csv")
    found = pd.read_csv("labels.csv", index_col="task")
    expected = hierarchical_dawid_skene(crowd, **{what: evidence[what] for what in given})
    assert found["label"].tolist() == expected.labels.tolist()
    assert np.allclose(found["quality"], expected.quality, rtol=0, atol=1e-6)
    assert np.allclose(pd.read_csv("who.csv")["skill"], expected.annotators.quality, rtol=0, atol=1e-6)


def test_compare_hands_over_what_a_method_uses(good, simulated):
    words = ("compare", "answers.csv", "--truth", "truth.csv", "--methods", "hds,dawid-skene", "--json")
    alone = {row["method"]: row for row in json.loads(good(*words))}
    told = {row["method"]: row for row in json.loads(good(*words, *FILES["pred_probs"]))}
    taught = {row["method"]: row for row in json.loads(good(*words, *FILES["features"]))}
    assert alone["dawid-skene"]["accuracy"] == told["dawid-skene"]["accuracy"]
    for better in (told, taught):
        assert better["hierarchical-dawid-skene"]["log_loss"] < alone["hierarchical-dawid-skene"]["log_loss"]


def test_crowdlab_by_name(good):
    good("aggregate", DOG, "-m", "dawid-skene", "--out", "p.parquet")
    good("aggregate", DOG, "-m", "crowdlab", "--probabilities", "p.parquet", "--out", "labels.csv")
    assert accuracy(pd.read_csv("labels.csv", index_col="task")["label"], DOG_TRUTH) > 0.82


def test_known_labels_are_kept(good, tmp_path):
    Path("known.csv").write_text("task,truth\n1,0\n2,spam\n5000,1\n")
    good("aggregate", DOG, "--known", "known.csv", "--out", "labels.csv")
    found = pd.read_csv("labels.csv", index_col="task")
    assert list(found.columns) == ["label", "quality", "0", "1", "2", "3", "spam"]
    assert found.loc[[1, 2], "label"].tolist() == ["0", "spam"]


def test_options_of_a_method(good):
    good("aggregate", DOG, "-m", "dawid-skene", "--option", "n_iter=1", "--out", "one.csv")
    good("aggregate", DOG, "-m", "dawid-skene", "--option", "n_iter=50", "--out", "many.csv")
    one, many = pd.read_csv("one.csv"), pd.read_csv("many.csv")
    assert one["quality"].mean() < many["quality"].mean()


def test_a_label_file_goes_where_peerannot_keeps_it(good, tmp_path):
    good("simulate", "--strategy", "hammer-spammer", "--tasks", 50, "--annotators", 9, "--out", "set")
    good("aggregate", "set", "-m", "glad", "--out", "set")
    assert np.load("set/labels/labels_hammer-spammer_glad.npy").shape == (50, 2)
    assert "labels_hammer-spammer_glad_hard.npy" in good("aggregate", "set", "-m", "glad", "--hard", "--out", "set")


@pytest.mark.parametrize(
    "strategy", ["hammer-spammer", "student-teacher", "independent-confusion", "discrete-difficulty"]
)
def test_simulated_folders_are_compared(good, strategy):
    good("simulate", "-s", strategy, "--tasks", 60, "--annotators", 8, "-K", 3, "--out", "made", "--seed", 3)
    assert (read_folder("made").truth >= 0).all()
    rows = json.loads(good("compare", "made", "--methods", "mv,dawid_skene", "--json"))
    assert {row["method"] for row in rows} == {"majority-vote", "dawid-skene"}
    assert all(row["low"] <= row["accuracy"] <= row["high"] for row in rows)


def test_a_simulation_as_tables(good, bad):
    words = ("simulate", "--tasks", 30, "--annotators", 5, "-K", 3, "--answers-per-task", 4)
    assert "a-truth.csv" in good(*words, "--out", "a.csv", "--seed", 1)
    crowd = read_crowd("a.csv").crowd
    assert crowd.num_answers.tolist() == [4] * 30
    assert len(pd.read_csv("a-truth.csv")) == 30
    assert "a.csv already exists" in bad(*words, "--out", "a.csv")
    assert "--force" in bad(*words, "--out", "a.csv")
    good(*words, "--out", "a.csv", "--force", "--seed", 2)
    assert not read_crowd("a.csv").crowd.to_long().equals(crowd.to_long())
    good(*words, "--out", "a.csv", "--force", "--seed", 1)
    assert read_crowd("a.csv").crowd.to_long().equals(crowd.to_long())


def test_compare_is_a_table_of_all_methods(run):
    code, out, err = run("compare", DOG, "--truth", DOG_TRUTH, "--out", "all.md")
    assert code == 0
    assert "807 tasks have answers and a known truth" in err
    lines = [line for line in out.splitlines() if line.startswith("│")]
    assert next(line for line in lines if "dawid-skene " in line).split()[3] == (
        "0.8439" if REAL else "0.8872"
    )  # crowd-kit: 0.8885, a task more
    assert "kos: skipped: is for two classes, and there are 4" in out
    assert "skipped: needs --probabilities" in " ".join(out.split())
    assert Path("all.md").read_text().startswith("| method | accuracy | low | high |")


def test_compare_with_probabilities_knows_crowdlab(good):
    good("aggregate", DOG, "-m", "dawid-skene", "--out", "p.csv")
    words = ("--truth", DOG_TRUTH, "--probabilities", "p.csv", "--methods", "crowdlab,model-alone,dawid-skene")
    rows = {row["method"]: row for row in json.loads(good("compare", DOG, *words, "--json"))}
    assert rows["model-alone"]["accuracy"] == rows["dawid-skene"]["accuracy"]
    assert rows["crowdlab"]["log_loss"] < rows["dawid-skene"]["log_loss"]


def test_a_method_that_fails_is_a_row(good, monkeypatch):
    from crowdcore.aggregate import GLAD

    def fail(*_):
        raise FloatingPointError("overflow")

    monkeypatch.setattr(GLAD, "_fit", fail)
    rows = json.loads(good("compare", DOG, "--truth", DOG_TRUTH, "--methods", "glad,mv", "--json"))
    assert [(row["method"], row["note"]) for row in rows] == [("majority-vote", ""), ("glad", "failed: overflow")]


def test_a_class_that_nobody_chose_is_right_for_no_method(good, tmp_path):
    Path("a.csv").write_text("task,annotator,label\n1,1,x\n1,2,x\n2,1,y\n2,2,y\n3,1,x\n")
    Path("t.csv").write_text("task,truth\n1,x\n2,z\n9,x\n")
    (row,) = json.loads(good("compare", "a.csv", "--truth", "t.csv", "--methods", "mv", "--json"))
    assert row["accuracy"] == 0.5


def test_truth_in_order_and_a_matrix(good):
    words = ("--truth", LABELME.with_name("LabelMe_Z_train.txt"), "--methods", "majority-vote", "--json")
    (row,) = json.loads(good("compare", LABELME, *words))
    assert row["accuracy"] == pytest.approx(0.772 if REAL else 0.412, abs=0.01)


def test_peerannots_truth_is_used_to_judge_and_not_to_aggregate(good):
    rows = json.loads(good("compare", SIMULATED, "--methods", "dawid_skene,naive_soft", "--json"))
    found = {row["method"]: row["accuracy"] for row in rows}
    expected = {"dawid-skene": 0.89, "naive-soft": 0.76} if REAL else {"dawid-skene": 0.845, "naive-soft": 0.78}
    assert found["dawid-skene"] == pytest.approx(expected["dawid-skene"], abs=0.006)  # published
    assert found["naive-soft"] == pytest.approx(expected["naive-soft"], abs=0.006 if REAL else 0.03)  # ties by chance
    good("aggregate", SIMULATED, "-m", "dawid_skene", "--hard", "--out", "l.npy")
    assert (np.load("l.npy") == np.load(SIMULATED / "ground_truth.npy")).mean() == pytest.approx(
        expected["dawid-skene"], abs=0.006
    )


def test_identify_gives_an_overview(good):
    shown = good("identify", DOG)
    for words in ("krippendorff_alpha_nominal", "votes differ most", "least accurate", "spam-score"):
        assert words in shown


@pytest.mark.parametrize(
    ("method", "rows", "column"),
    [
        ("entropy", 807, "entropy"),
        ("krippendorffAlpha", 3, "value"),
        ("spam_score", 109, "spam_score"),
        ("trace_confusion", 109, "trace"),
        ("honeypots", 109, "accuracy"),
    ],
)
def test_identify_writes_a_table(good, method, rows, column):
    good("identify", DOG, "--method", method, "--truth", DOG_TRUTH, "--out", "found.csv")
    found = pd.read_csv("found.csv")
    assert len(found) == rows
    assert column in found.columns


def test_a_label_studio_export(run, good, tmp_path):
    code, _, err = run("aggregate", EXPORTS / "export.json", "--control", "sentiment", "-m", "mv", "--out", "l.csv")
    assert code == 0
    assert "5 answers of 2 annotators to 5 tasks" in err
    for reason in ("1 skipped", "1 superseded by the annotator's later one", "1 empty"):
        assert reason in err
    labels = pd.read_csv("l.csv", index_col="task")["label"]
    assert labels[2] == "good"
    assert set(labels[[1, 3]]) <= {"bad", "good"}  # ties
    assert labels[[4, 5]].isna().all()


def test_ground_truth_of_an_export_is_used_if_it_is_trusted(good):
    words = (EXPORTS / "export.json", "--control", "sentiment", "--trust-ground-truth")
    (row,) = json.loads(good("compare", *words, "--methods", "mv", "--json"))
    assert row["accuracy"] == 0  # the colleague who is no ground truth said "good", and the truth is "bad"
    good("aggregate", *words, "-m", "dawid-skene", "--out", "l.csv")
    assert pd.read_csv("l.csv", index_col="task").loc[3, "quality"] == 1


def test_controls_of_an_export_are_told_apart(bad, good):
    told = bad("aggregate", EXPORTS / "export.json")
    assert "'sentiment' (choices), 'stars' (rating)" in told  # not the choices of regions
    assert "--control" in told
    good("aggregate", EXPORTS / "export.json", "--control", "stars", "-m", "mv", "--out", "l.csv")
    assert pd.read_csv("l.csv")["label"].dropna().tolist() in ([2], [4])  # a tie
    good("aggregate", EXPORTS / "export.json", "--control", "kind", "--out", "kinds.json")  # about regions
    assert "no control 'mood' that can be scored" in bad("aggregate", EXPORTS / "export.json", "--control", "mood")


def test_exports_that_cannot_be_used_say_what_to_do(bad):
    assert "JSON-MIN" in bad("aggregate", EXPORTS / "export_min.json")
    Path("ids.json").write_text('[{"id": 1, "annotations": [7]}]')
    assert "export them in full" in bad("aggregate", "ids.json")
    Path("other.json").write_text('[{"text": "a"}]')
    assert "its columns ['text'] are neither" in bad("aggregate", "other.json")
    assert "answered task 3 more than once" in bad(
        "aggregate", EXPORTS / "export.csv", "--label-column", "sentiment", "--repeated", "error"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["aggregate", "nowhere.csv"], ["nowhere.csv does not exist"]),
        (["aggregate", DOG, "-m", "dawidskeen"], ["'dawidskeen'", "Did you mean", "glad"]),
        (["aggregate", DOG, "-m", "crowdlab"], ["crowdlab needs --probabilities"]),
        (["aggregate", DOG, "-m", "kos"], ["kos is for two classes, and there are 4"]),
        (["aggregate", DOG, "-m", "glad[L=2"], ["bracket is not closed"]),
        (["aggregate", DOG, "--option", "n_iter"], ["name=value"]),
        (["aggregate", DOG, "--option", "speed=3"], ["no option 'speed'", "most_exponent"]),
        (["aggregate", DOG, "--label-column", "foo"], ["no column 'foo'", "--label-column"]),
        (["aggregate", DOG, "--format", "tall"], ["--format is 'tall'", "label-studio"]),
        (["aggregate", DOG, "--control", "c"], ["--control is for Label Studio's JSON export"]),
        (["aggregate", DOG, "--out", "l.xlsx"], ["'l.xlsx'", ".csv, .tsv, .parquet, .json, .npy"]),
        (["aggregate", DOG, "--out", "nowhere/l.csv"], ["nowhere", "not a folder"]),
        (["aggregate", DOG, "--out", DOG.parent], ["metadata.json does not exist"]),
        (["aggregate", DOG, "--known", "nowhere.csv"], ["nowhere.csv"]),
        (["compare", DOG], ["give --truth FILE"]),
        (["compare", DOG, "--truth", LABELME.with_name("LabelMe_Z_train.txt")], ["shape (1000,)", "807 tasks"]),
        (["compare", DOG, "--truth", DOG_TRUTH, "--methods", "mv,nope"], ["'nope'"]),
        (["identify", DOG, "-m", "nope"], ["'nope'", "entropy"]),
        (["identify", DOG, "-m", "honeypots"], ["needs the true labels", "--truth FILE"]),
        (["identify", DOG, "--out", "l.csv"], ["--method", "entropy"]),
        (["simulate", "--out", "s", "-s", "nope"], ["'nope'", "hammer-spammer"]),
        (["simulate", "--out", "s", "--ratio", ".5"], ["no option 'ratio'"]),
        (["simulate", "--out", "s.xlsx"], [".csv, .tsv, .parquet"]),
        (["simulate", "--out", "s", "--tasks", 0], ["n_tasks", "0"]),
    ],
)
def test_what_the_user_can_mend_is_one_line(bad, words, told):
    line = bad(*words)
    assert line.startswith("label-studio-crowd: ")
    for word in told:
        assert word in line


def test_what_is_read_is_not_overwritten(bad, good, tmp_path):
    answers = "task,annotator,label\n1,a,x\n1,b,y\n2,a,x\n"
    (tmp_path / "answers.csv").write_text(answers)
    (tmp_path / "p.csv").write_text("task,x,y\n1,.5,.5\n2,.5,.5\n")
    (tmp_path / "truth.csv").write_text("task,truth\n1,x\n")
    for words in (
        ["aggregate", "answers.csv", "--out", "answers.csv"],
        ["aggregate", "answers.csv", "--annotators-out", tmp_path / "answers.csv"],
        ["aggregate", "answers.csv", "--probabilities", "p.csv", "--out", "./p.csv"],
        ["identify", "answers.csv", "-m", "entropy", "--out", "answers.csv"],
        ["compare", "answers.csv", "--truth", "truth.csv", "--out", "truth.csv"],
    ):
        assert "which this command reads: choose another name" in bad(*words)
    assert (tmp_path / "answers.csv").read_text() == answers
    assert "choose two names" in bad("aggregate", "answers.csv", "--out", "l.csv", "--annotators-out", "l.csv")
    good("simulate", "--out", "crowd", "--tasks", 5)
    assert "which this command reads" in bad("aggregate", "crowd", "--out", "crowd/answers.json")
    for _ in range(2):  # results are
        good("aggregate", "answers.csv", "-m", "mv", "--out", "labels.csv")


def test_answers_that_are_none_are_told_in_one_line(bad, tmp_path):
    (tmp_path / "header.csv").write_text("task,annotator,label\n")
    assert bad("aggregate", "header.csv").endswith("header.csv has no answers: no row has a label.")
    (tmp_path / "nested.json").write_text('{"1": {"a": {"x": 1}}}')
    assert "cannot be an id or a label" in bad("aggregate", "nested.json")
    assert "most_exponent is 'even'" in bad("aggregate", DOG, "--option", "most_exponent=even")


def test_a_long_title_is_one_line(good, tmp_path):
    (tmp_path / "one.csv").write_text("task,annotator,label\n1,a,x\n")
    assert "majority-vote: 1 of 1 tasks have a label\n" in good("aggregate", "one.csv", "-m", "mv", "--hard")


def test_help_stays_light():
    heavy = "{'pandas', 'numpy', 'crowdcore', 'sqlalchemy', 'rich.progress', 'numba'}"
    code = f"import sys, label_studio_crowd.commands.cli; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
