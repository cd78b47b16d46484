"""The commands that need no Label Studio: they read answers from a file, compute, and write or show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from label_studio_crowd.commands.gathering import Command
from label_studio_crowd.commands.help import ON_FILES, examples
from label_studio_crowd.commands.margin_options import with_margins, with_network
from label_studio_crowd.commands.opening import consoles
from label_studio_crowd.commands.parts import DaskOption, Parts, PartsOption, ScratchOption, whole
from label_studio_crowd.commands.reading import with_reading
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.learning.plan import MarginOptions, Plan

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from crowdcore.aggregate.methods import Aggregation
    from crowdcore.identify import Identification
    from crowdcore.simulation import Simulation
    from label_studio_crowd.files.sources import HowToRead

_ANSWERS: Final[Any] = typer.Argument(
    metavar="ANSWERS",
    help="A table (CSV, Parquet, JSON) with a row for each answer (task, annotator, label) or each region (task, "
    "annotator, label, and start, end or x, y, width, height), or with a column for each annotator. Or an export of "
    "Label Studio, Argilla, Prodigy, doccano, CVAT, MTurk or Toloka, as a file or a folder; peerannot's folder or "
    "answers.json; a matrix (.txt).",
    show_default=False,
)


AnswersArgument = Annotated[Path, _ANSWERS]
ProbabilitiesOption = Annotated[
    Path | None,
    typer.Option(
        "--probabilities",
        help="A model's class probabilities, out of sample: .csv or .parquet (task, a column for each class), or .npy.",
    ),
]
FeaturesOption = Annotated[
    Path | None,
    typer.Option(
        "--features",
        help="Features of the tasks, for methods that learn a classifier: .npy in the order of the tasks, or a table.",
    ),
]
TruthOption = Annotated[
    Path | None, typer.Option("--truth", help="True labels: .csv or .parquet (task, truth), or .npy or .txt in order.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of the random numbers.")]
OptionOption = Annotated[
    list[str] | None, typer.Option("--option", help="An option of the method, as name=value; may be repeated.")
]


@with_reading
def aggregate(
    answers: Annotated[Path | None, _ANSWERS] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            "-m",
            help="Any method that `compare` lists [hierarchical-dawid-skene; with --parts dawid-skene, or crowdlab if "
            "there are probabilities].",
        ),
    ] = None,
    option: OptionOption = None,
    probabilities: ProbabilitiesOption = None,
    features: FeaturesOption = None,
    known: Annotated[
        Path | None, typer.Option("--known", help="Labels known to be true, for methods that use them.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help=".csv, .tsv, .parquet, .json, .npy (probabilities), or peerannot's folder."),
    ] = None,
    annotators_out: Annotated[
        Path | None, typer.Option("--annotators-out", help="Where to write the annotators' table.")
    ] = None,
    hard: Annotated[bool, typer.Option("--hard", help="Write labels without probabilities.")] = False,
    *,
    how: HowToRead,
    parts: PartsOption = None,
    dask: DaskOption = None,
    scratch: ScratchOption = None,
) -> None:
    """Combine the answers to each task into one label."""
    console, err = consoles()
    if parts is not None:
        elsewhere = {"ANSWERS": answers, "--features": features, "--known": known, "--hard": hard}
        work = Parts(parts, how, dask=dask, scratch=scratch, probabilities=probabilities)
        of_export = {"--control": how.control, "--model-annotators": how.model_annotators}
        work.refuse({**elsewhere, "--format": how.format, **of_export})
        work.aggregate(method, option or (), out, annotators_out, console, err)
        return
    answers = whole(answers, dask=dask, scratch=scratch)
    from crowdcore.aggregate.methods import find_method, run_method
    from crowdcore.formats import label_file
    from label_studio_crowd.commands.crowd_display import working
    from label_studio_crowd.commands.crowd_kinds import other_kind
    from label_studio_crowd.files.comparison import missing_evidence
    from label_studio_crowd.files.evidence import read_evidence
    from label_studio_crowd.files.method_options import of_people, parse_method, parse_options
    from label_studio_crowd.files.sources import Source
    from label_studio_crowd.files.user_errors import user_errors
    from label_studio_crowd.files.writing import TABLES, check_out, write_frame

    strategy = method or "hierarchical-dawid-skene"
    name, options = parse_method(strategy)
    options |= parse_options(option or ())
    with user_errors():
        chosen = find_method(name)
        if out is not None and out.is_dir():
            out = label_file(out, strategy, hard=hard)
            out.parent.mkdir(exist_ok=True)
        read = (answers, probabilities, features, known)
        check_out(out, (*TABLES, ".npy"), read=read)
        check_out(annotators_out, TABLES, "--annotators-out", read=read)
        if out is not None and annotators_out is not None and out.resolve() == annotators_out.resolve():
            raise UserError(f"--out and --annotators-out are both {out}: choose two names.")
        source = Source(answers, how, known)
        reading = source.read()
        others = {"--method": method, "--features": features, "--probabilities": probabilities}
        kinded = other_kind(source, reading, console, err, others)
        if kinded is not None:
            kinded.aggregate(options, out, annotators_out, probabilities, hard=hard)
            return
        evidence = read_evidence(source, reading, probabilities=probabilities, features=features)
        for note in evidence.notes:
            err.print(note, highlight=False, markup=False, soft_wrap=True)
        if reason := missing_evidence(chosen, evidence):
            raise UserError(f"Method {chosen.name} {reason}.")
        with working(err, chosen.name):
            found = run_method(
                chosen,
                evidence.crowd,
                pred_probs=evidence.pred_probs,
                features=evidence.features,
                known_labels=evidence.known_labels,
                options={**of_people(chosen, evidence.crowd), **options},
            )
        _write_labels(console, found, out, hard=hard)
        if annotators_out is not None:
            typer.echo(f"Wrote {write_frame(found.annotators_frame(), annotators_out)}")


def _write_labels(console: Console, found: Aggregation, out: Path | None, *, hard: bool) -> None:
    """Write what a method found, or show the first of it."""
    import numpy as np

    from label_studio_crowd.commands.crowd_display import show_frame
    from label_studio_crowd.files.writing import write_frame

    frame = found.to_frame()
    if out is None:
        unlabelled = int(frame["label"].isna().sum())
        title = f"{found.method.name}: {len(frame) - unlabelled:,} of {len(frame):,} tasks have a label"
        show_frame(console, frame[["label"]] if hard else frame, title)
        console.print("[dim]Write all of them with --out labels.csv[/]", highlight=False)
    elif out.suffix.lower() == ".npy":
        array = found.aggregator.codes_ if hard else found.probas
        np.save(out, array)
        what = "class codes" if hard else "probabilities"
        typer.echo(f"Wrote {out}: {what}, shape {array.shape}, tasks in the order of their ids")
    else:
        typer.echo(f"Wrote {write_frame(frame[['label']] if hard else frame, out)}")


@with_network
@with_margins
@with_reading
def identify(
    answers: AnswersArgument,
    method: Annotated[
        str | None,
        typer.Option("--method", "-m", "-s", help="What to look at, such as entropy, accuracy or waum [an overview]."),
    ] = None,
    probabilities: ProbabilitiesOption = None,
    features: FeaturesOption = None,
    truth: TruthOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="File ending in .csv, .tsv, .parquet or .json.")] = None,
    seed: SeedOption = 0,
    *,
    how: HowToRead,
    margins: MarginOptions,
    network: Plan,
) -> None:
    """Show hard tasks, good annotators and their agreement.

    The methods aum, waum and waum-perworker need --features, or peerannot's folder with pictures.
    """
    from crowdcore.identify import METHODS, find_method
    from label_studio_crowd.commands.crowd_display import show_frame, working
    from label_studio_crowd.commands.crowd_kinds import other_kind
    from label_studio_crowd.commands.margins import ByMargin, is_margin, refuse_margin_options
    from label_studio_crowd.files.evidence import read_evidence
    from label_studio_crowd.files.sources import Source
    from label_studio_crowd.files.user_errors import user_errors
    from label_studio_crowd.files.writing import TABLES, check_out, write_frame

    check_out(out, TABLES, read=(answers, probabilities, truth, features))
    console, err = consoles()
    with user_errors():
        if method is not None and is_margin(method):
            ByMargin(answers, how, margins, network, features, truth, seed).show(find_method(method), out, console, err)
            return
        refuse_margin_options(margins, network, features, method)
        source = Source(answers, how, truth)
        reading = source.read()
        kinded = other_kind(source, reading, console, err, {"--probabilities": probabilities})
        if kinded is not None:
            kinded.identify(method, out, truth)
            return
        chosen = None if method is None else find_method(method)
        evidence = read_evidence(source, reading, probabilities=probabilities)
        for note in evidence.notes:
            err.print(note, highlight=False, markup=False, soft_wrap=True)

        def run(entry: Identification) -> pd.DataFrame:
            with working(err, entry.name):
                return entry.run(
                    evidence.crowd, pred_probs=evidence.pred_probs, known_labels=evidence.known_labels, seed=seed
                )

        if out is not None and method is None:
            raise UserError(f"--out writes one method's table: choose it with --method, one of {', '.join(METHODS)}.")
        if chosen is not None and chosen.needs_truth and evidence.known_labels is None:
            raise UserError(f"--method {chosen.name} needs the true labels of some tasks: give --truth FILE.")
        if chosen is None:
            shown = _overview({name: run(entry) for name, entry in METHODS.items() if _in_overview(entry)})
        else:
            frame = run(chosen)
            if out is not None:
                typer.echo(f"Wrote {write_frame(frame, out)}")
                return
            shown = {f"{chosen.name}: {chosen.about}": frame}
        for title, frame in shown.items():
            show_frame(console, frame, title, rows=20)
        if chosen is None:
            others = ", ".join(name for name, entry in METHODS.items() if not _in_overview(entry))
            console.print(f"[dim]More with --method: {others}[/]", highlight=False, soft_wrap=True)


def _in_overview(entry: Identification) -> bool:
    return entry.subject == "project" or entry.name in ("entropy", "feedback-effort", "workload", "accuracy")


def _overview(found: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return all numbers of the project, the tasks whose votes differ most, and the least accurate annotators."""
    import pandas as pd

    project = pd.concat([frame for frame in found.values() if frame.index.name == "measure"])
    tasks = found["feedback-effort"].join(found["entropy"]).sort_values("entropy", ascending=False, kind="stable")
    annotators = found["accuracy"].join(found["workload"][["share"]].rename(columns={"share": "share_of_answers"}))
    return {
        "The crowd": project,
        "Tasks; those whose votes differ most come first": tasks.head(10),
        "Annotators; the least accurate come first (where the truth is not known, it is Dawid-Skene's)": (
            annotators.sort_values("accuracy", kind="stable").head(10)
        ),
    }


def simulate(
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="A folder in peerannot's format, or a .csv, .tsv or .parquet file with the truth beside it."
        ),
    ],
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", help="How annotators answer; an unknown name lists all.")
    ] = "independent-confusion",
    tasks: Annotated[int, typer.Option("--tasks", help="Number of tasks.")] = 100,
    annotators: Annotated[int, typer.Option("--annotators", help="Number of annotators.")] = 20,
    classes: Annotated[int, typer.Option("--classes", "-K", help="Number of classes.")] = 2,
    answers_per_task: Annotated[int | None, typer.Option("--answers-per-task", help="Answers per task.")] = None,
    workload: Annotated[int | None, typer.Option("--workload", help="Tasks per annotator.")] = None,
    ratio: Annotated[
        float | None, typer.Option("--ratio", "-r", help="Share of spammers, of students, or of good annotators.")
    ] = None,
    option: OptionOption = None,
    confusions: Annotated[
        Path | None, typer.Option("--confusions", help=".npy (annotators, classes, classes): true class, label.")
    ] = None,
    seed: SeedOption = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """Simulate a crowd whose truth is known."""
    import numpy as np

    from crowdcore.simulation import find_strategy
    from label_studio_crowd.files.method_options import parse_options
    from label_studio_crowd.files.user_errors import user_errors
    from label_studio_crowd.files.writing import check_out

    truth_out = out.with_name(f"{out.stem}-truth{out.suffix}")
    if out.suffix:
        check_out(out, (".csv", ".tsv", ".parquet"))
    elif not out.parent.is_dir():
        raise UserError(f"--out is in {out.parent}, which is not a folder: create it, or choose another one.")
    elif out.is_file():
        raise UserError(f"--out is {out}, which is a file: give a folder, or a file name with an ending.")
    there = [path for path in ((out, truth_out) if out.suffix else out.glob("*")) if path.exists()]
    if there and not force:
        raise UserError(f"{there[0]} already exists: choose another --out, or overwrite it with --force.")
    given: dict[str, Any] = {
        "n_tasks": tasks,
        "n_annotators": annotators,
        "n_classes": classes,
        "answers_per_task": answers_per_task,
        "workload": workload,
        "ratio": ratio,
        "seed": seed,
    }
    with user_errors():
        chosen = find_strategy(strategy)
        if confusions is not None:
            given["confusions"] = np.load(confusions, allow_pickle=False)
        options = {name: value for name, value in given.items() if value is not None} | parse_options(option or ())
        made = chosen(**options)
        for path in _write_simulation(made, out, truth_out, chosen.name):
            typer.echo(f"Wrote {path}")
    typer.echo(f"{made!r}")


def _write_simulation(made: Simulation, out: Path, truth_out: Path, name: str) -> list[Path]:
    import pandas as pd

    from crowdcore.formats import write_crowd, write_simulation
    from label_studio_crowd.files.writing import write_frame

    if not out.suffix:
        return sorted(write_simulation(made, out, name=name).iterdir())
    crowd = made.crowd
    truth = pd.DataFrame({"truth": crowd.classes[made.truth]}, index=pd.Index(crowd.tasks, name="task"))
    return [write_crowd(crowd, out), write_frame(truth, truth_out)]


@with_reading
def compare(
    answers: AnswersArgument,
    truth: TruthOption = None,
    probabilities: ProbabilitiesOption = None,
    features: FeaturesOption = None,
    methods: Annotated[str | None, typer.Option("--methods", help="Names, separated by commas [all].")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File ending in .csv, .tsv, .parquet, .json or .md.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
    *,
    how: HowToRead,
) -> None:
    """Run all methods on answers whose truth is known. It shows how often each is right."""
    from dataclasses import asdict

    import pandas as pd

    from crowdcore.formats.truth_within import nearly_classes
    from label_studio_crowd.commands.crowd_display import progress_bar, show_comparison
    from label_studio_crowd.commands.crowd_kinds import other_kind
    from label_studio_crowd.files import comparison
    from label_studio_crowd.files.evidence import read_evidence
    from label_studio_crowd.files.sources import Source
    from label_studio_crowd.files.true_labels import read_true_labels
    from label_studio_crowd.files.user_errors import user_errors
    from label_studio_crowd.files.writing import TABLES, check_out, write_frame

    check_out(out, (*TABLES, ".md"), read=(answers, truth, probabilities, features))
    console, err = consoles(as_json)
    with user_errors():
        names = [name.strip() for name in (methods or "").split(",") if name.strip()]
        source = Source(answers, how, truth)
        reading = source.read()
        others = {"--probabilities": probabilities, "--features": features}
        kinded = other_kind(source, reading, console, err, others)
        if kinded is not None:
            kinded.compare(names, out, as_json=as_json)
            return
        chosen = comparison.chosen_methods(names)
        labels = read_true_labels(source, reading)
        given = read_evidence(source, reading, probabilities=probabilities, features=features, with_truth=False)
        judged = int((labels.index.isin(given.crowd.tasks[given.crowd.num_answers > 0])).sum())
        for note in nearly_classes(labels.to_numpy(), reading.crowd):
            err.print(note, highlight=False, markup=False, soft_wrap=True)
        if not judged:
            raise UserError("No task has both an answer and a known truth: check that both files have the same ids.")
        err.print(f"{judged:,} task{' has' if judged == 1 else 's have'} answers and a known truth.", highlight=False)
        with progress_bar(err) as progress:
            rows = comparison.compare(given, labels, chosen, progress)
        if as_json:
            typer.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
        else:
            show_comparison(console, rows)
        if out is not None:
            path = write_frame(pd.DataFrame([asdict(row) for row in rows]), out)
            if not as_json:
                typer.echo(f"Wrote {path}")


_EXAMPLES: Final[dict[Command, tuple[str, ...]]] = {
    aggregate: (
        "aggregate answers.csv",
        "aggregate answers.csv --out labels.csv --annotators-out annotators.csv",
        "aggregate export.json --control sentiment -m dawid-skene",
    ),
    identify: (
        "identify answers.csv",
        "identify answers.csv -m entropy --out hard.csv",
        "identify answers.csv -m waum --features features.npy --out hard.csv",
    ),
    simulate: ("simulate --out made --tasks 500 --annotators 30 -K 4",),
    compare: ("compare answers.csv --truth truth.csv", "compare answers.csv --truth truth.csv --json"),
}


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    for command, lines in _EXAMPLES.items():
        app.command(rich_help_panel=ON_FILES, epilog=examples(*lines))(command)
