"""The example crowds are what their documentation says, and a crowd's file is read or refused clearly."""

from base64 import b64decode
from collections import Counter, defaultdict
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from examples import digits, tabular, text
from examples.labelling import Pick, verdict
from examples.own_crowd import CrowdFileError, read_crowd, write_crowd
from harness.messages import BETWEEN
from label_studio_crowd.studio.controls import find_control

CROWDS = {
    "digits": (digits.digits_crowd, digits.PERSONAS),
    "text": (text.text_crowd, text.PERSONAS),
    "tabular": (tabular.tabular_crowd, tabular.PERSONAS),
}


@pytest.fixture(params=CROWDS)
def example(request):
    return CROWDS[request.param]


def test_the_same_seed_gives_the_same_crowd(example):
    generate, _ = example
    assert generate(n_tasks=60, seed=3) == generate(n_tasks=60, seed=3)
    assert generate(n_tasks=60, seed=3).answers != generate(n_tasks=60, seed=4).answers


def test_two_thirds_have_one_to_four_labels_by_different_people(example):
    crowd = example[0]()
    labels = Counter(answer.task for answer in crowd.answers)
    assert len(labels) == round(2 / 3 * len(crowd.tasks))
    assert set(labels.values()) == {1, 2, 3, 4}
    assert len({(answer.task, answer.annotator) for answer in crowd.answers}) == len(crowd.answers)


def test_stated_skills_are_realised(example):
    generate, personas = example
    right: defaultdict[str, list[bool]] = defaultdict(list)
    for seed in range(12):
        crowd = generate(seed=seed)
        for answer in crowd.answers:
            right[answer.annotator].append(answer.label == crowd.truth[answer.task])
    assert set(right) == {persona.name for persona in personas}
    for name, hits in right.items():
        assert sum(hits) / len(hits) == pytest.approx(crowd.skill[name], abs=0.06), name


def test_stated_skills_stand_in_the_documentation(example):
    generate, personas = example
    documented = {}
    for line in __import__(generate.__module__, fromlist=["x"]).__doc__.splitlines():
        words = line.split()
        if len(words) >= 2 and words[1].startswith("0."):
            documented[words[0]] = float(words[1])
    assert documented == {name: round(skill, 2) for name, skill in generate().skill.items()}
    assert len(personas) >= 10


def test_the_config_offers_the_labels_and_shows_the_data(example):
    crowd = example[0]()
    control = find_control(crowd.label_config)
    assert set(control.classes) == set(crowd.truth) >= {answer.label for answer in crowd.answers}
    assert control.objects == (crowd.to_name,)
    assert control.read(crowd.result(crowd.truth[0])) == crowd.truth[0]
    assert all(field in task for task in crowd.tasks for _, field in control.fields)


def test_the_truth_is_not_in_the_tasks(example):
    crowd = example[0]()
    assert not any("truth" in task or "target" in task or "label" in task for task in crowd.tasks)


def test_harder_tasks_get_more_mistakes():
    wrong: Counter[int] = Counter()
    given: Counter[int] = Counter()
    for seed in range(8):
        crowd = text.text_crowd(seed=seed)
        between = [sentence.split("{")[0] for pair in BETWEEN.values() for sentence in pair]
        for answer in crowd.answers:
            hard = any(start in crowd.tasks[answer.task]["text"] for start in between if len(start) > 8)
            given[hard] += 1
            wrong[hard] += answer.label != crowd.truth[answer.task]
    assert wrong[True] / given[True] > 1.5 * wrong[False] / given[False]


def test_digits_are_pictures_a_person_can_read_and_64_numbers():
    crowd = digits.digits_crowd()
    picture = crowd.tasks[0]["image"]
    assert picture.startswith("data:image/png;base64,")
    assert Image.open(BytesIO(b64decode(picture.partition(",")[2]))).size == (120, 120)
    assert all(len(task["pixels"]) == 64 for task in crowd.tasks)
    assert set(Counter(crowd.truth).values()) == {40}


def test_a_crowd_is_read_from_csv(tmp_path):
    crowd = read_crowd(
        _file(
            tmp_path,
            "\ufeffTask;Annotator;label;text;truth;age",
            'a;Ann;10;"one; two";2;31',
            "a;Bob;2;;;",
            "b;;;three;;",
        )
    )
    assert crowd.tasks == [{"task": "a", "text": "one; two"}, {"task": "b", "text": "three"}]
    assert [(answer.task, answer.annotator, answer.label) for answer in crowd.answers] == [
        (0, "Ann", "10"),
        (0, "Bob", "2"),
    ]
    assert crowd.truth == ["2", ""]
    assert crowd.notes == ("columns not used: age",)
    assert find_control(crowd.label_config).classes == ("2", "10")


def test_a_written_crowd_is_read_back(tmp_path):
    crowd = text.text_crowd(n_tasks=40)
    write_crowd(crowd, tmp_path / "messages.csv")
    read = read_crowd(tmp_path / "messages.csv")
    assert [task["text"] for task in read.tasks] == [task["text"] for task in crowd.tasks]
    assert sorted(answer[:3] for answer in read.answers) == sorted(answer[:3] for answer in crowd.answers)
    assert read.truth == crowd.truth


def test_labels_may_hold_anything_that_xml_minds(tmp_path):
    crowd = read_crowd(_file(tmp_path, "task,annotator,label", '1,ann,"a & <b> ""c"""', "1,bob,d"))
    assert find_control(crowd.label_config).classes == ('a & <b> "c"', "d")
    assert crowd.classifier == "none"
    assert not crowd.truth


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "no column task, annotator, label; found no header"),
        (("task,worker,label", "1,a,x"), "no column annotator; found task, worker, label"),
        (("task,annotator,label", ",a,x"), "line 2: the task is empty"),
        (("task,annotator,label", "1,a,"), "line 2: a annotator ('a') without label"),
        (("task,annotator,label", "1,,x"), "line 2: a label ('x') without annotator"),
        (("task,annotator,label", "1,a,x", "1,a,y"), "line 3: a labels task 1 a second time"),
        (("task,annotator,label", "1,a,x", "2,a,x"), "2 labels, and 1 different"),
        (("task,annotator,label", "1,a,x,y"), "line 2: 4 columns, the header has 3"),
        (("task,annotator,label,text", "1,a,x,one", "1,b,y,two"), "line 3: text of task 1 is 'two', but"),
        (("task,annotator,label,truth", "1,a,x,x", "1,b,y,y"), "line 3: truth of task 1 is 'y', but"),
        (("task,annotator,label,text", "1,a,x,one", "2,b,y,"), "1 tasks have no text, the first is task 2"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(tmp_path, lines, message):
    with pytest.raises(CrowdFileError) as error:
        read_crowd(_file(tmp_path, *lines))
    assert message in str(error.value)


def test_an_unreadable_file_is_refused_with_the_reason(tmp_path):
    with pytest.raises(CrowdFileError, match="cannot be read: No such file"):
        read_crowd(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"task,annotator,label\n1,a,caf\xe9\n")
    with pytest.raises(CrowdFileError, match="not UTF-8"):
        read_crowd(tmp_path / "latin.csv")


@pytest.mark.parametrize(
    ("served", "in_order", "distinct"),
    [
        ([(7, 1, 1), (8, 2, 2)], True, True),
        ([(8, 2, 1), (7, 1, 1)], False, True),
        ([(7, 1, 1), (7, 1, 2)], False, False),
        ([(7, 1, 1), (None, None, 2)], False, True),
        ([(7, 1, 1), (99, None, None)], False, True),
        ([], False, True),
    ],
)
def test_the_verdict_on_the_queue(served, in_order, distinct):
    picks = [Pick(n, "ann", task, place, due, "x") for n, (task, place, due) in enumerate(served, start=1)]
    seen = verdict(picks)
    assert (seen.in_order, seen.distinct) == (in_order, distinct)


def _file(directory: Path, *lines: str) -> Path:
    file = directory / "crowd.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file
