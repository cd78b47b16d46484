import numpy as np

from label_studio_crowd.store.projects import Store


def test_an_annotator_keeps_their_number_whoever_comes_or_leaves(store):
    opened = Store(store)
    project, other = (opened.project("http://studio", number) for number in (1, 2))

    def numbers(*annotators, of=project):
        return of.people.numbers(np.array(annotators, np.int64)).tolist()

    assert numbers() == []
    assert numbers(5, 8) == [1, 2]
    assert numbers(0, 3, 5, 8) == [0, 3, 1, 2]  # all deleted users have one number, and it is not counted
    assert numbers(3, 8) == [3, 2]
    assert numbers(2, 3, 5, 9) == [4, 3, 1, 5]
    assert numbers(9, of=other) == [1]
    opened.close()


def test_who_left_has_a_name_that_is_empty(store):
    opened = Store(store)
    people = opened.project("http://studio", 1).people
    assert people.names() == {}
    people.keep_names([0, 5, 8], {5: "Ada", 9: "Bo"})
    assert people.names() == {5: "Ada", 8: "", 9: "Bo"}
    assert people.are_named([0, 5, 8])  # deleted users have no name to know
    assert not people.are_named([5, 7])
    opened.close()
