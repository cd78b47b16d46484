"""The places of aligned texts as units: at each, annotators chose a word, or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.table import AnswerTable
from crowdcore.kinds.text.alignment import NONE, Grid

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Places:
    """The U places of all tasks, what each answer has there, and the C choices, different words at a place.

    Attributes
    ----------
    task : ndarray of shape (U,)
        The task of each place; places are in the order of tasks and of the text.
    indptr : ndarray of shape (U + 1,)
        Where each place's choices begin and end.
    word : ndarray of shape (C,)
        The word's code in its task, -1 for none.
    vote_answer, vote_choice, vote_token : ndarray of shape (V,)
        Who chose what: the answer, the choice, and the word's number in the answer, -1 for none.
    known : ndarray of shape (U,)
        The choice known to be right, -1 where nothing is.
    reference : ndarray of shape (U,)
        The choice of the text that the others were aligned to.
    """

    task: Codes
    indptr: Codes
    word: Codes
    vote_answer: Codes
    vote_choice: Codes
    vote_token: Codes
    known: Codes
    reference: Codes

    @property
    def place(self) -> Codes:
        """Place of each choice, shape (C,)."""
        return np.repeat(np.arange(len(self.task)), np.diff(self.indptr))


def cut(table: AnswerTable, texts: list[str], references: list[str | None], is_known: NDArray[np.bool_]) -> Places:
    """Align the answers of each task to its reference, and number places and choices.

    Parameters
    ----------
    table : AnswerTable
        N tasks, A answers.
    texts : list of str, length A
        The answers, encoded.
    references : list of str or None, length N
        The encoded text each task's answers are aligned to; tasks with None are left out.
    is_known : ndarray of bool, shape (N,)
        Whether the reference is known to be right.
    """
    columns: list[Codes] = []
    words: list[Codes] = []
    answers: list[Codes] = []
    numbers: list[Codes] = []
    tasks: list[Codes] = []
    offset = 0
    for i, reference in enumerate(references):
        if reference is None:
            continue
        start, end = table.indptr[i], table.indptr[i + 1]
        grid = Grid(reference, texts[start:end])
        word = np.full((end - start + 1, grid.width), NONE)
        token = np.full_like(word, NONE)
        rows = [*zip(texts[start:end], grid.place, strict=True), (reference, grid.reference_place)]
        for row, (text, place) in enumerate(rows):
            word[row, place] = [ord(char) for char in text]
            token[row, place] = np.arange(len(text))
        who = np.arange(start, end + 1)
        who[-1] = -1 - is_known[i]  # the reference: -2 if it is the truth
        columns.append(np.tile(np.arange(offset, offset + grid.width), len(word)))
        words.append(word.ravel())
        answers.append(np.repeat(who, grid.width))
        numbers.append(token.ravel())
        tasks.append(np.full(grid.width, i))
        offset += grid.width
    return _numbered(columns, words, answers, numbers, tasks, offset)


def whole(table: AnswerTable, texts: list[str], references: list[str | None], is_known: NDArray[np.bool_]) -> Places:
    """Return one place for each task, at which annotators chose a whole text; parameters as in `cut`."""
    columns: list[Codes] = []
    words: list[Codes] = []
    answers: list[Codes] = []
    tasks: list[Codes] = []
    for i, reference in enumerate(references):
        if reference is None:
            continue
        start, end = table.indptr[i], table.indptr[i + 1]
        codes: dict[str, int] = {}
        words.append(np.array([codes.setdefault(text, len(codes)) for text in [*texts[start:end], reference]]))
        columns.append(np.full(end - start + 1, len(tasks)))
        answers.append(np.append(np.arange(start, end), -1 - is_known[i]))
        tasks.append(np.array([i]))
    return _numbered(columns, words, answers, words, tasks, len(tasks))


def _numbered(
    columns: list[Codes], words: list[Codes], answers: list[Codes], numbers: list[Codes], tasks: list[Codes], U: int
) -> Places:
    """Return U places with their choices numbered; answer -1 is the reference, -2 one that is known to be right."""
    column, word, answer, number, task = (
        np.concatenate(arrays) if arrays else np.zeros(0, np.int64)
        for arrays in (columns, words, answers, numbers, tasks)
    )
    most = int(word.max(initial=0)) + 2
    distinct, choice = np.unique(column * most + word + 1, return_inverse=True)
    choice = choice.ravel()
    by_answer, known, reference_choice = answer >= 0, np.full(U, -1), np.empty(U, np.int64)
    known[column[answer == -2]] = choice[answer == -2]
    reference_choice[column[~by_answer]] = choice[~by_answer]
    return Places(
        task=task,
        indptr=np.searchsorted(distinct // most, np.arange(U + 1)),
        word=distinct % most - 1,
        vote_answer=answer[by_answer],
        vote_choice=choice[by_answer],
        vote_token=number[by_answer],
        known=known,
        reference=reference_choice,
    )
