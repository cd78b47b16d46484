import pytest

from label_studio_crowd import settings
from label_studio_crowd.errors import UserError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY", "LABEL_STUDIO_CROWD_STORE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_flag_then_environment_then_file_then_default(elsewhere, monkeypatch):
    assert settings.load().max_labels == 5
    (elsewhere / "label-studio-crowd.toml").write_text('max_labels = 6\nurl = "http://file"\napi_key = "file"\n')
    assert settings.load().max_labels == 6
    monkeypatch.setenv("LABEL_STUDIO_CROWD_MAX_LABELS", "7")
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://environment/")
    assert settings.load().max_labels == 7
    assert settings.load().url == "http://environment"
    assert settings.load(max_labels=8, url="http://flag").max_labels == 8
    assert settings.load(url="http://flag", max_labels=None).url == "http://flag"
    assert settings.load().api_key.get_secret_value() == "file"


def test_what_connect_stored_gives_way_to_what_is_set_explicitly():
    found = settings.load(min_labels=3).over({"min_labels": 2, "max_labels": 9, "of_another_release": 1})
    assert (found.min_labels, found.max_labels) == (3, 9)


def test_stored_options_are_those_set_explicitly_and_no_secret():
    assert settings.load(min_labels=3, api_key="secret", url="http://x").options() == {"min_labels": 3}


def test_the_default_target_is_the_consensus_methods_own():
    assert settings.load().target == 0.9
    assert settings.load(consensus="crowdlab").target == 0.8
    assert settings.load().over({"consensus": "crowdlab"}).target == 0.8
    assert settings.load(target_quality=0.7).over({"consensus": "crowdlab"}).target == 0.7
    assert settings.load(consensus="crowdlab").over({"target_quality": 0.0}).target == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"consensus": "majority"}, "consensus.*hierarchical-dawid-skene"),
        ({"target_quality": 2}, "target_quality"),
        ({"min_labels": 0}, "min_labels"),
        ({"url": "localhost:8080"}, "like http://localhost:8080"),
        ({"url": "http://localhost:port"}, "like http://localhost:8080"),
        ({"url": "http://[::1"}, "like http://localhost:8080"),
        ({"url": "http://é..x"}, "like http://localhost:8080"),
        ({"queue_size": 0}, "queue_size"),
    ],
)
def test_values_out_of_range_are_named(flags, said):
    with pytest.raises(UserError, match=said):
        settings.load(**flags)


@pytest.mark.parametrize(("content", "said"), [("max_label = 6", "max_label"), ("max_labels 6", "not valid TOML")])
def test_a_file_with_mistakes_is_named(elsewhere, content, said):
    (elsewhere / "label-studio-crowd.toml").write_text(content)
    with pytest.raises(UserError, match=said):
        settings.load()


def test_a_config_file_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setenv("LABEL_STUDIO_CROWD_CONFIG", "nowhere.toml")
    with pytest.raises(UserError, match=r"nowhere\.toml"):
        settings.load()


def test_a_model_is_either_an_annotator_or_the_classifier():
    named = settings.load(model_annotators="gpt-5, detector-2,gpt-5")
    assert named.names("model_annotators") == ("gpt-5", "detector-2")
    assert named.over({"classifier": "predictions:gpt-4"}).classifier == "predictions:gpt-4"
    with pytest.raises(UserError, match="'detector-2' is the classifier"):
        named.over({"classifier": "predictions: detector-2"})
    with pytest.raises(UserError, match="is the classifier"):
        settings.parse_options({"model_annotators": "gpt-5", "classifier": "predictions:gpt-5"})


def test_contradictions_are_found_when_all_is_known():
    assert settings.load(min_labels=6).over({"max_labels": 9}).max_labels == 9
    with pytest.raises(UserError, match=r"max_labels \(5\) is below min_labels \(6\)"):
        settings.load(min_labels=6).over({})
    with pytest.raises(UserError, match=r"max_labels \(2\) is below min_labels \(3\)"):
        settings.load(max_labels=2).over({"min_labels": 3})


def test_the_environments_url_and_api_key_are_somebody_elses(monkeypatch):
    monkeypatch.setenv("URL", "http://elsewhere")
    monkeypatch.setenv("API_KEY", "of-another-service")
    assert settings.load().url == "http://localhost:8080"
    assert settings.load().api_key is None
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://one")
    assert settings.load().url == "http://one"
    monkeypatch.setenv("LABEL_STUDIO_CROWD_URL", "http://two")
    assert settings.load().url == "http://two"


@pytest.mark.parametrize("name", ["LABEL_STUDIO_URL", "LABEL_STUDIO_CROWD_URL"])
def test_a_wrong_variable_is_named_as_it_was_given(name, monkeypatch):
    monkeypatch.setenv(name, "localhost:8080")
    with pytest.raises(UserError, match=f"Setting {name}: not an address"):
        settings.load()


def test_an_address_with_a_password_is_refused_and_not_shown():
    with pytest.raises(UserError, match="without them") as error:
        settings.load(url="http://ann:s3cret@host")
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("mistake", [{"target_quality": 7}, {"url": "nonsense"}, {"store": 5}, {"min_labels": "x"}])
def test_a_token_is_never_shown(mistake, elsewhere):
    assert "s3cret" not in repr(settings.load(api_key="s3cret-token"))
    with pytest.raises(UserError) as error:
        settings.load(api_key="s3cret-token", **mistake)
    assert "s3cret" not in str(error.value)
    (elsewhere / "label-studio-crowd.toml").write_text('token = "s3cret-token"')
    with pytest.raises(UserError, match="no setting 'token'") as error:
        settings.load()
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("queue_size", 0, "Setting queue_size: write 1 or more (found 0)."),
        ("target_quality", 7, "Setting target_quality: write 1 or less (found 7)."),
        ("port", 99999, "Setting port: write 65535 or less (found 99999)."),
        ("max_labels", "x", "Setting max_labels: write a whole number (found 'x')."),
        ("target_quality", "high", "Setting target_quality: write a number (found 'high')."),
        ("trust_ground_truth", "perhaps", "Setting trust_ground_truth: write true or false (found 'perhaps')."),
        ("consensus", "x", "Setting consensus: write 'hierarchical-dawid-skene' or 'crowdlab' (found 'x')."),
    ],
)
def test_a_wrong_value_is_answered_with_what_is_allowed(name, given, said):
    with pytest.raises(UserError) as error:
        settings.load(**{name: given})
    assert str(error.value) == said
