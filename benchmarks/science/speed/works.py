"""What is measured, against whom, and what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Found = dict[str, Any]


@dataclass(frozen=True)
class Rival:
    """Whoever does the same work.

    Attributes
    ----------
    name
        The package.
    seconds
        What it takes for 10,000 tasks, roughly: to leave out what takes hours.
    power
        How its time grows with tasks.
    dense
        Whether it makes a matrix of tasks x annotators.
    floor
        Whether it only moves the bytes, and is not a peer.
    """

    name: str
    seconds: float = 0.0
    power: float = 1.0
    dense: bool = False
    floor: bool = False

    def expected(self, tasks: int) -> float:
        """Return the seconds it will take, roughly."""
        return self.seconds * float((tasks / 10_000) ** self.power)

    def matrix(self, tasks: int, annotators: int) -> int:
        """Return the bytes of its matrix of tasks x annotators; 0 without one."""
        return 8 * tasks * annotators if self.dense else 0


@dataclass(frozen=True)
class Goal:
    """What is wanted of one work at one size.

    "faster" compares CPU seconds, so that a second core is no help; "floor" and both kinds of seconds are of the clock.
    """

    kind: Literal["faster", "floor", "seconds", "iteration", "memory"]
    bound: float
    rival: str = ""

    def __str__(self) -> str:
        """Return the goal in words."""
        return {
            "faster": f"{self.bound:,.0f} × faster",
            "floor": f"under {self.bound:g} ×",
            "seconds": f"{self.bound:g} s",
            "iteration": f"{self.bound:g} s an iteration",
            "memory": f"memory under {self.bound:g} × the inputs",
        }[self.kind]

    def reached(self, ours: Found, theirs: Found | None) -> float | None:
        """Return what was reached, in the goal's unit; None where nothing was measured."""
        if self.kind in ("faster", "floor"):
            if theirs is None:
                return None
            return float(theirs["cpu"] / ours["cpu"] if self.kind == "faster" else ours["wall"] / theirs["wall"])
        if self.kind == "iteration":
            return float(ours["wall"] / ours["iterations"])
        return float(ours["peak"] / ours["inputs"] if self.kind == "memory" else ours["wall"])

    def met(self, reached: float) -> bool:
        """Return whether that is enough."""
        return reached >= self.bound if self.kind == "faster" else reached <= self.bound


@dataclass(frozen=True)
class Work:
    """Something to do with a crowd."""

    name: str
    about: str
    classes: int
    sizes: tuple[int, ...] = (10_000,)
    rivals: tuple[Rival, ...] = ()
    goals: Mapping[int, tuple[Goal, ...]] = field(default_factory=dict)
    any_size: bool = True
    tasks_per_annotator: int = 100

    def annotators(self, tasks: int) -> int:
        """Return how many annotators a crowd of so many tasks has, 20 or more."""
        return max(20, tasks // self.tasks_per_annotator)


def _faster(bound: float, rival: str) -> Goal:
    return Goal("faster", bound, rival)


_LADDER = (10_000, 100_000, 1_000_000)
_CROWD_KIT = "crowd-kit"

WORKS = (
    Work(
        "crowdlab",
        "CROWDLAB, all outputs, K=10",
        10,
        (10_000, 50_000, 100_000, 1_000_000),
        (Rival("cleanlab", 0.63, 2, dense=True), Rival("numpy copies", floor=True)),
        {
            10_000: (_faster(300, "cleanlab"),),
            50_000: (_faster(1400, "cleanlab"),),
            100_000: (_faster(3000, "cleanlab"),),
            1_000_000: (Goal("floor", 8, "numpy copies"), Goal("memory", 3)),
        },
    ),
    Work(
        "activelab",
        "ActiveLab, K=10",
        10,
        (10_000, 50_000, 100_000, 1_000_000),
        (Rival("cleanlab", 2.4, 1.5, dense=True),),
        {size: (_faster(300, "cleanlab"),) for size in (10_000, 50_000, 100_000)}
        | {1_000_000: (Goal("seconds", 0.7),)},
    ),
    Work(
        "majority-vote",
        "majority vote, K=4",
        4,
        _LADDER,
        (Rival(_CROWD_KIT, 0.03),),
        {size: (_faster(100, _CROWD_KIT),) for size in (10_000, 1_000_000)},
    ),
    Work("majority-vote-frame", "majority vote of a frame, K=4", 4, _LADDER, (Rival(_CROWD_KIT, 0.03),)),
    Work(
        "dawid-skene",
        "Dawid-Skene, K=4",
        4,
        _LADDER,
        (Rival(_CROWD_KIT, 0.4),),
        {size: (_faster(20, _CROWD_KIT),) for size in (10_000, 100_000)}
        | {1_000_000: (_faster(20, _CROWD_KIT), Goal("iteration", 0.1))},
    ),
    Work("one-coin", "one-coin Dawid-Skene, K=4", 4, (10_000, 100_000), (Rival(_CROWD_KIT, 0.4),)),
    Work("wawa", "Wawa, K=4", 4, (10_000, 100_000), (Rival(_CROWD_KIT, 0.1),)),
    Work("zero-based-skill", "zero-based skill, K=4", 4, rivals=(Rival(_CROWD_KIT, 4.0),)),
    Work(
        "glad",
        "GLAD, K=4",
        4,
        rivals=(Rival(_CROWD_KIT, 60.0), Rival("peerannot", 250.0, 2, dense=True)),
        goals={10_000: (_faster(200, _CROWD_KIT), _faster(200, "peerannot"))},
    ),
    Work("mace", "MACE, ten starts, K=4", 4, rivals=(Rival(_CROWD_KIT, 15.0),)),
    Work(
        "mace-one-start",
        "MACE, one start, K=4",
        4,
        rivals=(Rival(_CROWD_KIT, 1.7),),
        goals={10_000: (_faster(50, _CROWD_KIT),)},
    ),
    Work("kos", "KOS, K=2", 2, rivals=(Rival(_CROWD_KIT, 1.6),), goals={10_000: (_faster(50, _CROWD_KIT),)}),
    Work(
        "mmsr",
        "M-MSR, K=4",
        4,
        rivals=(Rival(_CROWD_KIT, 8.0, 2, dense=True),),
        goals={10_000: (_faster(50, _CROWD_KIT),)},
    ),
    Work("iwmv", "IWMV, K=4", 4, rivals=(Rival("peerannot", 4.0),), goals={10_000: (_faster(50, "peerannot"),)}),
    Work(
        "dswc",
        "clustered Dawid-Skene, K=4",
        4,
        tasks_per_annotator=50,  # with 100 peerannot's products of probabilities are 0 / 0: "ELBO is Nan!"
        rivals=(Rival("peerannot", 13.0, 2, dense=True),),
        goals={10_000: (_faster(50, "peerannot"),)},
    ),
    Work(
        "from-long",
        "Crowd.from_long, unsorted strings, K=10",
        10,
        (1_000_000,),
        (Rival("pandas.factorize", floor=True),),
        {1_000_000: (Goal("floor", 2, "pandas.factorize"),)},
    ),
    Work(
        "compile",
        "first call of CROWDLAB and all aggregators, nothing compiled",
        2,
        (200,),
        goals={200: (Goal("seconds", 15.0),)},
        any_size=False,
    ),
)
