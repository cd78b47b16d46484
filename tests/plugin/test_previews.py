import pytest
from hypothesis import given
from hypothesis import strategies as st

from label_studio_crowd.labels import find_control
from label_studio_crowd.previews import Shown, image_path, preview

STUDIO = ("http://studio:8080", "https://labels.example.org/studio")


def control(*objects):
    tags = "".join(f'<{tag} name="{field}" value="${field}"/>' for tag, field in objects)
    return find_control(f'<View>{tags}<Choices name="c" toName="{objects[0][1]}"><Choice value="a"/></Choices></View>')


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/data/upload/1/cat.png", "/data/upload/1/cat.png"),
        ("/data/local-files/?d=cats/cat%20one.png", "/data/local-files/?d=cats/cat%20one.png"),
        (
            "/tasks/17/resolve/?fileuri=czM6Ly9idWNrZXQvY2F0LnBuZw==",
            "/tasks/17/resolve/?fileuri=czM6Ly9idWNrZXQvY2F0LnBuZw==",
        ),
        ("http://studio:8080/data/upload/1/cat.png", "/data/upload/1/cat.png"),
        ("https://labels.example.org/studio/data/upload/1/cat.png#top", "/data/upload/1/cat.png"),
        ("http://studio:8080.evil.example/data/upload/1/cat.png", None),
        ("http://studio:8080@evil.example/data/upload/1/cat.png", None),
        ("https://cdn.example.org/data/cat.png", None),
        ("//cdn.example.org/data/cat.png", None),
        ("/\\cdn.example.org/data/cat.png", None),
        ("/api/current-user/token", None),
        ("/data/../api/current-user/token", None),
        ("/data/%2e%2e/api/current-user/token", None),
        ("/data/%252e%252e/api/current-user/token", None),
        ("/data/..\\api/token", None),
        ("/data/cat.png\nHost: evil", None),
        ("s3://bucket/cat.png", None),
        ("data:image/png;base64,AAAA", None),
        ("", None),
    ],
)
def test_only_files_that_label_studio_serves_have_a_path(address, path):
    assert image_path(address, STUDIO) == path


@given(st.text())
def test_a_path_never_leads_elsewhere(text):
    for address in (text, f"/data/{text}", f"{STUDIO[0]}/{text}", f"{STUDIO[0]}{text}"):
        path = image_path(address, STUDIO)
        if path is not None:
            assert path.startswith(("/data/", "/storage-data/", "/tasks/", "/projects/"))
            assert "\\" not in path
            assert not any(letter.isspace() for letter in path)


def test_a_text_is_cut_and_on_one_line():
    (shown,) = preview(control(("Text", "text")), {"text": "a  b\n" + "x" * 1000, "other": "hidden"}, STUDIO)
    assert (shown.name, shown.kind, shown.address) == ("text", "text", "")
    assert shown.text.startswith("a b xxx")
    assert len(shown.text) == 300
    assert shown.text.endswith("…")


def test_images_of_label_studio_are_shown_and_others_are_links():
    fields = control(("Image", "own"), ("Image", "foreign"), ("Image", "bucket"), ("Audio", "sound"))
    data = {
        "own": "/data/upload/1/my%20cat.png",
        "foreign": "https://cdn.example.org/dogs/dog.png?size=2",
        "bucket": "s3://bucket/bird.png",
        "sound": "/data/upload/1/meow.wav",
    }
    assert preview(fields, data, STUDIO) == (
        Shown("own", "image", "my cat.png", "/data/upload/1/my%20cat.png"),
        Shown("foreign", "link", "dog.png", "https://cdn.example.org/dogs/dog.png?size=2"),
        Shown("bucket", "link", "bird.png", ""),
        Shown("sound", "link", "meow.wav", ""),
    )


def test_several_images_of_a_field_are_shown_each():
    shown = preview(control(("Image", "pages")), {"pages": ["/data/upload/1/a.png", "/data/upload/1/b.png"]}, STUDIO)
    assert [(image.name, image.text) for image in shown] == [("pages", "a.png"), ("pages", "b.png")]


def test_no_script_of_an_address_becomes_a_link():
    (shown,) = preview(control(("Image", "image")), {"image": "javascript:alert(1)//x.png"}, STUDIO)
    assert (shown.kind, shown.address) == ("link", "")


def test_html_is_shown_as_its_words():
    html = "<style>p {color: red}</style><p>Good <b>morning</b></p><script>alert(1)</script>"
    assert preview(control(("HyperText", "html")), {"html": html}, STUDIO)[0].text == "Good morning"


def test_numbers_and_lists_are_shown_as_json():
    fields = control(("Text", "age"), ("Paragraphs", "dialogue"))
    shown = preview(fields, {"age": 7, "dialogue": [{"author": "A", "text": "Hi"}]}, STUDIO)
    assert [field.text for field in shown] == ["7", '[{"author":"A","text":"Hi"}]']


def test_where_the_config_shows_no_field_all_data_are_shown():
    shown = preview(control(("Text", "text")), {"age": 7, "sex": "f", "nothing": None}, STUDIO)
    assert [(field.name, field.text) for field in shown] == [("age", "7"), ("sex", "f")]


@given(
    st.dictionaries(
        st.sampled_from(["text", "image", "other"]),
        st.none() | st.text() | st.integers(-(2**63), 2**63) | st.lists(st.text() | st.none(), max_size=3),
    )
)
def test_any_data_can_be_shown(data):
    for field in preview(control(("Text", "text"), ("Image", "image")), data, STUDIO):
        assert len(field.text) <= 300
