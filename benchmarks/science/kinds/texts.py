"""The consensus of texts on transcriptions of speech: word error rate beside ROVER and others, and how far it is right.

    python -m benchmarks.science.kinds.texts [--data FOLDER] [--out FOLDER]

The transcriptions are in --data (by default the folder shared/data beside the checkout), with the texts that others
published for them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from benchmarks.science.kinds.crowds import Answer, answers_of, read_crowd, table_of
from benchmarks.science.papers.report import Claim, Report, Table, figure, since
from benchmarks.science.papers.running import carry_out, parser_of
from crowdcore.kinds import AnswerTable, TextResult, texts
from crowdcore.kinds.text.alignment import edits, encoded
from crowdcore.kinds.text.tokens import tokens

Floats = NDArray[np.float64]

CROWD = "transcription-dev-clean"
PUBLISHED = {"rover": "ROVER", "rasa": "RASA", "hrrasa": "HRRASA", "t5": "T5, trained on such data"}
KNOWN = (30, 100, 300)
MOST_WER, LEAST_AUROC, MOST_OFF, LEAST_SPEARMAN = 5.5, 0.84, 0.06, 0.9


@dataclass(frozen=True, eq=False)
class Judged:
    """Texts beside the true ones.

    Attributes
    ----------
    errors, size, longer : ndarray of shape (N,)
        Wrong words of each text, words of the truth, and of the longer of the two.
    """

    errors: Floats
    size: Floats
    longer: Floats

    @classmethod
    def of(cls, found: Iterable[str], truth: Iterable[str]) -> Judged:
        """Compare texts with the truth, word by word."""
        pairs = [encoded([tokens(a), tokens(b)]) for a, b in zip(found, truth, strict=True)]
        counts = np.array([(edits(a, b), len(b), max(len(a), len(b), 1)) for a, b in pairs], np.float64)
        return cls(*counts.T)

    @property
    def wer(self) -> float:
        """Wrong words for a hundred true ones."""
        return float(100 * self.errors.sum() / self.size.sum())

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether all of each text is right."""
        return self.errors == 0

    @property
    def share(self) -> Floats:
        """Share of wrong words of each text."""
        return self.errors / self.longer


@dataclass(frozen=True, eq=False)
class Outcome:
    """A consensus and what is true of it."""

    result: TextResult
    judged: Judged
    answers: Judged
    seconds: float

    @classmethod
    def of(cls, table: AnswerTable, truth: Sequence[str], known: Sequence[str | None] | None = None) -> Outcome:
        """Find the consensus and judge it."""
        start = time.process_time()
        result = texts(table, known=known)
        seconds = since(start)
        theirs = Judged.of(table.values, [truth[i] for i in table.task])
        return cls(result, Judged.of(result.consensus, truth), theirs, seconds)

    def figures(self, tasks: NDArray[np.bool_] | None = None) -> dict[str, float]:
        """Return what is known of how right it is, of some tasks."""
        some = np.ones(len(self.judged.right), np.bool_) if tasks is None else tasks
        right, believed = self.judged.right[some], self.result.all_right[some]
        return {
            "right": float(right.mean()),
            "believed": float(believed.mean()),
            "auroc": float(roc_auc_score(right, believed)),
            "off": calibration_error(believed, right),
            "wrong": float(100 * self.judged.share[some].mean()),
            "expected": float(100 * (1 - self.result.quality[some]).mean()),
        }

    def annotators(self, least: int = 5) -> dict[str, float]:
        """Return how well annotators with some answers are known."""
        table, rated = self.result.answers, self.result.annotators
        n = rated.num_answers
        true = 1 - np.bincount(table.annotator, self.answers.share, len(n)) / np.maximum(n, 1)
        low, high = rated.interval.T
        some = n >= least
        return {
            "spearman": float(spearmanr(true[some], rated.quality[some])[0]),
            "off": float(np.abs(true - rated.quality)[some].mean()),
            "held": float(((low <= true) & (true <= high))[some].mean()),
        }


def calibration_error(believed: Floats, right: NDArray[np.bool_], parts: int = 10) -> float:
    """Return the mean gap between belief and truth, of ten equally large groups ordered by belief."""
    groups = np.array_split(np.argsort(believed, kind="stable"), parts)
    return float(np.mean([abs(believed[group].mean() - right[group].mean()) for group in groups]))


def run(data: Path) -> Report:
    """Measure everything."""
    rows = read_crowd(data, CROWD)
    truth, answers = [row["truth"] for row in rows], answers_of(rows)
    full = Outcome.of(table_of(answers, len(rows)), truth)
    report = Report(
        "texts",
        "The consensus of texts, beside other ways",
        f"{len(rows):,} sentences of LibriSpeech (CrowdSpeech's dev-clean, the first), each written down by "
        f"{len(answers) / len(rows):.0f} of {len(full.result.answers.annotators)} people (Pavlichenko, Stelmakh & "
        "Ustalov 2021). The texts of ROVER, RASA, HRRASA and T5 are the published ones, judged by the same code.",
    )
    report.tables.append(_peers(rows, full))
    thinner = {size: Outcome.of(table_of(thinned(answers, size), len(rows)), truth) for size in (5, 4, 3, 2)}
    report.tables.append(_calibration({7: full, **thinner}))
    report.tables.append(_annotators({7: full, **thinner}))
    report.tables.append(_known(table_of(answers, len(rows)), truth))
    report.tables.append(_seconds(full))
    ours, rated, others = full.figures(), full.annotators(), _published(rows, "rover")
    report.claims += [
        Claim(
            f"Word error rate at most {MOST_WER}",
            f"{full.judged.wer:.2f} (ROVER {others.wer:.2f})",
            full.judged.wer <= MOST_WER,
        ),
        Claim(f"AUROC of 'all is right' at least {LEAST_AUROC}", figure(ours["auroc"]), ours["auroc"] >= LEAST_AUROC),
        Claim(f"Its calibration error at most {MOST_OFF}", figure(ours["off"]), ours["off"] <= MOST_OFF),
        Claim(
            f"Spearman correlation of annotators' qualities with the truth at least {LEAST_SPEARMAN}",
            figure(rated["spearman"]),
            rated["spearman"] >= LEAST_SPEARMAN,
        ),
    ]
    report.notes += [
        "The word error rate is that of all sentences together: words to change, add and leave out, of the true ones.",
        "All of this is in sample. On this crowd, with 1 to 7 answers a sentence, were chosen: the constants of the "
        "calibration, the correlation of annotators' errors (of six values), whole texts as a second view (of six "
        "ways), the weights by which the nearest text is taken (of five; 5.2 to 5.5 wrong words of a hundred), and the "
        "width of annotators' intervals (of three). Other crowds may well show less.",
        "T5 was trained on other transcriptions of the same kind, with their truth; the others here see answers alone.",
        "Calibration error: the mean gap between belief and truth, over tenths of the sentences, ordered by belief.",
        "Annotators: those with five answers or more. Their true quality is one less the mean share of wrong words.",
    ]
    return report


def thinned(answers: Sequence[Answer], size: int) -> list[Answer]:
    """Return so many answers of each task, drawn at random."""
    rng = np.random.default_rng(size)
    order = rng.permutation(len(answers))
    seen: dict[int, int] = {}
    found = []
    for at in order.tolist():
        i = answers[at][0]
        seen[i] = seen.get(i, 0) + 1
        if seen[i] <= size:
            found.append(answers[at])
    return found


def _published(rows: Sequence[dict[str, Any]], name: str) -> Judged:
    return Judged.of([row["published"][name] for row in rows], [row["truth"] for row in rows])


def _peers(rows: Sequence[dict[str, Any]], full: Outcome) -> Table:
    table, share = full.result.answers, full.answers
    best = np.minimum.reduceat(share.errors, table.indptr[:-1])
    chance = float(100 * share.errors.sum() / share.size.sum())
    body = [["an answer at random", f"{chance:.2f}", figure(float(share.right.mean()))]]
    for name, shown in PUBLISHED.items():
        theirs = _published(rows, name)
        body.append([shown, f"{theirs.wer:.2f}", figure(float(theirs.right.mean()))])
    body.append(["**texts**", f"**{full.judged.wer:.2f}**", f"**{figure(float(full.judged.right.mean()))}**"])
    least = float(100 * best.sum() / full.judged.size.sum())
    body.append(["the best answer of each sentence", f"{least:.2f}", figure(float((best == 0).mean()))])
    return Table("Words and sentences", ("text", "word error rate", "all right"), body)


def _calibration(outcomes: dict[int, Outcome]) -> Table:
    head = (
        "answers a sentence", "word error rate", "all right", "believed", "AUROC", "calibration error",
        "wrong words, %", "expected, %",
    )  # fmt: skip
    body = []
    for size, outcome in outcomes.items():
        found = outcome.figures()
        body.append([str(size), f"{outcome.judged.wer:.2f}", *_shown(found)])
    return Table("How far it is right, and believed", head, body)


def _shown(found: dict[str, float]) -> list[str]:
    chances = [figure(found[name]) for name in ("right", "believed", "auroc", "off")]
    return [*chances, *(f"{found[name]:.1f}" for name in ("wrong", "expected"))]


def _annotators(outcomes: dict[int, Outcome]) -> Table:
    head = ("answers a sentence", "Spearman correlation", "mean error", "in the 95 % interval")
    body = []
    for size, outcome in outcomes.items():
        found = outcome.annotators()
        body.append([str(size), *(figure(found[name]) for name in ("spearman", "off", "held"))])
    return Table("Annotators", head, body)


def _known(table: AnswerTable, truth: Sequence[str]) -> Table:
    head = (
        "known sentences", "all right", "believed", "AUROC", "calibration error", "wrong words, %", "expected, %",
    )  # fmt: skip
    body = []
    for n in KNOWN:
        outcome = Outcome.of(table, truth, [text if i < n else None for i, text in enumerate(truth)])
        body.append([str(n), *_shown(outcome.figures(np.arange(len(truth)) >= n))])
    return Table("The other sentences, where the first are known", head, body, "The calibration is fitted to these.")


def _seconds(full: Outcome) -> Table:
    table = full.result.answers
    rows = [[f"{len(table.tasks):,} tasks, {len(table.values):,} answers", f"{full.seconds:.2f}"]]
    for words, copies in ((2000, 5), (20_000, 5)):
        rng = np.random.default_rng(0)
        truth = rng.integers(3000, size=words).astype(str)
        answers = [(0, str(j), " ".join(np.where(rng.random(words) < 0.05, "x", truth))) for j in range(copies)]
        start = time.process_time()
        texts(table_of(answers, 1))
        rows.append([f"1 task, {copies} answers of {words:,} words", f"{since(start):.2f}"])
    return Table("CPU seconds", ("what", "seconds"), rows)


def main() -> int:
    """Run the benchmark; see the module's description."""
    return carry_out(parser_of("benchmarks.science.kinds.texts", __doc__), "benchmarks.science.kinds.texts", run)


if __name__ == "__main__":
    sys.exit(main())
