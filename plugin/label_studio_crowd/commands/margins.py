"""`identify` by AUM and WAUM, which need features or pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import typer

from crowdcore.identify import METHODS
from crowdcore.registry import plain_name
from label_studio_crowd.commands.crowd_display import progress_bar, show_frame
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.evidence import read_evidence
from label_studio_crowd.files.learning.hard_tasks import LARGEST, check_network, is_perceptron, judge, write_files
from label_studio_crowd.files.learning.lessons import Lessons, check_kind, with_n_classes
from label_studio_crowd.files.learning.pictures import lessons_of_pictures, smaller
from label_studio_crowd.files.learning.plan import MarginOptions, Plan
from label_studio_crowd.files.sources import Source
from label_studio_crowd.files.writing import write_frame

if TYPE_CHECKING:
    from typing import Any

    from rich.console import Console

    from crowdcore.identify import Identification
    from label_studio_crowd.files.sources import HowToRead

ROWS = 20


def is_margin(method: str) -> bool:
    """Whether a method by this name needs features."""
    names = {plain_name(name) for one in METHODS.values() if one.needs_features for name in (one.name, *one.aliases)}
    return plain_name(method) in names


def refuse_margin_options(options: MarginOptions, network: Plan, features: Path | None, method: str | None) -> None:
    """Raise a `UserError` for options that other methods do not take."""
    given = [*options.given(), *(["--features"] * (features is not None)), *(["--model"] * (network != Plan()))]
    if given:
        needing = ", ".join(name for name, one in METHODS.items() if one.needs_features)
        what = "no method is chosen" if method is None else f"the method is {method}"
        raise UserError(f"{given[0]} is for the methods {needing}, and {what}: choose one of these with --method.")


@dataclass(frozen=True)
class ByMargin:
    """What the user gave.

    Attributes
    ----------
    data
        Answers, or peerannot's folder with pictures.
    how, options, network
        How to read answers, how to find hard tasks, and by which classifier.
    features, truth
        Files, or None.
    seed
        Of the random numbers.
    """

    data: Path
    how: HowToRead
    options: MarginOptions
    network: Plan
    features: Path | None
    truth: Path | None
    seed: int

    def show(self, method: Identification, out: Path | None, console: Console, err: Console) -> None:
        """Find the hard tasks; write or show them."""
        check_network(self.network)
        lessons, known = self._lessons(method)
        self.network.check_size(lessons.X)
        for note in lessons.notes:
            err.print(note, highlight=False, markup=False, soft_wrap=True)
        with progress_bar(err) as progress:
            found = judge(method, lessons, self.options, self.network, known, self.seed, progress)
        frame = (found.aum or found.waum).to_frame()  # type: ignore[union-attr]
        if self.options.alpha is not None or lessons.has_pictures:
            for path in write_files(method, lessons, self.options, self.network.model, found):
                typer.echo(f"Wrote {path}")
        if out is not None:
            typer.echo(f"Wrote {write_frame(frame, out)}")
        elif self.options.alpha is None or lessons.has_pictures:
            ordered = frame.iloc[np.argsort(frame[frame.columns[-1]], kind="stable")]
            show_frame(console, ordered, f"{method.name}: the hardest tasks first", rows=ROWS)

    def _lessons(self, method: Identification) -> tuple[Lessons, Any]:
        """Return what is learned from, and the labels that are known to be true."""
        options = self.options
        if self.features is None:
            if not (self.data / "train").is_dir():
                raise UserError(
                    f"--method {method.name} needs features: give --features FILE, or peerannot's folder with pictures "
                    "in train/CLASS."
                )
            pictures = lessons_of_pictures(
                self.data,
                answers=options.labels,
                metadata=options.metadata_path,
                n_classes=options.n_classes,
                size=options.img_size,
                augment_with=self.seed if self.network.data_augmentation else None,
            )
            as_they_are = options.img_size is not None or not is_perceptron(self.network)
            return pictures if as_they_are else smaller(pictures, LARGEST), None
        source = Source(self.data, self.how, self.truth)
        reading = source.read()
        check_kind(source, reading)
        evidence = read_evidence(source, reading, features=self.features)
        crowd = with_n_classes(evidence.crowd, options.n_classes, "the answers")
        folder = self.data if self.data.is_dir() else self.data.parent
        names = tuple(crowd.tasks.tolist())
        assert evidence.features is not None, "they were read"
        lessons = Lessons(
            folder,
            crowd,
            crowd,
            evidence.features,
            np.arange(len(names)),
            names,
            notes=(reading.about, *evidence.notes),
        )
        return lessons, evidence.known_labels
