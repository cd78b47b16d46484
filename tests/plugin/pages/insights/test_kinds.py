"""What is shown of each kind of answers, as values."""

import numpy as np
import pytest

from label_studio_crowd.pages import insights
from label_studio_crowd.pages.insights import People
from label_studio_crowd.pages.insights.kinds import advice_of, habits_of, view_of, why_differs
from label_studio_crowd.pages.insights.kinds.passages import source_of
from label_studio_crowd.pages.insights.marks import Mark
from tests.plugin.pages.projects_of_kinds import (
    CARELESS,
    SPANS,
    TALE,
    TEXT,
    WHO,
    Made,
    item,
    made,
    view,
)

LABELS = '<Label value="a"/><Label value="b"/>'


@pytest.fixture(scope="module")
def snapshots():
    return {
        name: made(name).snapshot()
        for name in ("spans", "boxes", "masks", "sound", "texts", "rankings", "lengths", "sets")
    }


def row_of(snapshot, who):
    return snapshot.annotators.tolist().index(who)


def marked(*texts, label="a"):
    return [
        item(
            "labels", {"start": TALE.index(text), "end": TALE.index(text) + len(text), "text": text, "labels": [label]}
        )
        for text in texts
    ]


def one_task(*answers, control=f'<Labels name="c" toName="o">{LABELS}</Labels>', data=None):
    """Return the snapshot of one task with these answers, after 20 tasks on which three people agree."""
    before = [(task, who, answers[0]) for task in range(2, 22) for who in (1, 2, 3)]
    rows = [(1, who, items) for who, items in enumerate(answers, 1)]
    return Made(view(TEXT, control), [data or {"text": TALE}] * 21, rows + before).snapshot()


def test_a_text_is_whole_in_every_answer_and_says_what_is_odd():
    snapshot = one_task(marked("Mary", "Porto"), marked("Mary", "Porto"), marked("Monday") + marked("Mary", label="b"))
    found = view_of(snapshot, 0, {"text": TALE})
    for pieces in (found.consensus, *found.of_members):
        assert "".join(piece.text for piece in pieces) == TALE
    assert [(piece.text, piece.state) for piece in found.of_members[2] if piece.state] == [
        ("Mary", "label"), ("Porto", "missed"), ("Monday", "alone")
    ]  # fmt: skip
    assert [(piece.text, piece.ends[0].label) for piece in found.consensus if piece.state] == [
        ("Mary", "a"), ("Porto", "a")
    ]  # fmt: skip
    last = int(snapshot.crowd.indptr[1]) - 1
    said = why_differs(snapshot, last)
    assert said == "Misses 1 region; marks 1 region that nobody else marked; gives 1 region another label."
    assert why_differs(snapshot, 0) == ""


def test_what_was_marked_is_found_again_in_whatever_order_it_was_marked():
    answers = [marked("Mary", "Porto", "Monday"), marked("Monday", "Porto", "Mary"), marked("Porto", "Mary", "Monday")]
    snapshot = one_task(*answers)
    found = view_of(snapshot, 0, {"text": TALE})
    same = [[piece.text for piece in pieces if piece.state == "same"] for pieces in found.of_members]
    assert same == [["Mary", "Porto", "Monday"]] * 3


@pytest.mark.parametrize("start", [1, 2])
def test_letters_that_browsers_count_as_two_move_nothing(start):
    text = "\U0001f600Mary"
    mark = Mark(item("labels", {"start": start, "end": start + 4, "text": "Mary", "labels": ["a"]}), "a", 0, "same", "")
    source = source_of("text", text, [mark])
    assert source.text[source.place(start) : source.place(start + 4)] == "Mary"


def test_a_text_that_spans_do_not_fit_is_not_shown_with_them():
    mark = Mark(item("labels", {"start": 0, "end": 4, "text": "Rosa", "labels": ["a"]}), "a", 0, "same", "")
    assert source_of("text", TALE, [mark]) is None


def test_the_careless_annotator_misses_and_invents_most(snapshots):
    snapshot = snapshots["spans"]
    careless = habits_of(snapshot, row_of(snapshot, CARELESS))
    careful = habits_of(snapshot, row_of(snapshot, WHO[0]))
    assert careless.recall < careful.recall
    assert careless.precision < careful.precision
    assert sum(row.missed for row in careless.rows) > 2 * sum(row.missed for row in careful.rows)
    table, theirs = snapshot.regions, snapshot.answers_of(row_of(snapshot, CARELESS))
    there = sum(int(table.kept[list(table.units_of(int(snapshot.crowd.task[one])))].sum()) for one in theirs)
    assert sum(row.there for row in careless.rows) == there
    assert advice_of(snapshot, row_of(snapshot, CARELESS)).startswith("misses ")


def test_odd_regions_are_about_those_who_are_named(snapshots):
    snapshot, people = snapshots["spans"], People(snapshots["spans"], {})
    found = insights.odd_regions(snapshot, people, 1, 1000)
    assert found.total == sum(one.number for one in insights.odd_numbers(snapshot)) == len(found.rows)
    named = [person.name for row in found.rows for person in row.people]
    careless = people.everybody[row_of(snapshot, CARELESS)].name
    assert named.count(careless) > len(named) / 2
    for row in found.rows:
        assert row.people
        if row.why == "alone":
            assert len(row.people) == 1
            assert row.sentence.startswith("1 of ")
    alone = insights.odd_regions(snapshot, people, 1, 1000, why="alone").rows
    assert {row.why for row in alone} == {"alone"}
    pages = [insights.odd_regions(snapshot, people, number, 7).rows for number in range(1, found.total // 7 + 2)]
    assert [row for rows in pages for row in rows] == list(found.rows)


def test_boxes_lie_where_they_were_drawn(snapshots):
    snapshot = snapshots["boxes"]
    found = view_of(snapshot, 2, {})
    assert (found.width, found.height) == (400, 300)
    corners = {shape.label: shape.path for shape in found.consensus}
    x, y = map(float, corners["square"].removeprefix("M").partition("L")[0].split())
    assert (x, y) == pytest.approx((50, 26.7), abs=2)


def test_masks_are_outlines_with_their_holes(snapshots):
    shapes = view_of(snapshots["masks"], 2, {}).consensus
    assert all(shape.path.count("M") == 2 for shape in shapes)
    assert all(len(shape.path) < 300 for shape in shapes)


def test_spans_of_a_recording_are_shares_of_its_length(snapshots):
    found = view_of(snapshots["sound"], 2, {})
    assert [tick for tick, _ in found.ticks] == [0, 25, 50, 75, 100]
    speech = min(found.consensus, key=lambda bar: bar.x)
    assert speech.x == pytest.approx(100 / 16, abs=2)
    assert speech.width == pytest.approx(300 / 16, abs=3)


def test_words_are_compared_with_the_consensus():
    control = '<TextArea name="c" toName="o"/>'
    texts = ["a quick brown fox", "a quick brown fox", "the quick fox jumps"]
    snapshot = one_task(*[[item("textarea", {"text": [text]})] for text in texts], control=control)
    found = view_of(snapshot, 0, {})
    assert found.consensus == texts[0]
    assert [(some.text.strip(), some.operation) for some in found.of_members[2]] == [
        ("a", "left out"), ("the", "added"), ("quick", "same"), ("brown", "left out"), ("fox", "same"),
        ("jumps", "added"),
    ]  # fmt: skip
    assert why_differs(snapshot, 2) == "3 of 4 words differ: “the” for “a”, no “brown”, “jumps” added."
    habits = habits_of(snapshot, 2)
    assert habits.wrong == 3
    assert {(row.theirs, row.consensus, row.number) for row in habits.rows} == {
        ("the", "a", 1), ("", "brown", 1), ("jumps", "", 1)
    }  # fmt: skip


def test_pairs_in_the_wrong_order_are_counted():
    control = '<Ranker name="c" toName="o"/>'
    orders = ["abc", "abc", "cab"]
    snapshot = one_task(*[[item("ranker", {"ranker": {"c": list(order)}})] for order in orders], control=control)
    found = view_of(snapshot, 0, {})
    assert [one.text for one in found.consensus[0].items] == ["a", "b", "c"]
    assert [(one.text, one.higher) for one in found.of_members[2][0].items] == [("c", 2), ("a", -1), ("b", -1)]
    assert why_differs(snapshot, 2) == "2 of 3 pairs are in the other order: c before a, c before b."
    habits = habits_of(snapshot, 2)
    assert (habits.wrong, habits.pairs) == (2, 63)
    assert (habits.rows[0].first, habits.rows[0].second, habits.rows[0].of) == ("c", "a", 21)


def test_numbers_lie_on_one_scale(snapshots):
    snapshot = snapshots["lengths"]
    found = view_of(snapshot, 2, {})
    given = [float(snapshot.given[code]) for code in snapshot.crowd.label[slice(*snapshot.crowd.indptr[2:4])]]
    assert np.argsort(found.of_members).tolist() == np.argsort(given).tolist()
    assert 0 <= found.interval[0] < found.consensus < found.interval[1] <= 100
    habits = habits_of(snapshot, row_of(snapshot, CARELESS))
    assert habits.bias > 3
    assert sum(habits.counts) == len(snapshot.answers_of(row_of(snapshot, CARELESS)))
    assert "too large by" in advice_of(snapshot, row_of(snapshot, CARELESS))


def test_chips_say_what_is_chosen_too_much_and_left_out():
    control = '<Choices name="c" toName="o" choice="multiple"><Choice value="x"/><Choice value="y"/></Choices>'
    chosen = [["x"], ["x"], ["y"]]
    snapshot = one_task(*[[item("choices", {"choices": labels})] for labels in chosen], control=control)
    found = view_of(snapshot, 0, {})
    assert [(chip.label, chip.state) for chip in found.consensus][:1] == [("x", "right")]
    assert [(chip.label, chip.state) for chip in found.of_members[2]] == [("y", "extra"), ("x", "missing")]
    x = next(row for row in habits_of(snapshot, 2).rows if row.label == "x")
    assert (x.given, x.there, x.right) == (20, 21, 20)
    assert (x.precision, x.recall) == (1.0, 20 / 21)


def test_classes_have_no_view_and_nothing_differs_in_words():
    control = '<Choices name="c" toName="o"><Choice value="x"/><Choice value="y"/></Choices>'
    snapshot = one_task(*[[item("choices", {"choices": [label]})] for label in "xxy"], control=control)
    assert view_of(snapshot, 0, {}) is None
    assert why_differs(snapshot, 2) == ""
    assert habits_of(snapshot, 2) is None
    assert insights.odd_regions(snapshot, People(snapshot, {})) is None


def test_labels_of_regions_are_counted(snapshots):
    snapshot = snapshots["spans"]
    rows = {row.label: row for row in insights.labels_of(snapshot)}
    kept = snapshot.regions.kept
    assert sum(row.regions for row in rows.values()) == int(kept.sum())
    assert set(rows) == set(SPANS.values())
    assert rows["person"].marked.called.what == "place"
