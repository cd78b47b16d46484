"""The pages: links lead somewhere, nothing is missing, and what they show runs."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.science.methods import shown_methods
from crowdcore import identify
from crowdcore.aggregate.methods import METHODS, WITH_MODEL, find_method
from crowdcore.simulation import STRATEGIES, hammer_spammer
from docs.pictures import consensus_steps

ROOT = Path(__file__).resolve().parents[2]
MAIN_PAGES = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"]
PAGES = [*(ROOT / page for page in MAIN_PAGES), *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON_PAGES = {
    "README.md": {"scores": 50},
    "docs/how-to/classifier.md": {},
    "docs/how-to/from-cleanlab.md": {"scores": 50},
    "docs/how-to/from-crowd-kit.md": {"labels": 50, "probabilities": 50},
    "docs/how-to/ground-truth.md": {"known": 50},
    "docs/how-to/other-tools.md": {},
    "docs/how-to/python.md": {"scores": 50},
}
"""Pages whose Python runs as it stands, and how long what it makes is; they are given a frame and probabilities."""
DOCS = ROOT / "docs"
METHODS_PAGE = DOCS / "methods.md"


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_and_modules_that_pages_name_are_there(page):
    text = page.read_text()
    for path in re.findall(r"`((?:benchmarks|crowdcore|examples|harness|plugin|tests)/[\w/.-]+)", text):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"python -m ((?:benchmarks|examples|harness)[\w.]*)", text):
        file = ROOT / module.replace(".", "/")
        assert file.with_suffix(".py").exists() or (file / "__main__.py").exists(), module


def test_the_index_lists_every_page_of_the_site():
    listed = [
        path
        for tree in re.findall(r"```{toctree}\n(.*?)```", (DOCS / "index.md").read_text(), re.DOTALL)
        for entry in re.findall(r"^[^:\n]+$", tree, re.MULTILINE)
        for path in DOCS.glob(f"{entry}.md")
    ]
    pages = {path for path in DOCS.rglob("*.md") if path.parent.name != "crowdcore"} - {DOCS / "index.md"}
    assert pages <= {path.resolve() for path in listed} | {DOCS / "reference" / "crowdcore" / "index.md"}


@pytest.mark.parametrize(
    "names",
    [[name for name in METHODS if not name.endswith(WITH_MODEL)], list(identify.METHODS), list(STRATEGIES)],
    ids=["aggregate", "identify", "simulation"],
)
def test_every_method_has_a_row(names):
    rows = re.findall(r"^\| `([^`]+)` \|", METHODS_PAGE.read_text(), re.MULTILINE)
    assert set(names) <= set(rows)


def test_every_method_that_the_crowds_allow_was_measured():
    rows = re.findall(r"^\| ([^|]+?) \|", (METHODS_PAGE.parent / "results" / "methods.md").read_text(), re.MULTILINE)
    assert {name for name, method in shown_methods().items() if not method.binary} <= set(rows)


def test_peers_names_are_understood():
    tried = 0
    table = METHODS_PAGE.read_text().partition("## Peers' names")[2].partition("| cleanlab")[0]
    for *peers, ours in (re.split(r" ?\| ?", line)[1:-1] for line in table.splitlines() if line.startswith("| ")):
        name = ours.partition(",")[0].strip("`")
        if name in METHODS:
            for known in re.findall(r"`(\w+)(?=[`\[])", " ".join(peers)):
                assert find_method(known).name == name
                tried += 1
    assert tried > 20


@pytest.mark.parametrize("page", PYTHON_PAGES)
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed, so there is no Parquet")
    pytest.importorskip("fsspec", reason="fsspec is not installed, so there are no parts")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    made = hammer_spammer(n_tasks=50, n_annotators=8, n_classes=4, ratio=0.4)
    frame = made.crowd.to_long()
    frame.to_csv("answers.csv", index=False)
    (tmp_path / "answers").mkdir()
    frame.to_parquet("answers/all.parquet")
    names = {"frame": frame, "pred_probs": (made.crowd.counts + 1) / (made.crowd.counts + 1).sum(axis=1, keepdims=True)}
    assert blocks
    for block in blocks:
        exec(block, names)
    for name, count in PYTHON_PAGES[page].items():
        assert len(names[name]) == count
    assert page != "docs/how-to/python.md" or list((tmp_path / "labels").iterdir())


def test_the_explanation_shows_every_step_and_says_what_each_reaches(tmp_path):
    page = (ROOT / "docs" / "explanation" / "consensus.md").read_text()
    drawn = consensus_steps.main(tmp_path)
    for path in drawn:
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
        assert (ROOT / "docs" / "pictures" / path.name).exists()
        assert path.name in page or "-dark" in path.name
    assert len(set(re.findall(r"consensus-\d-\w+-light", page))) == len(drawn) / 2
    for share in consensus_steps.tell().right().values():
        assert f"{share:.3f}".removeprefix("0") in page
