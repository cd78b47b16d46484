"""What breaks, and what is lost when it does: faults of every kind while annotators label in a real Label Studio.

Usage: ``python -m benchmarks.service.faults [--only NAME ...] [--shared] [--kills 50] [--away 20] [--seed 0] [--json
FILE]``. Label Studio runs on SQLite, the service as `label-studio-crowd serve` in processes of its own (with `--shared`
on PostgreSQL and Redis, with two workers), annotators as concurrent scripts that label, skip, correct and delete, while
the owner imports, edits and deletes tasks. After each fault, once the service has calmed down, the mirror is compared
with a new one, and Label Studio with what should be there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from benchmarks.service.faults.house import House
from benchmarks.service.faults.kinds import FAULTS, console
from benchmarks.service.faults.outcome import Options, Outcome, SkippedError
from harness import postgresql_server, redis_server
from harness.local_studio import LocalStudio
from harness.service_process import free_port


def main() -> int:
    """Run the faults, print what they did, and return 1 if anything was lost."""
    given = _given()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended
    outcomes: list[Outcome] = []
    with ExitStack() as stack:
        directory = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.mkdir(parents=True, exist_ok=True)
        house = House(LocalStudio(directory / "label-studio", port=free_port()).__enter__())
        stack.callback(lambda: house.studio.stop())
        if given.shared:
            house.store = f"{stack.enter_context(postgresql_server.running())}/postgres"
            house.queue = stack.enter_context(redis_server.RedisServer(directory)).url
        for name in given.only:
            outcomes.append(_told(house, name, directory / name, Options(given.kills, given.away, seed=given.seed)))
            if given.json:
                given.json.write_text(json.dumps([asdict(row) for row in outcomes], indent=1) + "\n")
            if not given.keep:
                shutil.rmtree(directory / name, ignore_errors=True)
    _show(outcomes)
    return int(not all(outcome.well for outcome in outcomes))


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.service.faults", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--only", nargs="+", choices=FAULTS, default=list(FAULTS), metavar="NAME")
    parser.add_argument("--shared", action="store_true", help="on PostgreSQL and Redis, with two workers")
    parser.add_argument("--kills", type=int, default=50, help="of the server, and of workers")
    parser.add_argument("--away", type=float, default=20.0, help="seconds that Label Studio is stopped")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where the outcomes are written")
    parser.add_argument("--keep", type=Path, help="a new folder, which keeps stores and logs")
    return parser.parse_args()


def _told(house: House, name: str, folder: Path, options: Options) -> Outcome:
    """Try a fault, and say what comes of it."""
    console.print(f"[bold]{name}[/]: {' '.join((FAULTS[name].__doc__ or '').split())}")
    outcome = _tried(house, name, folder, options)
    verdict = "skipped: " + outcome.skipped if outcome.skipped else _verdict(outcome)
    console.print(f"  [bold]{verdict}[/]", highlight=False)
    return outcome


def _tried(house: House, name: str, folder: Path, options: Options) -> Outcome:
    try:
        return FAULTS[name](house, folder, options)
    except SkippedError as error:
        return Outcome(name, "", skipped=str(error))
    except Exception as error:  # the other faults are tried all the same
        console.print_exception()
        return Outcome(name, "", problems=[f"{type(error).__name__}: {error}"])


def _verdict(outcome: Outcome) -> str:
    if outcome.well:
        return "nothing lost, all in order"
    return "; ".join([f"{outcome.lost} lost"] * bool(outcome.lost) + outcome.touched + outcome.problems) or "duplicates"


def _show(outcomes: Sequence[Outcome]) -> None:
    table = Table(title="Faults")
    for column in ("fault", "what was done"):
        table.add_column(column)
    table.add_column("answered")
    for column in ("given meanwhile", "lost", "duplicate predictions", "others' data touched", "fresh after (s)"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for row in outcomes:
        if row.skipped:
            table.add_row(row.fault, "skipped", *[""] * 6, row.skipped)
            continue
        numbers = (row.given, row.lost, row.duplicates, ", ".join(row.touched) or "no", f"{row.fresh_after:.1f}")
        table.add_row(row.fault, row.done, row.answered, *map(str, numbers), _verdict(row))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
