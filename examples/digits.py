"""The demo's crowd: 400 handwritten digits, answered by fourteen simulated annotators.

The images are scikit-learn's bundled digits (8 x 8 pixels, no download). Label Studio shows them enlarged;
the field ``pixels`` holds the 64 grey values, for a classifier. About two thirds of the images have one to
four labels, the others none. The right digits are in ``truth`` and not in the tasks.

The crowd, with the accuracy each annotator has over images of average hardness:

========  ========  =====================================================
name      accuracy
========  ========  =====================================================
amara     0.97      careful, slow
bjorn     0.96
chiara    0.95
diego     0.93
elif      0.92      does the most
farid     0.90
greta     0.88
hiro      0.86
ines      0.82
jonas     0.78
kavya     0.76      0.95, but takes half of the 4s for 9s, 9s for 4s, 3s for 8s and 8s for 3s
luca      0.65      quick and careless
mona      0.20      near random: looks at few images, answers 1, 7 or 8 otherwise
nils      0.12      near random: clicks anything
========  ========  =====================================================

Hard images, those that lie between the average images of two digits, get more mistakes, and the mistake is
mostly the other one of the two.
"""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from examples.simulated_crowd import ExampleCrowd, Persona, choices, simulate

__all__ = ["PERSONAS", "digits_crowd"]

PERSONAS = (
    Persona("amara", 0.97, seconds=9.0),
    Persona("bjorn", 0.96),
    Persona("chiara", 0.95, activity=0.7),
    Persona("diego", 0.93),
    Persona("elif", 0.92, activity=1.6, seconds=4.5),
    Persona("farid", 0.90),
    Persona("greta", 0.88, activity=0.8),
    Persona("hiro", 0.86),
    Persona("ines", 0.82),
    Persona("jonas", 0.78, activity=1.2),
    Persona("kavya", 0.95, confuses={"4": "9", "9": "4", "3": "8", "8": "3"}, confusion=0.5),
    Persona("luca", 0.65, activity=1.3, seconds=2.5),
    Persona("mona", 0.20, habit=("1", "7", "8"), seconds=1.5),
    Persona("nils", 0.12, seconds=1.2),
)

DIGITS = tuple("0123456789")

_PAPER = [255 - value // 16 * 17 for value in range(256)]  # dark ink on white, few greys: small files

LABEL_CONFIG = f"""<View>
  <Header value="Which digit is this?"/>
  <Image name="image" value="$image" width="280px" maxWidth="280px"/>
  {choices(DIGITS, "image")}
</View>"""


def digits_crowd(n_tasks: int = 400, seed: int = 0) -> ExampleCrowd:
    """Return the crowd described above.

    Parameters
    ----------
    n_tasks
        How many of the 1,797 images, in about equal numbers of each digit.
    seed
        The same seed gives the same tasks and answers.
    """
    rng = np.random.default_rng(seed)
    bundled = load_digits()
    picked = _balanced(rng, bundled.target, n_tasks)
    pixels, truth = bundled.data[picked], bundled.target[picked]
    averages = np.stack([bundled.data[bundled.target == k].mean(axis=0) for k in range(10)])
    distance = np.linalg.norm(pixels[:, None, :] - averages[None, :, :], axis=2)
    own = distance[np.arange(len(truth)), truth]
    others = np.where(np.arange(10)[None, :] == truth[:, None], np.inf, distance)
    labels = [str(digit) for digit in truth]
    return ExampleCrowd(
        title="Handwritten digits",
        label_config=LABEL_CONFIG,
        to_name="image",
        tasks=[{"image": _png(row), "pixels": [int(value) for value in row]} for row in pixels],
        answers=simulate(
            rng, PERSONAS, DIGITS, labels, hardness=own / others.min(axis=1), rivals=np.exp(-distance / 4.0)
        ),
        truth=labels,
        skill={persona.name: persona.expected_accuracy(labels) for persona in PERSONAS},
        notes=("mona and nils are near random; kavya confuses 4 with 9 and 3 with 8",),
    )


def _balanced(rng: np.random.Generator, target: NDArray[np.int64], n_tasks: int) -> NDArray[np.int64]:
    """Return the indices of `n_tasks` shuffled images, about as many of each digit."""
    shuffled = rng.permutation(len(target))
    turn = np.empty(len(target))  # the how-manieth of its digit an image is
    for digit in np.unique(target):
        same = shuffled[target[shuffled] == digit]
        turn[same] = np.arange(len(same))
    picked = shuffled[np.argsort(turn[shuffled], kind="stable")][:n_tasks]
    return np.asarray(rng.permutation(picked), dtype=np.int64)


def _png(row: NDArray[np.float64]) -> str:
    """Return 64 grey values of 0 to 16 as a picture of dark ink on white, enlarged, as a data URI."""
    framed = np.pad(row.reshape(8, 8), 1)
    ink = Image.fromarray((framed * (255.0 / 16.0)).astype(np.uint8))
    large = ink.resize((120, 120), Image.Resampling.BICUBIC).point(_PAPER)
    file = io.BytesIO()
    large.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
