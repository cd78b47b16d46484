"""What no program can be much faster than: copying the same bytes once, coding the same columns once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.science.speed.child import Trial
from benchmarks.science.speed.crowds import Answers
from benchmarks.science.speed.ours import frame_of_text


def _copies(answers: Answers) -> Trial:
    """Copy as many bytes as CROWDLAB reads and writes, in numbers of 8 bytes.

    Tables of N x K: the probabilities, the votes, the posterior. Of A: annotators, labels, the answers' tasks and their
    quality. Of N: where answers begin, how many they are, consensus, quality, agreement.
    """
    sizes = [answers.pred_probs.size] * 3 + [len(answers.task)] * 4 + [answers.tasks] * 5
    arrays = [np.ones(size) for size in sizes]
    return Trial(call=lambda _: [array.copy() for array in arrays])


def _factorize(answers: Answers) -> Trial:
    frame = frame_of_text(answers)
    return Trial(call=lambda _: [pd.factorize(frame[column]) for column in frame])


TRIALS: dict[str, Callable[[Answers], Trial]] = {"crowdlab": _copies, "from-long": _factorize}
