"""The example of learning from a crowd runs, and says what its documentation says."""

import re
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'label-studio-crowd[deep]'")
pytest.importorskip("skorch", reason="skorch is not installed: pip install 'label-studio-crowd[deep]'")

from examples import learning  # noqa: E402

README = Path(learning.__file__).with_name("README.md")


def figures(text):
    """Return the accuracies of lines such as "ConsensusNetwork  0.949 right on 897 new digits", by name."""
    return {name.strip(): float(value) for name, value in re.findall(r"^(.+?) +(0\.\d+) right on 897", text, re.M)}


def test_what_it_prints_is_what_its_page_shows(capsys):
    torch.set_num_threads(1)
    learning.main()
    found, shown = figures(capsys.readouterr().out), figures(README.read_text())
    assert list(found) == list(shown)
    assert found == pytest.approx(shown, abs=0.01)  # the last bits of a sum are another machine's own
    assert max(found, key=found.get) == "ConsensusNetwork"
