"""The consensus of regions: what a user would notice, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore.kinds import AnswerTable
from crowdcore.kinds.region import Box, KeyPoint, Mask, Region, Span, TextFeatures, region_distance, regions
from harness.region_crowds import SHAPES, draw_regions

law = settings(max_examples=15, deadline=None)
MODELLED = ["spans", "boxes", "polygons"]


def table_of(*tasks, annotators=None):
    """Make a table from each task's answers: a dict of annotator -> regions."""
    names = annotators or sorted({who for answers in tasks for who in answers})
    rows = [(task, names.index(who), marks) for task, answers in enumerate(tasks) for who, marks in answers.items()]
    task, annotator, values = zip(*rows, strict=True) if rows else ((), (), ())
    codes = np.array(task, np.int64), np.array(annotator, np.int64)
    return AnswerTable.from_codes(*codes, values, tasks=range(len(tasks)), annotators=names)


def per(start, end, label="PER"):
    return Region(Span(start, end), label)


def soft_f1(result, truth):
    return np.mean(
        [1 - region_distance(found or (), there) for found, there in zip(result.consensus, truth, strict=True)]
    )


def mean_answer(drawn):
    table = drawn.table
    pairs = zip(table.values, table.task.tolist(), strict=True)
    return np.mean([1 - region_distance(answer, drawn.truth[task]) for answer, task in pairs])


@pytest.mark.parametrize("shape", SHAPES)
def test_the_consensus_of_every_shape_is_nearer_to_the_truth_than_the_answers(shape):
    drawn = draw_regions(shape, 30, 5, 4, seed=1)
    result = regions(drawn.table)
    assert soft_f1(result, drawn.truth) > mean_answer(drawn) + 0.08
    assert abs(result.quality.mean() - soft_f1(result, drawn.truth)) < 0.2


def test_what_is_marked_alike_is_one_region_and_who_missed_it_is_told():
    result = regions(table_of({"a": (per(0, 4), per(9, 14)), "b": (per(0, 4),), "c": (per(0, 5), per(9, 14))}))
    assert [(r.place, r.label) for r in result.consensus[0]] == [(Span(0, 4), "PER"), (Span(9, 14), "PER")]
    first, second = result.kept_units(0)
    assert result.missed_by(first).tolist() == []
    assert result.missed_by(second).tolist() == [1]
    frame = result.units_frame()
    assert frame.marked.tolist() == [3, 2]
    assert frame.answers.tolist() == [3, 3]
    assert result.members_frame().query("unit == 0").alike.round(2).tolist() == [1, 1, 0.8]


def test_a_wrong_label_is_a_vote_on_the_same_region():
    tasks = [{"a": (per(0, 4),), "b": (per(0, 4),), "c": (per(0, 4, "LOC"),)} for _ in range(5)]
    result = regions(table_of(*tasks))
    assert [[r.label for r in there] for there in result.consensus] == [["PER"]] * 5
    assert len(result.units.task) == 5
    assert result.units_frame().labels.tolist() == [2] * 5
    low, high = result.answer_quality[2], result.answer_quality[0]
    assert low < high


def test_layers_of_one_annotator_stay_two_regions():
    layers = (per(0, 10, "name"), per(0, 5, "first"))
    result = regions(table_of(*[{"a": layers, "b": layers, "c": (per(0, 10, "name"),)} for _ in range(4)]))
    assert [sorted(r.label for r in there) for there in result.consensus] == [["first", "name"]] * 4


def test_two_labels_in_one_region_are_two_regions():
    both = (Region(Span(0, 4), ("A", "B")),)
    result = regions(table_of({"a": both, "b": both, "c": both}))
    assert sorted(r.label for r in result.consensus[0]) == ["A", "B"]


def test_nothing_is_an_answer_and_no_answer_is_none():
    result = regions(table_of({"a": (), "b": ()}, {}, {"a": (per(0, 4),), "b": (per(0, 4),)}))
    assert result.consensus[0] == ()
    assert result.consensus[1] is None
    assert len(result.consensus[2]) == 1
    assert result.quality[0] > result.quality[1]
    assert result.agreement[0] == 1
    assert np.isnan(result.agreement[1])


def test_a_crowd_without_regions_or_answers_has_a_consensus():
    nothing = regions(table_of({"a": (), "b": ()}, {"a": ()}))
    assert nothing.consensus.tolist() == [(), ()]
    assert ((nothing.quality >= 0) & (nothing.quality <= 1)).all()
    nobody = regions(table_of({}, {}, annotators=["a"]))
    assert nobody.consensus.tolist() == [None, None]
    assert np.isfinite(nobody.annotators.quality).all()


def test_regions_without_labels():
    box = Region(Box(0, 0, 10, 10))
    near = Region(Box(1, 0, 10, 10))
    result = regions(table_of({"a": (box,), "b": (near,), "c": (box,)}))
    assert result.labels == ()
    assert result.consensus[0] == (box,)


def test_a_region_whose_label_is_missing_votes_for_none():
    tasks = [{"a": (per(0, 4),), "b": (per(0, 4),), "c": (per(0, 4, None),)} for _ in range(3)]
    result = regions(table_of(*tasks))
    assert [r.label for there in result.consensus for r in there] == ["PER"] * 3


def test_known_regions_are_the_consensus_and_all_else_in_the_task_is_nothing():
    drawn = draw_regions("spans", 40, 3, 5, seed=3)
    known = [truth if task < 10 else None for task, truth in enumerate(drawn.truth)]
    with_truth, without = regions(drawn.table, known=known), regions(drawn.table)
    for task in range(10):
        assert {(r.place, r.label) for r in with_truth.consensus[task]} == {(r.place, r.label) for r in known[task]}
    assert np.allclose(with_truth.quality[:10], 1)
    assert with_truth.known.sum() == 10
    assert soft_f1(with_truth, drawn.truth) > soft_f1(without, drawn.truth)


def test_known_regions_of_a_task_that_nobody_answered():
    result = regions(table_of({"a": (per(0, 4),)}, {}), known=[None, (per(7, 9),)])
    assert result.consensus[1] == (per(7, 9),)


def test_annotators_are_told_apart():
    drawn = draw_regions("boxes", 150, 4, 6, seed=5)
    result = regions(drawn.table)
    table = drawn.table
    pairs = zip(table.values, table.task.tolist(), strict=True)
    real = np.array([1 - region_distance(answer, drawn.truth[task]) for answer, task in pairs])
    means = np.bincount(table.annotator, real) / np.bincount(table.annotator)
    assert np.corrcoef(means, result.annotators.quality)[0, 1] > 0.85
    assert set(result.annotators.more) >= {"precision", "recall", "exactness"}


def test_bad_input_is_named():
    with pytest.raises(TypeError, match=r"Annotator 'a'.*task 0.*expected a tuple of Region"):
        regions(table_of({"a": "PER"}))
    with pytest.raises(TypeError, match=r"kinds Box, Span.*Make a table for each control"):
        regions(table_of({"a": (per(0, 4), Region(Box(0, 0, 1, 1)))}))
    with pytest.raises(ValueError, match="start at most end"):
        Span(4, 0)
    with pytest.raises(ValueError, match="width and height 0 or more"):
        Box(0, 0, -1, 2)
    with pytest.raises(ValueError, match="known has 1; expected 2"):
        regions(table_of({"a": ()}, {"a": ()}), known=[None])
    with pytest.raises(ValueError, match="no text for task 0"):
        regions(table_of({"a": (per(0, 4),)}), features=TextFeatures({}))


def test_a_text_tells_what_few_marked():
    rng = np.random.default_rng(0)
    names, words = ["Ann", "Bob", "Eve", "Tom"], ["red", "old", "wet", "big"]
    tasks, texts = [], {}
    for task in range(60):
        text = [str(rng.choice(names if rng.random() < 0.3 else words)) for _ in range(12)]
        texts[task] = text
        real = [at for at, word in enumerate(text) if word in names]
        tasks.append({})
        for who in ("a", "b", "c"):
            seen = [at for at in real if rng.random() < 0.6]
            false = [int(at) for at in rng.integers(12, size=1) if at not in real and rng.random() < 0.8]
            tasks[-1][who] = tuple(per(at, at + 1) for at in seen + false)
    table = table_of(*tasks)
    truth = [tuple(per(at, at + 1) for at, word in enumerate(text) if word in names) for text in texts.values()]
    assert soft_f1(regions(table, features=TextFeatures(texts)), truth) > soft_f1(regions(table), truth) + 0.1


@law
@given(st.integers(0, 1000), st.sampled_from(MODELLED))
def test_the_order_of_tasks_and_annotators_does_not_matter(seed, shape):
    table = draw_regions(shape, 12, 3, 3, seed=seed, annotators=5).table
    rng = np.random.default_rng(seed)
    tasks, people = rng.permutation(12), rng.permutation(5)
    where, who = np.argsort(tasks), np.argsort(people)
    moved = AnswerTable.from_codes(
        where[table.task], who[table.annotator], table.values, tasks=table.tasks[tasks], annotators=people
    )
    one, other = regions(table), regions(moved)
    assert [one.consensus[task] for task in tasks] == other.consensus.tolist()
    assert np.allclose(one.quality[tasks], other.quality, atol=1e-6)
    assert np.allclose(one.annotators.quality[people], other.annotators.quality, atol=1e-6)


@law
@given(st.integers(0, 1000))
def test_moving_all_pictures_moves_the_consensus_with_them(seed):
    table = draw_regions("boxes", 12, 3, 3, seed=seed, annotators=5).table

    def moved(answer):
        return tuple(
            Region(Box(r.place.x + 4096, r.place.y - 512, r.place.width, r.place.height), r.label) for r in answer
        )

    one, other = regions(table), regions(table.with_values([moved(answer) for answer in table.values]))
    assert np.allclose(one.quality, other.quality, atol=1e-6)
    shapes = [[(r.place.x, r.place.y, r.place.width) for r in there] for there in one.consensus]
    moved_shapes = [[(r.place.x - 4096, r.place.y + 512, r.place.width) for r in there] for there in other.consensus]
    assert [len(there) for there in shapes] == [len(there) for there in moved_shapes]
    assert all(np.allclose(there, moved) for there, moved in zip(shapes, moved_shapes, strict=True))


@law
@given(st.integers(0, 1000), st.sampled_from(["spans", "boxes"]))
def test_everything_is_a_probability(seed, shape):
    result = regions(draw_regions(shape, 10, 1 + seed % 4, 3, seed=seed, annotators=5).table)
    for values in (
        result.quality, result.answer_quality, result.agreement, result.units.exists, result.units.quality,
        result.annotators.quality, result.annotators.interval, result.members.alike, result.members.quality,
    ):  # fmt: skip
        assert ((values >= 0) & (values <= 1 + 1e-9)).all()
    assert np.allclose(result.units.label_posterior.sum(axis=1), 1)


@law
@given(st.integers(0, 1000))
def test_one_more_mark_makes_a_region_more_probable(seed):
    drawn = draw_regions("boxes", 40, 3, 4, seed=seed, annotators=6)
    table = drawn.table
    before = regions(table)
    open_units = np.flatnonzero((before.units.exists < 0.9) & (before.units.task < 40))
    for unit in open_units[:1]:
        who = before.missed_by(unit)
        if not len(who):
            continue
        task = before.units.task[unit]
        at = np.flatnonzero((table.task == task) & (table.annotator == who[0]))[0]
        label = before.labels[before.units.label[unit]]
        values = list(table.values)
        values[at] = (*values[at], Region(before.units.place[unit], label))
        after = regions(table.with_values(values))
        frame = after.members_frame()
        joined = frame[(frame.task == task) & (frame.annotator == who[0]) & (frame.region == len(values[at]) - 1)]
        assert after.units.exists[joined.unit.iloc[0]] > before.units.exists[unit]


def test_places_of_no_extent_are_alike_if_they_are_equal():
    assert region_distance([per(3, 3)], [per(3, 3)]) == 0
    assert region_distance([per(3, 3)], [per(4, 4)]) == 1
    empty = Region(Mask.of(np.zeros((4, 4))))
    assert region_distance([empty], [empty]) == 0
    assert region_distance([Region(KeyPoint(0, 0, 100))], [Region(KeyPoint(3, 0, 100))]) == pytest.approx(
        1 - np.exp(-0.5)
    )
