"""Relations between regions, and answers about single regions."""

import pytest

from crowdcore.kinds import AnswerTable
from crowdcore.kinds.region import Region, Relation, Span, answers_about_units, regions, relate


def crowd(num_tasks=6):
    """Three people who mark two spans in each text, one of them in the other order."""
    ann, rome = Region(Span(0, 3), "PER"), Region(Span(10, 14), "LOC")
    values = [(ann, rome), (rome, ann), (ann, rome)] * num_tasks
    task = [at // 3 for at in range(3 * num_tasks)]
    return regions(
        AnswerTable.from_codes(task, [0, 1, 2] * num_tasks, values, tasks=range(num_tasks), annotators="abc")
    )


def test_what_most_relate_is_related_and_keeps_its_direction():
    result = crowd()
    said = []
    for task in range(6):
        said += [Relation(task, "a", 0, 1, "lives in"), Relation(task, "b", 1, 0, "lives in")]
        said += [Relation(task, "c", 0, 1, "lives in")] if task % 2 else []
    found = relate(result, said)
    assert len(found) == 6
    for relation in found:
        assert result.units.place[relation.first] == Span(0, 3)
        assert result.units.place[relation.second] == Span(10, 14)
        assert relation.label == "lives in"
    sure, unsure = found[1], found[0]
    assert sure.quality > unsure.quality


def test_what_one_of_three_relates_is_not_related():
    assert relate(crowd(), [Relation(task, "a", 0, 1, "lives in") for task in range(6)]) == []


def test_no_relations_and_unknown_regions():
    assert relate(crowd(), []) == []
    with pytest.raises(ValueError, match=r"Annotator 'a'.*has no region 5"):
        relate(crowd(), [Relation(0, "a", 0, 5)])
    with pytest.raises(ValueError, match="Annotator 'z' has no answer to task 0"):
        relate(crowd(), [Relation(0, "z", 0, 1)])


def test_answers_about_a_region_are_answers_about_its_unit():
    table, units = answers_about_units(crowd(), [(0, "a", 0, "happy"), (0, "b", 1, "sad"), (0, "c", 1, "warm")])
    assert len(units) == len(table.tasks) == 12
    assert table.tasks[0] == (0, 0)
    assert table.values[table.indptr[0] : table.indptr[1]].tolist() == ["happy", "sad"]
    assert table.values[table.indptr[1] : table.indptr[2]].tolist() == ["warm"]
