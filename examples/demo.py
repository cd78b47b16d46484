"""The whole thing, end to end: a real Label Studio, a crowd in it, and the plugin at work.

::

    python -m examples.demo                      # handwritten digits; Ctrl-C ends it
    python -m examples.demo --example text       # or tabular, moderation, ner, boxes
    python -m examples.demo --crowd answers.csv  # a crowd of your own
    python -m examples.demo --ci                 # end by itself

`make demo` is the same. It ends with a report and, as long as Label Studio keeps running, the address of the project's
pages. Everything it makes is under ``.cache/demo`` and made anew by the next run. It ends
with exit code 0 only if three scripted annotators were served the queue in order (or if a crowd of your own
leaves nothing to label).
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.markup import escape

from examples.boxes import boxes_crowd
from examples.command_line import CommandError, Export, Plugin
from examples.digits import digits_crowd
from examples.findings import Findings, findings_of
from examples.kinds_crowd import KindsCrowd
from examples.labelling import Pick, Verdict, label_in_turns, verdict
from examples.loading import load_crowd
from examples.moderation import moderation_crowd
from examples.ner import ner_crowd
from examples.own_crowd import CrowdFileError, read_crowd
from examples.report import picks_table
from examples.simulated_crowd import ExampleCrowd
from examples.tabular import tabular_crowd
from examples.text import text_crowd
from harness.accounts import Annotator
from harness.checkout import CACHE
from harness.local_studio import LocalStudio
from harness.project import Project, sign_up
from harness.studio_install import StudioError, only_one
from harness.working import console

EXAMPLES: dict[str, Callable[[], ExampleCrowd | KindsCrowd]] = {
    "digits": digits_crowd,
    "text": text_crowd,
    "tabular": tabular_crowd,
    "moderation": moderation_crowd,
    "ner": ner_crowd,
    "boxes": boxes_crowd,
}
SCRIPTED = ("newcomer-1", "newcomer-2", "newcomer-3")
PICKS_EACH = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options(arguments)
    code = 130
    try:
        crowd: ExampleCrowd | KindsCrowd = read_crowd(options.crowd) if options.crowd else EXAMPLES[options.example]()
        directory = CACHE / "demo"
        with only_one("demo", wait=False):
            shutil.rmtree(directory, ignore_errors=True)
            with LocalStudio(directory / "label-studio") as studio:
                shown = demonstrate(studio, crowd, directory)
                nothing_to_label = shown.followed is None and options.crowd is not None
                code = 0 if shown.followed or nothing_to_label else 1
                if not options.ci:
                    _keep_running(studio, shown.plugin)
    except (StudioError, CrowdFileError, CommandError) as error:
        console.print(f"\n[red]error[/red] {escape(str(error))}", soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        console.print("\nended")
    return code


@dataclass(frozen=True)
class Shown:
    """What was shown.

    Attributes
    ----------
    plugin
        At work on the project.
    followed
        Whether the queue was followed; None when it was too short to be labelled along.
    report
        The file with the report.
    """

    plugin: Plugin
    followed: bool | None
    report: Path


def demonstrate(studio: LocalStudio, crowd: ExampleCrowd | KindsCrowd, directory: Path) -> Shown:
    """Load a crowd, run the plugin on it, label along its queue, and write a report.

    Parameters
    ----------
    studio
        A running Label Studio.
    crowd
        What to load.
    directory
        For the plugin's mirror, its exports and the report.
    """
    console.print(
        f"[bold]{crowd.title}[/bold]: {len(crowd.tasks)} tasks, {len(crowd.answers)} labels by "
        f"{len(crowd.annotators)} annotators on {len({answer.task for answer in crowd.answers})} of them"
    )
    for note in crowd.notes:
        console.print(f"  {note}")
    people = sign_up(studio, [*crowd.annotators, *SCRIPTED])
    project = load_crowd(studio, crowd, people)
    findings = findings_of(crowd, project, {person.id: name for name, person in people.items()})

    plugin = Plugin(studio.url, studio.admin_pat(), project.id, directory)
    plugin.run("doctor")
    plugin.run("connect", *([] if crowd.classifier == "auto" else ["--classifier", crowd.classifier]))
    plugin.run("sync")
    plugin.run("status")
    before = plugin.export("labels")
    console.print(findings.found(before, f"{studio.url}/projects/{project.id}/data?task={{}}"))

    picks = _label(crowd, findings, project, before, {name: people[name] for name in SCRIPTED})
    followed = _compare(plugin, crowd, findings, before, picks) if picks else None
    if not picks:
        console.print(
            f"The queue holds {len(before.queue)} of {len(before.tasks)} tasks, fewer than three annotators need: "
            "every other task is settled. Nothing was labelled."
        )
    report = plugin.report("report")
    _where_to_look(studio, project, people, report)
    return Shown(plugin, followed, report)


def _compare(
    plugin: Plugin, crowd: ExampleCrowd | KindsCrowd, findings: Findings, before: Export, picks: list[Pick]
) -> bool:
    """Show what the scripted annotators did and gained; return whether they followed the queue."""
    seen = verdict(picks)
    followed = seen.in_order and seen.distinct
    console.print(picks_table(picks, crowd.show))
    console.print(_in_words(len(picks), seen), style="green" if followed else "red")
    plugin.run("sync")
    console.print(findings.gained(before, plugin.export("labels-after"), picks))
    return followed


def _label(
    crowd: ExampleCrowd | KindsCrowd,
    findings: Findings,
    project: Project,
    export: Export,
    people: dict[str, Annotator],
) -> list[Pick]:
    """Let the scripted annotators label."""
    rng = np.random.default_rng(1)
    queue = [row.task for row in export.queue]
    picks_each = min(PICKS_EACH, len(queue) // len(people))
    if not picks_each:
        return []
    console.print(f"\nThree new annotators open and submit {picks_each} tasks each, in turns. {findings.scripted()}")
    return label_in_turns(
        crowd, project.id, queue, people, lambda name, task: findings.answer(rng, task, export), picks_each
    )


def _in_words(picks: int, seen: Verdict) -> str:
    order = "the queue was followed in order" if seen.in_order else "the queue was NOT followed in order"
    double = "no task went to two annotators" if seen.distinct else "SOME TASK WENT TO TWO ANNOTATORS"
    return f"{picks} picks: {order}; {double}."


def _where_to_look(studio: LocalStudio, project: Project, people: dict[str, Annotator], report: Path) -> None:
    console.print()
    person = people[SCRIPTED[0]]
    for what, where in (
        ("project", f"{studio.url}/projects/{project.id}/data"),
        ("settings", f"{studio.url}/projects/{project.id}/settings"),
        ("log in as", f"{studio.admin_email} / {studio.admin_password}"),
        ("annotator", f"{person.email} / {person.password}   (then: Label All Tasks)"),
        ("exports", f"{report.parent}/labels*.csv"),
        ("report", f"{report}   (open it in a browser)"),
    ):
        _say(what, where)


def _keep_running(studio: LocalStudio, plugin: Plugin) -> None:
    """Serve the project's pages beside Label Studio, until Ctrl-C."""
    with plugin.serving() as pages:
        _say("pages", f"{pages}/projects/{plugin.project}   (they follow the labels within a minute)")
        console.print("\nTo run commands of the plugin in another terminal:")
        for name, value in plugin.settings.items():
            console.print(f"export {name}={value}", soft_wrap=True)
        console.print("\nLabel Studio and these pages keep running; Ctrl-C ends them.")
        studio.wait()


def _say(what: str, where: str) -> None:
    console.print(f"{what:>10}  {where}", soft_wrap=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description="Run the demo.")
    parser.add_argument("--example", choices=EXAMPLES, default="digits", help="which built-in crowd")
    parser.add_argument("--crowd", type=Path, metavar="FILE", help="a CSV file with a crowd of your own")
    parser.add_argument("--ci", action="store_true", help="end by itself")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
