import pytest

from label_studio_crowd.errors import UserError
from label_studio_crowd.studio.controls import SeveralLabelsError, find_control, find_controls

TEXT = '<Text name="t" value="$text"/>'


def config(*controls, objects=TEXT):
    return f"<View>{objects}{''.join(controls)}</View>"


CHOICES = '<Choices name="c" toName="t"><Choice value="yes"/><Choice value="no"/></Choices>'
REGION = '<Choices name="each" toName="t" perRegion="true"><Choice value="yes"/></Choices>'
RATING = '<Rating name="stars" toName="t"/>'
TREE = (
    '<Taxonomy name="tree" toName="t"{}><Choice value="animal"><Choice value="cat"/></Choice>'
    '<Choice value="plant" alias="flora"/></Taxonomy>'
)


@pytest.mark.parametrize(
    ("controls", "name", "kind", "classes"),
    [
        ([CHOICES], "c", "choices", ("yes", "no")),
        ([CHOICES.replace("/>", ' alias="y"/>', 1)], "c", "choices", ("y", "no")),
        ([REGION, RATING], "stars", "rating", ("1", "2", "3", "4", "5")),
        (['<Rating name="stars" toName="t" maxRating="3"/>'], "stars", "rating", ("1", "2", "3")),
        (['<Pairwise name="p" toName="t,u"/>'], "p", "pairwise", ("left", "right")),
        ([TREE.format("")], "tree", "taxonomy", ("animal", "animal / cat", "flora")),
        ([TREE.format(' leafsOnly="true"')], "tree", "taxonomy", ("animal / cat", "flora")),
        (['<Choices name="c" toName="t" value="$options"/>'], "c", "choices", ()),
        (
            ['<Choices name="c" toName="t"><Choice value="$one"/><Choice value="no"/></Choices>'],
            "c",
            "choices",
            ("no",),
        ),
        ([CHOICES.lower().replace("toname", "toName")], "c", "choices", ("yes", "no")),
        ([REGION.lower(), RATING], "stars", "rating", ("1", "2", "3", "4", "5")),
        ([CHOICES.replace('toName="t"', 'toName="t" perItem="true"'), RATING], "stars", "rating", tuple("12345")),
        ([f'<Repeater on="$u">{CHOICES}</Repeater>', RATING], "stars", "rating", tuple("12345")),
        (['<Rating name="stars" toName="t" maxRating="3.0"/>'], "stars", "rating", ("1", "2", "3")),
        (['<Rating name="no" toName="t" maxRating="ten"/>', CHOICES], "c", "choices", ("yes", "no")),
        (
            [
                CHOICES.replace("/></", '><Choice value="never"/></Choice></').replace(
                    'toName="t"', 'toName="t" allowNested="TRUE"'
                )
            ],
            "c",
            "choices",
            ("yes", "no", "no / never"),
        ),
    ],
)
def test_the_first_control_that_fits_is_found(controls, name, kind, classes):
    control = find_control(config(*controls))
    assert (control.name, control.tag, control.classes) == (name, kind, classes)


def test_a_control_can_be_named():
    assert find_control(config(CHOICES, RATING), "stars").tag == "rating"


@pytest.mark.parametrize(
    ("xml", "name", "said"),
    [
        (config(REGION), None, ["per region"]),
        (config(), None, ["annotators cannot answer anything"]),
        (config(CHOICES, REGION), "each", ["'each'", "per region", "'c'"]),
        (config(CHOICES), "typo", ["'typo'", "'c'"]),
        ("<View>", None, ["not valid XML"]),
        (config('<Rating name="r" toName="t" maxRating="3e8"/>'), None, ["'3e8'", "a whole number from 1 to 1000"]),
        (config(f'<Repeater on="$u">{CHOICES}</Repeater>'), None, ["'c'", "per item"]),
    ],
)
def test_a_config_without_one_is_an_error_that_says_what_was_found(xml, name, said):
    with pytest.raises(UserError) as error:
        find_control(xml, name)
    for words in said:
        assert words in str(error.value)


def test_the_fields_that_the_control_points_to_come_first():
    objects = '<Header value="$title"/><Image name="i" value="$image"/><Text name="t" value="$text"/>'
    assert find_control(config(CHOICES, objects=objects)).fields == (
        ("text", "text"),
        ("header", "title"),
        ("image", "image"),
    )


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Title: $title ($year)", ["title", "year"]),
        ("&lt;b&gt;$title&lt;/b&gt;", ["title"]),
        ("$doc.meta.t", ["doc.meta.t"]),
        ("$says[0].text", ["says[0].text"]),
        ("$u[{{i}}].text", ["u"]),
        ("costs nothing", []),
    ],
)
def test_what_annotators_see_is_every_name_in_a_value(value, names):
    shown = find_control(config(CHOICES, objects=f'<Text name="t" value="{value}"/>')).fields
    assert shown == tuple(("text", name) for name in names)


@pytest.mark.parametrize("control", [CHOICES, RATING, '<Pairwise name="p" toName="t"/>', TREE.format("")])
def test_every_class_survives_the_way_to_a_result_and_back(control):
    found = find_control(config(control))
    assert [found.read(found.write(label)) for label in found.classes] == list(found.classes)


@pytest.mark.parametrize(
    ("control", "values"),
    [
        (CHOICES, []),
        (CHOICES, [{"choices": []}]),
        (RATING, [{"rating": 0}]),
        (TREE.format(""), [{"taxonomy": []}]),
        (CHOICES, [None]),
        (CHOICES, [{"choices": [None]}]),
        (CHOICES, [{"choices": [True]}]),
        (CHOICES, [{"choices": [{"value": "yes"}]}]),
        (CHOICES, [{"choices": [["yes", None]]}]),
        (RATING, [{"rating": True}]),
        (RATING, [{"rating": None}]),
    ],
)
def test_an_empty_result_gives_no_label(control, values):
    found = find_control(config(control))
    assert found.read([{"from_name": found.name, "value": value} for value in values]) is None


@pytest.mark.parametrize(
    ("control", "value", "label"),
    [
        (CHOICES, {"choices": [["A", "A1"]]}, "A / A1"),
        (CHOICES, {"choices": [["yes"]]}, "yes"),
        (CHOICES, {"choices": [3.0]}, "3"),
        (RATING, {"rating": 3.0}, "3"),
        (RATING, {"rating": "3"}, "3"),
        (RATING, {"rating": 2.5}, "2.5"),
    ],
)
def test_only_text_numbers_and_paths_of_these_are_labels(control, value, label):
    found = find_control(config(control))
    assert found.read([{"from_name": found.name, "value": value}]) == label


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (None, "empty"),
        ({"from_name": "c", "type": "choices", "value": {"choices": []}}, "empty"),
        ({"from_name": "c", "type": "choices", "value": {"choices": [True]}}, "with something that is no label"),
        ({"from_name": "c", "type": "rating", "value": {"rating": 3}}, "answering 'c' (rating)"),
        ({"from_name": "d", "type": "choices", "value": {"choices": ["yes"]}}, "answering 'd' (choices)"),
        (
            {"from_name": "c", "type": "choices", "value": {"x": 1, "y": 1, "choices": ["yes"]}},
            "answering 'c' (choices of a region)",
        ),
        (
            {"from_name": "c", "type": "choices", "item_index": 0, "value": {"choices": ["yes"]}},
            "answering 'c' (choices of an item)",
        ),
    ],
)
def test_it_is_said_why_a_result_has_no_label(item, why):
    found = find_control(config(CHOICES))
    result = [] if item is None else [item]
    assert found.read(result) is None
    assert found.why_none(result) == why


def test_results_of_other_controls_are_passed_over():
    found = find_control(config(CHOICES))
    assert found.read([{"from_name": "other", "value": {"choices": ["no"]}}, *found.write("yes")]) == "yes"


@pytest.mark.parametrize(
    ("control", "values"),
    [
        (CHOICES, [{"choices": ["yes", "no"]}]),
        (CHOICES, [{"choices": ["yes"]}, {"choices": ["yes"]}]),
        (TREE.format(""), [{"taxonomy": [["animal"], ["flora"]]}]),
    ],
)
def test_several_labels_are_none_of_them(control, values):
    found = find_control(config(control))
    with pytest.raises(SeveralLabelsError):
        found.read([{"from_name": found.name, "value": value} for value in values])


def test_a_step_of_a_taxonomy_may_contain_the_separator():
    control = find_control(
        config('<Taxonomy name="c" toName="t"><Choice value="R / B"><Choice value="soul"/></Choice></Taxonomy>')
    )
    label = control.read([{"from_name": "c", "value": {"taxonomy": [["R / B", "soul"]]}}])
    assert control.write(label)[0]["value"] == {"taxonomy": [["R / B", "soul"]]}


NER = '<Labels name="ner" toName="t"><Label value="PER"/></Labels>'


def test_answers_per_region_are_of_a_kind_of_their_own_and_name_what_marks_the_regions():
    kinds = {
        REGION: "choice per region",
        REGION.replace("<Choices", '<Choices choice="multiple"'): "set per region",
        '<Rating name="each" toName="t" perRegion="true"/>': "ordered per region",
        '<Number name="each" toName="t" perRegion="true"/>': "number per region",
        '<TextArea name="each" toName="t" perRegion="true"/>': "text per region",
        '<DateTime name="each" toName="t" perRegion="true"/>': "moment per region",
    }
    for xml, kind in kinds.items():
        _, found = find_controls(config(NER, xml))
        assert (found.kind, found.regions, found.is_class) == (kind, ("ner",), False)
    assert find_controls(config(NER, REGION), ordered=["each"])[1].kind == "ordered per region"


def test_what_marks_the_regions_is_scored_with_what_is_about_them():
    assert [found.name for found in find_controls(config(CHOICES, NER, REGION), ["each"])] == ["ner", "each"]
    assert find_control(config(CHOICES, NER, REGION), "each").name == "each"
    other = '<Image name="i" value="$i"/><Rectangle name="box" toName="i"/>'
    assert find_control(config(other, NER, REGION), "each").regions == ("ner",)
    with pytest.raises(UserError, match="no control that marks these is scored"):
        find_control(config(other, REGION), "each")
    with pytest.raises(UserError, match="not scored per region"):
        find_control(config(NER, '<Ranker name="each" toName="t" perRegion="true"/>'), "each")


def test_relations_are_a_control_also_where_no_tag_names_them():
    tag = '<Relations><Relation value="of"/></Relations>'
    assert [found.kind for found in find_controls(config(NER, tag))] == ["regions", "relations"]
    assert [found.kind for found in find_controls(config(NER))] == ["regions"]
    assert find_control(config(NER), "relations").regions == ("ner",)
    with pytest.raises(UserError, match="relations of regions, and no control"):
        find_control(config(tag), "relations")


def test_an_answer_about_a_region_is_the_same_whatever_its_id():
    _, each = find_controls(config(NER, REGION))

    def result(name, choice="yes"):
        place = {"start": 0, "end": 3, "text": "Ann"}
        rows = [("ner", "labels", {"labels": ["PER"]}), ("each", "choices", {"choices": [choice]})]
        return [{"id": name, "from_name": one, "type": kind, "value": {**place, **said}} for one, kind, said in rows]

    assert each.read(result("a")) == each.read(result("b")) != each.read(result("a", "no"))
    assert each.show(each.read(result("a"))) == "“Ann”: yes"
    assert each.read(result("a")[:1]) is None
    assert each.when_empty(result("a")[:1]).items == ()
