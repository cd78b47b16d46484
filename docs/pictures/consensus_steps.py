"""Draws how the consensus of a small crowd comes about: ``python -m docs.pictures.consensus_steps``.

The crowd is simulated with a seed. What the pictures show of it is what `hierarchical_dawid_skene` finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd, HierarchicalResult, hierarchical_dawid_skene, majority_vote

HERE = Path(__file__).parent
CLASSES = ("cat", "dog", "fox")
ANNOTATORS = ("ann", "bob", "cyd", "dan", "eve", "flo")
GOOD, GUESSES = np.full((3, 3), 0.05) + 0.85 * np.eye(3), np.full((3, 3), 1 / 3)
MIXES_UP = np.array([[0.45, 0.5, 0.05], [0.5, 0.45, 0.05], [0.05, 0.05, 0.9]])
HABITS = (GOOD, GOOD, GOOD, MIXES_UP, GUESSES, GUESSES)
"""What each annotator says, for each true class: dan mixes cats and dogs up, eve and flo guess."""
SHOWN = 12  # tasks in a picture
CELL = 26


@dataclass(frozen=True)
class Palette:
    """The colours of a picture: of the classes, of what is written, of an empty cell."""

    classes: tuple[str, str, str]
    ink: str
    empty: str


PALETTES = {
    "light": Palette(("#2a62d8", "#e08a1e", "#3a9a6b"), "#1b1f27", "#e7ebf1"),
    "dark": Palette(("#6f9bff", "#f0a848", "#5fc795"), "#e7ebf1", "#2a3040"),
}


@dataclass
class Drawing:
    """An SVG picture that grows as things are put into it."""

    palette: Palette
    parts: list[str] = field(default_factory=list)
    width: float = 0
    height: float = 0

    def box(self, x: float, y: float, width: float, height: float, colour: str, strength: float = 1) -> None:
        """Put a filled box into the picture."""
        self._reach(x + width, y + height)
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" '
            f'fill="{colour}" fill-opacity="{strength:.2f}"/>'
        )

    def write(self, x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> None:
        """Put a line of text into the picture; `y` is its base line."""
        self._reach(x + 7.2 * len(text) * (anchor == "start"), y + 6)
        weight = ' font-weight="bold"' * bold
        place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        self.parts.append(f'<text {place}{weight} fill="{self.palette.ink}">{escape(text)}</text>')

    def _reach(self, x: float, y: float) -> None:
        self.width, self.height = max(self.width, x), max(self.height, y)

    def as_svg(self) -> str:
        """Return the picture."""
        size = f'width="{self.width:.0f}" height="{self.height:.0f}" viewBox="0 0 {self.width:.0f} {self.height:.0f}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">'
        return "\n".join([head, *self.parts, "</svg>\n"])


@dataclass(frozen=True)
class Story:
    """A crowd, its truth, a classifier's probabilities, and what is believed without and with these."""

    crowd: Crowd
    truth: NDArray[np.int64]
    pred_probs: NDArray[np.float64]
    alone: HierarchicalResult
    informed: HierarchicalResult

    def right(self) -> dict[str, float]:
        """Return the share of right labels of each."""
        labels = {
            "majority vote": majority_vote(self.crowd),
            "consensus, answers alone": self.alone.consensus,
            "classifier alone": self.pred_probs.argmax(axis=1),
            "consensus with the classifier": self.informed.consensus,
        }
        return {name: float((found == self.truth).mean()) for name, found in labels.items()}


def tell(seed: int = 3) -> Story:
    """Return the story that the pictures tell: 120 tasks with three answers each."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=120)
    task, annotator = np.repeat(np.arange(120), 3), np.concatenate([rng.permutation(6)[:3] for _ in truth])
    label = [rng.choice(3, p=HABITS[who][true]) for who, true in zip(annotator, truth[task], strict=True)]
    crowd = Crowd.from_codes(task, annotator, label, tasks=range(120), annotators=ANNOTATORS, classes=CLASSES)
    logits = rng.normal(size=(120, 3)) + 2 * np.eye(3)[truth]
    pred_probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Story(crowd, truth, pred_probs, hierarchical_dawid_skene(crowd), hierarchical_dawid_skene(crowd, pred_probs))


def draw_answers(story: Story, drawing: Drawing) -> None:
    """Draw who said what: a row for each task, a column for each annotator."""
    crowd = story.crowd
    said = {(int(t), int(a)): int(c) for t, a, c in zip(crowd.task, crowd.annotator, crowd.label, strict=True)}
    for column, name in enumerate(ANNOTATORS):
        drawing.write(90 + (column + 0.5) * 1.5 * CELL, 14, name, anchor="middle")
    drawing.write(90 + 6.8 * 1.5 * CELL, 14, "truth (unknown)")
    for row in _rows(drawing):
        for column in range(len(ANNOTATORS)):
            code = said.get((row, column))
            colour = drawing.palette.empty if code is None else drawing.palette.classes[code]
            drawing.box(90 + column * 1.5 * CELL, _top(row), 1.5 * CELL - 4, CELL - 4, colour)
        drawing.box(90 + 6.8 * 1.5 * CELL, _top(row), 1.5 * CELL - 4, CELL - 4, _truth(story, drawing, row))
    _legend(drawing)


def draw_votes(story: Story, drawing: Drawing) -> None:
    """Draw the shares of the votes: the first guess."""
    shares = story.crowd.counts / story.crowd.counts.sum(axis=1, keepdims=True)
    _draw_bars(story, drawing, [("votes", shares)])


def draw_annotators(story: Story, drawing: Drawing) -> None:
    """Draw how often each annotator says what, for each true class."""
    for place, (name, matrix) in enumerate(zip(ANNOTATORS, story.alone.confusion(), strict=True)):
        left, top = 60 + place % 3 * 190, 44 + place // 3 * 170
        quality = story.alone.annotators.quality[place]
        drawing.write(left, top - 26, f"{name}: {quality:.2f} right", bold=True)
        for code, label in enumerate(CLASSES):
            drawing.write(left + (code + 0.5) * 38, top - 6, label, anchor="middle")
            drawing.write(left - 6, top + code * 34 + 21, label, anchor="end")
        for (true, answer), share in np.ndenumerate(matrix):
            x, y = left + answer * 38, top + true * 34
            drawing.box(x, y, 35, 31, drawing.palette.empty)
            drawing.box(x, y, 35, 31, drawing.palette.classes[answer], float(share))
            drawing.write(x + 17, y + 20, f"{share:.2f}".lstrip("0"), anchor="middle")


def draw_beliefs(story: Story, drawing: Drawing) -> None:
    """Draw what is believed of each task, beside the votes."""
    shares = story.crowd.counts / story.crowd.counts.sum(axis=1, keepdims=True)
    _draw_bars(story, drawing, [("votes", shares), ("consensus", story.alone.posterior)])


def draw_model(story: Story, drawing: Drawing) -> None:
    """Draw what a classifier adds."""
    columns = [
        ("answers alone", story.alone.posterior),
        ("classifier", story.pred_probs),
        ("both", story.informed.posterior),
    ]
    _draw_bars(story, drawing, columns)


STEPS: dict[str, Callable[[Story, Drawing], None]] = {
    "answers": draw_answers,
    "votes": draw_votes,
    "annotators": draw_annotators,
    "beliefs": draw_beliefs,
    "classifier": draw_model,
}


def _draw_bars(story: Story, drawing: Drawing, columns: list[tuple[str, NDArray[np.float64]]]) -> None:
    width = 150
    for column, (name, shares) in enumerate(columns):
        left = 90 + column * (width + 70)
        drawing.write(left, 14, name)
        for row in range(SHOWN):
            _draw_bar(drawing, left, _top(row), width, shares[row])
            right = shares[row].argmax() == story.truth[row]
            drawing.write(left + width + 6, _top(row) + 16, f"{shares[row].max():.2f}" + ("" if right else " ✗"))
    left = 90 + len(columns) * (width + 70)
    drawing.write(left, 14, "truth (unknown)")
    for row in _rows(drawing):
        drawing.box(left, _top(row), 1.5 * CELL - 4, CELL - 4, _truth(story, drawing, row))
    _legend(drawing)


def _draw_bar(drawing: Drawing, left: float, top: float, width: float, shares: Iterable[float]) -> None:
    for colour, share in zip(drawing.palette.classes, shares, strict=True):
        if share * width >= 0.5:
            drawing.box(left, top, share * width, CELL - 4, colour)
        left += share * width


def _rows(drawing: Drawing) -> Iterable[int]:
    for row in range(SHOWN):
        drawing.write(80, _top(row) + 16, f"task {row + 1}", anchor="end")
        yield row


def _top(row: int) -> float:
    return 24 + row * CELL


def _truth(story: Story, drawing: Drawing, row: int) -> str:
    return drawing.palette.classes[story.truth[row]]


def _legend(drawing: Drawing) -> None:
    top = _top(SHOWN) + 12
    for place, (name, colour) in enumerate(zip(CLASSES, drawing.palette.classes, strict=True)):
        drawing.box(90 + place * 80, top, 14, 14, colour)
        drawing.write(110 + place * 80, top + 12, name)


def main(folder: Path = HERE) -> list[Path]:
    """Write every picture, light and dark, and return the files."""
    story, written = tell(), []
    for number, (name, draw) in enumerate(STEPS.items(), 1):
        for shade, palette in PALETTES.items():
            drawing = Drawing(palette)
            draw(story, drawing)
            written.append(folder / f"consensus-{number}-{name}-{shade}.svg")
            written[-1].write_text(drawing.as_svg())
    return written


if __name__ == "__main__":
    for path in main():
        print(path)
    for name, share in tell().right().items():
        print(f"{name}: {share:.3f}")
