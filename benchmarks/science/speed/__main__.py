"""Seconds and peak memory of crowdcore and its peers, on the same generated crowds, in turns.

    python -m benchmarks.science.speed install      # the peers, into .venv-peers, once
    python -m benchmarks.science.speed              # everything, about a quarter of an hour
    python -m benchmarks.science.speed --only crowdlab activelab --sizes 10000 50000
    python -m benchmarks.science.speed --out docs/results/speed.md      # the table, and speed.svg beside it

Without the peers only crowdcore is measured. A method that a peer is expected to need more than --most seconds for, or
a matrix that does not fit into half of the memory, is not run there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.science.speed import report
from benchmarks.science.speed.crowds import save
from benchmarks.science.speed.works import WORKS, Found, Rival, Work
from harness import peers
from harness.checkout import CHECKOUT

LONG = 10.0  # seconds; what takes longer is not measured again in the second round

console = Console(highlight=False, width=None if sys.stdout.isatty() else 240)
progress = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Bench:
    """Where and how to measure."""

    folder: Path
    peer: str | None
    rounds: int
    most: float

    def rows(self, work: Work, tasks: int) -> list[report.Row]:
        """Measure one work at one size."""
        annotators = work.annotators(tasks)
        path = self.folder / f"{tasks}-{annotators}-{work.classes}.npz"
        if not path.exists():
            progress.print(f"[dim]drawing {tasks:,} tasks, {annotators:,} annotators, {work.classes} classes[/dim]")
            save(path, tasks, annotators, work.classes)
        ours: Found | str | None = None
        theirs: dict[Rival, Found | str | None] = {
            rival: self._refusal(rival, tasks, annotators) for rival in work.rivals if rival.floor or self.peer
        }
        for _ in range(1 if work.name == "compile" else self.rounds):
            ours = self._again(ours, sys.executable, "ours", work.name, path)
            for rival in theirs:
                if rival.floor:
                    theirs[rival] = self._again(theirs[rival], sys.executable, "floors", work.name, path)
                else:
                    name = f"{rival.name} {work.name}"
                    theirs[rival] = self._again(theirs[rival], str(self.peer), "peers", name, path)
        assert ours is not None
        pairs = list(theirs.items()) or [(None, None)]
        return [report.Row(work, tasks, ours, rival, found, first=at == 0) for at, (rival, found) in enumerate(pairs)]

    def _refusal(self, rival: Rival, tasks: int, annotators: int) -> str | None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if rival.matrix(tasks, annotators) > memory / 2:
            return f"cannot: {rival.matrix(tasks, annotators) / 1e9:,.0f} GB matrix"
        if rival.expected(tasks) > self.most:
            return f"not run: about {rival.expected(tasks):,.0f} s"
        return None

    def _again(self, before: Found | str | None, python: str, side: str, work: str, path: Path) -> Found | str:
        """Measure once more, and return the better of this and before; a text says why there is none."""
        if isinstance(before, str) or (before and before["wall"] > LONG):
            return before
        out = self.folder / "found.json"
        environ = dict(os.environ)
        if work == "compile":
            environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(dir=self.folder)
        command = [python, "-m", "benchmarks.science.speed.child", side, work, str(path), str(out)]
        limit = self.most + 60 if side == "peers" else None  # it has to start and to read the crowd, too
        try:
            done = subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return f"stopped after {limit:,.0f} s"
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"signal {-done.returncode}"]
            return f"failed: {said[-1][:80]}".replace("|", "/")  # a cell of a table
        found: Found = json.loads(out.read_text())
        if before:
            found |= {clock: min(found[clock], before[clock]) for clock in ("wall", "cpu")}
        return found


def versions(peer: str | None) -> dict[str, str]:
    """Return the peers' versions, without those that are not there.

    Raises
    ------
    ValueError
        If that is no Python.
    """
    if not peer:
        return {}
    code = (
        "import json; from importlib.metadata import distributions as all; "
        "print(json.dumps({d.name: d.version for d in all() if d.name in ('cleanlab', 'crowd-kit', 'peerannot')}))"
    )
    try:
        done = subprocess.run([peer, "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ValueError(
            f"{peer} is no Python that works ({error}); make one: python -m benchmarks.science.speed install"
        ) from None
    return dict(sorted(json.loads(done.stdout).items()))


def write(rows: list[report.Row], out: Path, peer: str | None, command: str, head: str, load: float) -> None:
    """Write the table and, with the peers' matplotlib, the plot."""
    out.parent.mkdir(parents=True, exist_ok=True)
    plot = out.with_suffix(".svg")
    drawn = False
    if peer:
        curves = [
            {
                "work": row.work.name,
                "about": row.work.about,
                "tasks": row.tasks,
                "rival": row.rival.name if row.rival else None,
                "floor": bool(row.rival and row.rival.floor),
                "ours": row.ours if isinstance(row.ours, dict) else None,
                "theirs": row.theirs if isinstance(row.theirs, dict) else None,
            }
            for row in rows
        ]
        drawing = [peer, "-m", "benchmarks.science.speed.plot", str(plot.resolve())]
        done = subprocess.run(drawing, cwd=CHECKOUT, input=json.dumps(curves), capture_output=True, text=True)
        drawn = done.returncode == 0
        if not drawn:
            progress.print(f"no plot: {done.stderr.strip().splitlines()[-1]}")
    text = report.markdown(rows, command, head, (load, os.getloadavg()[0]), plot if drawn else None)
    out.write_text(text)
    progress.print(f"wrote {out}{f' and {plot.name}' if drawn else ''}")


def main() -> int:
    """Read the options, measure, print; 1 if something of ours failed."""
    names = [work.name for work in WORKS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["install"], help="install the peers instead of measuring")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="TASKS", help="instead of each work's own")
    parser.add_argument("--only", nargs="+", metavar="WORK", help=f"of {', '.join(names)}")
    parser.add_argument("--repeat", type=int, default=2, help="rounds (2)")
    parser.add_argument("--most", type=float, default=100.0, metavar="SECONDS", help="for one call of a peer (100)")
    parser.add_argument("--peer", metavar="PYTHON", help="a Python that has the peers (PEERS_PYTHON, .venv-peers)")
    parser.add_argument("--no-peers", action="store_true", help="measure crowdcore alone")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="write the table there, and a plot beside it")
    options = parser.parse_args()
    if options.what == "install":
        progress.print(f"installing the peers into {peers.VENV.name} (1 GB, once)")
        try:
            console.print(peers.install())
        except subprocess.CalledProcessError:  # pip has said why
            progress.print(f"the peers could not be installed; rm -r {peers.VENV.name} starts over")
            return 1
        return 0
    only = [name for part in options.only or names for name in part.split(",")]
    for name in only:
        if name not in names:
            parser.error(f"there is no work {name!r}; choose of {', '.join(names)}")
    if min(options.sizes or [50]) < 50 or options.repeat < 1:
        parser.error("--sizes must be 50 or more, and --repeat 1 or more")
    peer = None if options.no_peers else options.peer or peers.peers_python()
    peer = peer and os.path.abspath(shutil.which(peer) or peer)
    try:
        head = report.machine(versions(peer))
    except ValueError as error:
        parser.error(str(error))
    if not peer and not options.no_peers:
        progress.print("no peers here, so only crowdcore is measured: python -m benchmarks.science.speed install")
    rows: list[report.Row] = []
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), peer, options.repeat, options.most)
        for work in WORKS:
            if work.name not in only:
                continue
            for tasks in options.sizes if options.sizes and work.any_size else work.sizes:
                rows += (new := bench.rows(work, tasks))
                for row in new:
                    progress.print(" · ".join(cell for cell in row.cells() if cell))
    console.print(report.rich_table(rows))
    if options.out:
        shown = {
            "sizes": options.sizes,
            "only": options.only,
            "repeat": [options.repeat],
            "most": [f"{options.most:g}"],
        }
        words = [f"--{name} {' '.join(map(str, given))}" for name, given in shown.items() if given]
        write(rows, options.out, peer, " ".join(["python -m benchmarks.science.speed", *words]), head, load)
    return int(any(isinstance(row.ours, str) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
