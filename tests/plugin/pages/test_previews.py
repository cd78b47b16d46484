import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from label_studio_crowd.pages.previews import Shown, preview
from label_studio_crowd.studio.addresses import image_path
from label_studio_crowd.studio.controls import find_control

STUDIO = ("http://studio:8080", "https://labels.example.org/studio")


def control(*objects):
    tags = "".join(f'<{tag} name="{field}" value="${field}"/>' for tag, field in objects)
    return find_control(f'<View>{tags}<Choices name="c" toName="{objects[0][1]}"><Choice value="a"/></Choices></View>')


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/data/upload/1/cat.png", "/data/upload/1/cat.png"),
        ("/data/local-files/?d=cats/cat%20one.png", "/data/local-files/?d=cats/cat%20one.png"),
        ("/data/local-files/?d=my cats/cat one.png", "/data/local-files/?d=my%20cats/cat%20one.png"),
        ("/data/local-files/?d=Kätzchen/ö.png", "/data/local-files/?d=K%C3%A4tzchen/%C3%B6.png"),
        ("/data/local-files/?d=5 % cat+dog.png", "/data/local-files/?d=5%20%%20cat+dog.png"),
        ("/data/local-files/?d=cat%23%2B%25.png#top", "/data/local-files/?d=cat%23%2B%25.png"),
        ("/data/upload/1/at 9.00\u202fAM.png", "/data/upload/1/at%209.00%E2%80%AFAM.png"),
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
            assert path.isascii()
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
        "bucket": "gs://bucket/bird.png",
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


def test_a_file_is_called_by_its_name_wherever_it_is():
    addresses = {
        "/data/local-files/?d=my sounds/a b.wav": "a b.wav",
        "/tasks/17/resolve/?fileuri=czM6Ly9idWNrZXQvc29uZ3MvYmlyZC53YXY=": "bird.wav",
        "/storage-data/uploaded/?filepath=upload/1/duck.wav": "duck.wav",
        "https://cdn.example.org/sounds/?id=17": "17",
        "s3://bucket/songs/bird.wav": "bird.wav",
    }
    for address, name in addresses.items():
        for tag in ("Audio", "Video", "TimeSeries", "Pdf"):
            assert preview(control((tag, "file")), {"file": address}, STUDIO)[0].text == name
    (text,) = preview(control(("Text", "text")), {"text": next(iter(addresses))}, STUDIO)
    assert text.kind == "text"
    (loaded,) = preview(control(("Text", "text")), {"text": "/data/upload/1/letter.txt"}, STUDIO)
    assert (loaded.kind, loaded.text) == ("link", "letter.txt")


def test_a_small_picture_in_the_data_is_shown_and_a_large_one_is_named():
    fields = control(("Image", "small"), ("Image", "large"), ("Audio", "sound"), ("Text", "text"))
    data = {
        "small": "data:image/png;base64,iVBORw0KGgo=",
        "large": "data:image/jpeg;base64," + "A" * 100_000,
        "sound": "data:audio/wav;base64,UklGRg==",
        "text": "data:text/html;base64,PHNjcmlwdD4=",
    }
    assert preview(fields, data, STUDIO) == (
        Shown("small", "inline", "image/png in the task's data", data["small"]),
        Shown("large", "text", "image/jpeg in the task's data"),
        Shown("sound", "text", "audio/wav in the task's data"),
        Shown("text", "text", "text/html in the task's data"),
    )


def test_html_is_shown_as_its_words():
    html = "<title>Mail</title><style>p {color: red}</style><p>Good <b>morning</b></p><script>alert(1)</script>"
    assert preview(control(("HyperText", "html")), {"html": html}, STUDIO)[0].text == "Good morning"
    long = f"<style>{'p {color: red} ' * 3000}</style><p>Good evening</p>"
    assert preview(control(("HyperText", "html")), {"html": long}, STUDIO)[0].text == "Good evening"


@pytest.mark.parametrize("piece", ["<a ", '<a="', "<!--", "</a ", "<?", "</", "<script", "</script "])
def test_no_html_takes_long(piece):
    began = time.perf_counter()
    preview(control(("HyperText", "html")), {"html": "<script>" * piece.startswith("</s") + piece * 30_000}, STUDIO)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (False, "false"),
        ([{"author": "Ann", "text": "Hi"}, {"text": "Hello", "author": "Bo"}], "Ann: Hi · Bo: Hello"),
        ([{"role": "user", "content": "Who?"}], "user: Who?"),
        ({"age": 31, "sex": None, "pets": ["cat", "dog"]}, "age: 31, pets: cat · dog"),
        ({"time": list(range(1000)), "speed": [0.5] * 1000}, "time: 1,000 numbers, speed: 1,000 numbers"),
        ([1, 2, None, 3.5], "1 · 2 · 3.5"),
    ],
)
def test_what_is_no_text_is_written_as_people_would(value, text):
    assert preview(control(("Paragraphs", "field")), {"field": value}, STUDIO)[0].text == text


def test_fields_inside_fields_are_found():
    data = {"post": {"title": "Cats", "pictures": ["/data/upload/1/a.png", "/data/upload/1/b.png"]}, "id": 7}
    fields = control(("Text", "post.title"), ("Image", "post.pictures[1]"), ("Text", "post.pictures[2]"))
    assert [(field.name, field.text) for field in preview(fields, data, STUDIO)] == [
        ("post.title", "Cats"),
        ("post.pictures[1]", "b.png"),
    ]


def test_a_list_of_images_is_known_by_its_attribute():
    config = (
        '<View><Image name="i" valueList="$pages"/><Choices name="c" toName="i"><Choice value="a"/></Choices></View>'
    )
    shown = preview(find_control(config), {"pages": ["/data/upload/1/a.png"], "id": 7}, STUDIO)
    assert [(image.kind, image.text) for image in shown] == [("image", "a.png")]


def test_where_the_config_shows_no_field_all_data_are_shown():
    shown = preview(control(("Text", "text")), {"age": 7, "sex": "f", "nothing": None}, STUDIO)
    assert [(field.name, field.text) for field in shown] == [("age", "7"), ("sex", "f")]


@given(
    st.dictionaries(
        st.sampled_from(["text", "image", "other"]),
        st.recursive(
            st.none() | st.booleans() | st.text() | st.integers() | st.floats(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        ),
    )
)
def test_any_data_can_be_shown(data):
    for field in preview(control(("Text", "text"), ("Image", "image")), data, STUDIO):
        assert len(field.text) <= 300
