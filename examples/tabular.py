"""A tabular project: the chemistry of 178 wines, which grape each is, and ten simulated annotators.

The measurements are scikit-learn's bundled wine data (no download); Label Studio shows each wine as a table.
Wines whose chemistry lies between two grapes get more mistakes. About two thirds have labels.

========  ========  ==========================================
name      accuracy
========  ========  ==========================================
alba      0.96
bruno     0.94
carla     0.92      does the most
dino      0.90
elena     0.86
fabio     0.82
gaia      0.83      0.93, but calls two in five Barbera Grignolino
ivo       0.70      quick
lara      0.40      near random: says Grignolino when unsure
marco     0.34      near random: clicks anything
========  ========  ==========================================
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_wine

from examples.simulated_crowd import ExampleCrowd, Persona, choices, simulate

__all__ = ["PERSONAS", "tabular_crowd"]

PERSONAS = (
    Persona("alba", 0.96, seconds=14.0),
    Persona("bruno", 0.94, seconds=11.0),
    Persona("carla", 0.92, activity=1.6, seconds=9.0),
    Persona("dino", 0.90, seconds=9.0),
    Persona("elena", 0.86, seconds=12.0),
    Persona("fabio", 0.82, seconds=8.0),
    Persona("gaia", 0.93, confuses={"Barbera": "Grignolino"}, confusion=0.4, seconds=9.0),
    Persona("ivo", 0.70, activity=1.3, seconds=4.0),
    Persona("lara", 0.40, habit=("Grignolino",), seconds=3.0),
    Persona("marco", 0.34, seconds=2.0),
)

GRAPES = ("Barolo", "Grignolino", "Barbera")

LABEL_CONFIG = f"""<View>
  <Header value="Which grape?"/>
  <Table name="wine" value="$wine"/>
  {choices(GRAPES, "wine")}
</View>"""


def tabular_crowd(n_tasks: int = 178, seed: int = 0) -> ExampleCrowd:
    """Return the crowd described above.

    Parameters
    ----------
    n_tasks
        How many of the 178 wines.
    seed
        The same seed gives the same tasks and answers.
    """
    rng = np.random.default_rng(seed)
    bundled = load_wine()
    picked = rng.permutation(len(bundled.target))[:n_tasks]
    values, grape = bundled.data[picked], bundled.target[picked]
    z = (values - bundled.data.mean(axis=0)) / bundled.data.std(axis=0)
    everything = (bundled.data - bundled.data.mean(axis=0)) / bundled.data.std(axis=0)
    averages = np.stack([everything[bundled.target == k].mean(axis=0) for k in range(len(GRAPES))])
    distance = np.linalg.norm(z[:, None, :] - averages[None, :, :], axis=2)
    own = distance[np.arange(len(grape)), grape]
    others = np.where(np.arange(len(GRAPES))[None, :] == grape[:, None], np.inf, distance)
    truth = [GRAPES[k] for k in grape]
    names = [name.replace("/", " or ") for name in bundled.feature_names]
    return ExampleCrowd(
        title="Wines",
        label_config=LABEL_CONFIG,
        to_name="wine",
        tasks=[{"wine": dict(zip(names, map(float, row), strict=True))} for row in values],
        answers=simulate(rng, PERSONAS, GRAPES, truth, hardness=own / others.min(axis=1), rivals=np.exp(-distance)),
        truth=truth,
        skill={persona.name: persona.expected_accuracy(truth) for persona in PERSONAS},
        notes=("lara and marco are near random; gaia calls two in five Barbera Grignolino",),
    )
