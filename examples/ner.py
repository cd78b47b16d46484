"""Names in texts: 100 short reports in which people, organisations and places are marked; nine simulated annotators.

The reports are made of templates. Some names are hard: "Jordan" may be a person or a place, "Mercury" a company. Some
words with a capital letter are no names that count ("Monday", "Latin"), and careless people mark them. All reports
have one to four annotations.

An annotator overlooks a name in `misses` of the cases, a hard one twice as often, marks a word that is no name in
`invents` of the cases, is wrong about where a name begins or ends in `sloppy`, and about what it is in `mislabels`, a
hard name three times as often (never more than nine in ten).

========  ======  =======  ======  =========
name      misses  invents  sloppy  mislabels
========  ======  =======  ======  =========
alma        0.02     0.03    0.02       0.02
bruno       0.05     0.05    0.05       0.04
clara       0.06     0.05    0.10       0.05
dov         0.10     0.10    0.05       0.05
elsa        0.25     0.04    0.05       0.05
finn        0.06     0.60    0.10       0.10
gita        0.10     0.10    0.60       0.06
hana        0.10     0.10    0.10       0.30
ivo         0.60     0.70    0.50       0.50
========  ======  =======  ======  =========

elsa overlooks names, finn marks every capital letter, gita's ends are wrong, hana mixes labels up, ivo does all of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from examples.kinds_crowd import KindsCrowd, Said, answers_of
from examples.questions import Span, Spans

__all__ = ["PERSONAS", "Marker", "ner_crowd"]


class Marker(NamedTuple):
    """A simulated annotator; see above."""

    misses: float
    invents: float
    sloppy: float
    mislabels: float
    activity: float = 1.0


PERSONAS = {
    "alma": Marker(0.02, 0.03, 0.02, 0.02, 0.8),
    "bruno": Marker(0.05, 0.05, 0.05, 0.04),
    "clara": Marker(0.06, 0.05, 0.10, 0.05),
    "dov": Marker(0.10, 0.10, 0.05, 0.05, 1.4),
    "elsa": Marker(0.25, 0.04, 0.05, 0.05),
    "finn": Marker(0.06, 0.60, 0.10, 0.10),
    "gita": Marker(0.10, 0.10, 0.60, 0.06, 1.2),
    "hana": Marker(0.10, 0.10, 0.10, 0.30),
    "ivo": Marker(0.60, 0.70, 0.50, 0.50, 1.2),
}
NEWCOMER = Marker(0.03, 0.04, 0.04, 0.03)

NAMES = {
    "person": ("Mary Okafor", "Li Wei", "Tomas Berg", "Dr Sofia Rossi", "Amina Diallo", "Paul van Dijk"),
    "organisation": ("Northwind Foods", "the Harbour Museum", "Blue Lake Bank", "Acme Rail", "Riverside Hospital"),
    "place": ("New Haven", "Porto", "Cape Verde", "Lower Mill Street", "Oslo", "the Black Forest"),
}
HARD = {
    "person": ("Jordan", "Paris", "Chelsea"),
    "organisation": ("Mercury", "Santander", "Chelsea"),
    "place": ("Jordan", "Santander", "Mercury Bay"),
}
NO_NAMES = ("Monday", "Latin", "Easter", "October", "Bluetooth", "Chief Engineer")

TEMPLATES = (
    "{person} left {organisation} on {no} and moved to {place}.",
    "On {no}, {person} met {person} in {place}.",
    "{organisation} will open a branch in {place} next {no}.",
    "After {no}, {person} of {organisation} spoke about {no}.",
    "Nobody in {place} had heard of {organisation} or of {person}.",
    "{organisation} sued {organisation}, said {person}.",
)
LABELS = tuple(NAMES)

LABEL_CONFIG = f"""<View>
  <Labels name="names" toName="report">
    {"".join(f'<Label value="{label}"/>' for label in LABELS)}
  </Labels>
  <Text name="report" value="$text"/>
</View>"""


@dataclass(frozen=True)
class Report:
    """A text, its names, those of them that are hard, and words that are none."""

    text: str
    names: frozenset[Span]
    hard: frozenset[Span]
    decoys: tuple[tuple[int, int], ...]


def ner_crowd(n_tasks: int = 100, seed: int = 0) -> KindsCrowd:
    """Return the crowd described above.

    Parameters
    ----------
    n_tasks
        How many reports.
    seed
        The same seed gives the same tasks and answers.
    """
    rng = np.random.default_rng(seed)
    reports = [_report(rng) for _ in range(n_tasks)]
    activity = {name: persona.activity for name, persona in PERSONAS.items()}
    return KindsCrowd(
        title="Names in reports",
        label_config=LABEL_CONFIG,
        questions=(Spans("names", "report"),),
        tasks=[{"text": report.text} for report in reports],
        answers=answers_of(rng, activity, n_tasks, lambda name, task: _say(rng, PERSONAS[name], reports[task])),
        truth=[(report.names,) for report in reports],
        newcomer=lambda rng, task: _say(rng, NEWCOMER, reports[task]),
        notes=(
            "elsa overlooks names, finn marks every capital letter, gita's ends are wrong, hana mixes labels up, "
            "ivo does all of it",
        ),
    )


def _report(rng: np.random.Generator) -> Report:
    text, names, hard, decoys = "", [], [], []
    for template in rng.choice(TEMPLATES, size=2, replace=False).tolist():
        text += " " if text else ""
        for piece in re.split(r"(\{\w+\})", template):
            label = piece.strip("{}") if piece.startswith("{") else ""
            start = len(text)
            if not label:
                text += piece
            elif label == "no":
                text += str(rng.choice(NO_NAMES))
                decoys.append((start, len(text)))
            else:
                is_hard = bool(rng.random() < 0.3)
                text += str(rng.choice((HARD if is_hard else NAMES)[label]))
                names.append(Span(start, len(text), label, text[start:]))
                hard += names[-1:] if is_hard else []
    return Report(text, frozenset(names), frozenset(hard), tuple(decoys))


def _say(rng: np.random.Generator, who: Marker, report: Report) -> Said:
    marked = []
    for name in sorted(report.names):
        times = 1 + (name in report.hard)
        if rng.random() < min(who.misses * times, 0.9):
            continue
        label = name.label
        if rng.random() < min(who.mislabels * (2 * times - 1), 0.9):
            label = str(rng.choice([other for other in LABELS if other != label]))
        start, end = _sloppy(rng, report.text, name) if rng.random() < who.sloppy else name[:2]
        marked.append(Span(start, end, label, report.text[start:end]))
    for start, end in report.decoys:
        if rng.random() < who.invents:
            marked.append(Span(start, end, str(rng.choice(LABELS)), report.text[start:end]))
    return (frozenset(marked),)


def _sloppy(rng: np.random.Generator, text: str, name: Span) -> tuple[int, int]:
    """Return a name's place with a word too few or too many."""
    first, *rest = text[name.start : name.end].split(" ")
    if rest and rng.random() < 0.7:
        if rng.random() < 0.5:
            return name.start + len(first) + 1, name.end
        return name.start, name.end - len(rest[-1]) - 1
    after = re.match(r"\W*\w+", text[name.end :])
    return (name.start, name.end + after.end()) if after else (name.start, name.end - 1)
