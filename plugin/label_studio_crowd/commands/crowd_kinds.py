"""The commands that need no Label Studio, for answers that are not one class: sets, ordered classes, numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from label_studio_crowd.commands.crowd_display import show_frame, working
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.evidence import read_evidence
from label_studio_crowd.files.sources import Source
from label_studio_crowd.files.true_labels import read_true_labels
from label_studio_crowd.files.writing import TABLES, check_out, write_frame

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from crowdcore.formats import Reading
    from label_studio_crowd.files.answer_kinds import KindAnswers, Place

LOOKS: Final = ("project", "tasks", "annotators")
"""What `identify` shows of answers that are not one class."""


@dataclass(frozen=True)
class Work:
    """Answers of a kind that are to be looked at.

    Attributes
    ----------
    kind
        ordered, set, number, or another that a control of Label Studio has.
    source, reading
        Where they are, and what was read.
    console, err
        Where results and where progress are shown.
    """

    kind: str
    source: Source
    reading: Reading
    console: Console
    err: Console

    def aggregate(
        self,
        options: dict[str, Any],
        out: Path | None,
        annotators_out: Path | None,
        probabilities: Path | None,
        hard: bool,
    ) -> None:
        """Write the consensus, or show the first of it."""
        check_out(out, TABLES)
        with_truth = self.source.truth is not None or self.reading.truth is not None
        if self.kind == "ordered":
            tasks, annotators = self._ordered(probabilities, with_truth=with_truth)
            tasks = tasks[["consensus"]] if hard else tasks
        else:
            answers = self._answers(with_truth=with_truth)
            with self._working():
                found = answers.found(self.source.how, options)
            place: Place = "screen" if out is None else "json" if out.suffix.lower() == ".json" else "table"
            tasks, annotators = answers.tasks(found, hard=hard, place=place), answers.annotators(found)
        if out is not None:
            typer.echo(f"Wrote {write_frame(tasks, out)}")
        else:
            there = int(tasks["consensus"].notna().sum())
            show_frame(self.console, tasks, f"{self.kind}: {there:,} of {len(tasks):,} tasks have a consensus")
            self.console.print("[dim]Write all of them with --out consensus.csv[/]", highlight=False)
        if annotators_out is not None:
            typer.echo(f"Wrote {write_frame(annotators, annotators_out)}")

    def _ordered(self, probabilities: Path | None, *, with_truth: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
        from crowdcore.crowd.evidence import as_known
        from crowdcore.kinds import ordered
        from label_studio_crowd.store.people import are_models

        self._check_order()
        evidence = read_evidence(self.source, self.reading, probabilities=probabilities, with_truth=with_truth)
        crowd = evidence.crowd
        pred_probs = None if evidence.pred_probs is None else evidence.pred_probs.to_numpy()
        people = ~are_models(crowd.annotators)
        with self._working():
            found = ordered(crowd, pred_probs, known_labels=as_known(crowd, evidence.known_labels), people=people)
        frame = found.to_frame()
        frame["within_one"] = found.within_one
        return frame, found.annotators_frame()

    def _working(self) -> AbstractContextManager[None]:
        return working(self.err, f"consensus of the kind {self.kind}")

    def _check_order(self) -> None:
        crowd = self.reading.crowd
        if not crowd.ordered:
            some = ",".join(map(str, crowd.classes.tolist()[:4]))
            raise UserError(
                f"--kind ordered needs the order of the classes, which are texts: give --classes, the lowest first, "
                f"such as --classes {some}."
            )

    def _answers(self, *, with_truth: bool) -> KindAnswers:
        from label_studio_crowd.files.answer_kinds import KindAnswers

        if not len(self.reading.crowd.label):
            raise UserError(f"{self.source.path} has no answers: no row has a label.")
        return KindAnswers.of(self.kind, self.source, self.reading, with_truth=with_truth)

    def identify(self, method: str | None, out: Path | None, truth: Path | None) -> None:
        """Show how far annotators agree, the tasks that are least sure, and the annotators."""
        if method not in (None, *LOOKS):
            raise UserError(
                f"--method is {method!r}, which is for answers that are one class; for the kind {self.kind}, allowed "
                f"are {', '.join(LOOKS)}. Or say --kind choice."
            )
        if out is not None and method is None:
            raise UserError(f"--out writes one table: choose it with --method, one of {', '.join(LOOKS)}.")
        tables = self._looks(with_truth=truth is not None)
        if method is not None and out is not None:
            typer.echo(f"Wrote {write_frame(tables[method], out)}")
            return
        titles = {
            "project": "The crowd",
            "tasks": "Tasks; those whose consensus is least sure come first",
            "annotators": "Annotators; the worst come first",
        }
        for name in LOOKS if method is None else (method,):
            show_frame(self.console, tables[name], titles[name], rows=20 if method else 10)

    def _looks(self, *, with_truth: bool) -> dict[str, pd.DataFrame]:
        import pandas as pd

        if self.kind == "ordered":
            from crowdcore.identify import krippendorff_alpha

            self._check_order()
            tasks, annotators = self._ordered(None, with_truth=with_truth)
            crowd = self.reading.crowd
            told = krippendorff_alpha(crowd, "ordinal", n_resamples=500)
            coefficient = told.value, told.low, told.high
        else:
            answers = self._answers(with_truth=with_truth)
            with self._working():
                found = answers.found(self.source.how)
            tasks, annotators, coefficient = answers.tasks(found), answers.annotators(found), answers.alpha()
        crowd = self.reading.crowd
        sizes = len(crowd.tasks), len(crowd.annotators), len(crowd.label)
        project = pd.DataFrame(
            {"value": [*sizes, *coefficient, tasks["quality"].mean()]},
            index=pd.Index(
                ["tasks", "annotators", "answers", "krippendorff_alpha", "alpha_low", "alpha_high", "mean_quality"],
                name="measure",
            ),
        )  # fmt: skip
        return {"project": project, "tasks": tasks.sort_values("quality", kind="stable"), "annotators": annotators}

    def compare(self, methods: Sequence[str], out: Path | None, *, as_json: bool) -> None:
        """Show how near each way to a consensus is to the truth."""
        from crowdcore.kinds import NumberResult
        from label_studio_crowd.files import kind_comparison as comparison

        if self.kind == "ordered":
            self._check_order()
            truth = read_true_labels(self.source, self.reading)
            crowd = read_evidence(self.source, self.reading, with_truth=True).crowd
            frame = comparison.compare_ordered(crowd, truth)
        else:
            answers = self._answers(with_truth=True)
            with self._working():
                found = replace(answers, known={}).found(self.source.how)
            if isinstance(found, NumberResult):
                frame = comparison.compare_numbers(answers.table, found.consensus, answers.known, found.tolerance)
            elif self.kind == "set":
                frame = comparison.compare_sets(answers.table, found.consensus.tolist(), answers.known)
            else:
                ours = answers.consensus(found)
                frame = comparison.compare_by_distance(
                    answers.table, ours, answers.known, answers.distance, answers.way
                )
        wrong = [name for name in methods if name not in frame.index]
        if wrong:
            raise UserError(
                f"--methods has {wrong[0]!r}; for the kind {self.kind}, there are {', '.join(frame.index)}."
            )
        frame = frame.loc[[name for name in frame.index if not methods or name in methods]]
        if as_json:
            typer.echo(json.dumps(frame.reset_index().to_dict("records"), ensure_ascii=False))
        else:
            show_frame(self.console, frame, f"Ways to a consensus of the kind {self.kind}, the best first", rows=20)
        if out is not None:
            path = write_frame(frame, out)
            if not as_json:
                typer.echo(f"Wrote {path}")


def other_kind(source: Source, reading: Reading, console: Console, err: Console, given: dict[str, Any]) -> Work | None:
    """Say what was read, and return the work where the answers are not one class; options by flag are for classes."""
    from label_studio_crowd.files.which_kind import as_asked, kind_of, refuse_others

    kind, note = kind_of(source.how, reading)
    about = reading.about
    if kind not in ("choice", "ordered"):
        labels = f"{len(reading.crowd.classes):,}"
        about = re.sub(rf"\b{labels} class(es)?\b", f"{labels} different answers", about, count=1)
    err.print(about, highlight=False, markup=False, soft_wrap=True)
    kind, said = as_asked(kind, source.how, given)
    note = said or note
    if kind == "choice" and source.how.tolerance is not None:
        raise UserError("--tolerance is for numbers, and the answers are classes: leave it out, or say --kind number.")
    if note:
        err.print(note, highlight=False, markup=False, soft_wrap=True)
    if kind == "choice":
        return None
    refuse_others(
        kind, {flag: value for flag, value in given.items() if (flag, kind) != ("--probabilities", "ordered")}
    )
    return Work(kind, source, reading, console, err)
