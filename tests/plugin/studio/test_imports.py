"""What asks nothing of Label Studio does not wait for label-studio-sdk to be imported."""

import subprocess
import sys

import pytest

COMMAND = """
import sys
from label_studio_crowd.commands import cli
sys.argv = ["label-studio-crowd", *sys.argv[1:]]
try:
    cli.main()
finally:
    print("imported:", sorted({"label_studio_sdk", "httpx"} & set(sys.modules)))
"""


def run(code, *words):
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["status", "--help"], ["aggregate", "answers.csv", "-m", "majority-vote"]]
)
def test_a_command_without_label_studio_imports_no_client_of_it(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answers.csv").write_text("task,annotator,label\n1,a,x\n1,b,x\n")
    assert run(COMMAND, *words) == "imported: []"


def test_status_imports_no_sdk(tmp_path, monkeypatch):
    """Nobody listens there: the first request fails, and would have been made by the SDK."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "0" * 40)
    words = ["status", "--project", "1", "--url", "http://127.0.0.1:9", "--store", f"sqlite:///{tmp_path}/store.sqlite"]
    done = subprocess.run([sys.executable, "-c", COMMAND, *words], capture_output=True, text=True)
    assert "does not answer" in done.stderr
    assert done.stdout.splitlines()[-1] == "imported: ['httpx']"


def test_a_label_studio_that_is_asked_nothing_imports_no_sdk():
    made = "import sys; from label_studio_crowd.studio.client import Studio; Studio('http://studio', 40 * '0')"
    assert run(f"{made}; print('label_studio_sdk' in sys.modules)") == "False"


def test_the_sdk_is_imported_without_what_its_converters_need():
    made = "import sys; from label_studio_crowd.studio import sdk; heavy = {'pandas', 'faker', 'nltk', 'lxml', 'PIL'}"
    assert run(f"{made}; print(sorted(heavy & set(sys.modules)))") == "[]"
