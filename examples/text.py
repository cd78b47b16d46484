"""A text project: 300 short customer messages, what each is about, and twelve simulated annotators.

The messages are those of :mod:`harness.messages`: four in ten hold a sentence that fits two intents. About two
thirds have labels.

========  ========  ==========================================
name      accuracy
========  ========  ==========================================
anouk     0.97
bilal     0.95
cora      0.94
dario     0.92      does the most
esra      0.90
felix     0.88
gina      0.85
hugo      0.80
ida       0.84      0.93, but files half of the returns under billing
jorge     0.70      quick
klara     0.27      near random: answers delivery or billing
liam      0.20      near random: clicks anything
========  ========  ==========================================

(The figure for ida depends on how many messages are about returns.)
"""

from __future__ import annotations

import numpy as np

from examples.simulated_crowd import ExampleCrowd, Persona, choices, simulate
from harness.messages import INTENTS, draw_messages

__all__ = ["PERSONAS", "text_crowd"]

PERSONAS = (
    Persona("anouk", 0.97, seconds=8.0),
    Persona("bilal", 0.95),
    Persona("cora", 0.94, activity=0.7),
    Persona("dario", 0.92, activity=1.6),
    Persona("esra", 0.90),
    Persona("felix", 0.88),
    Persona("gina", 0.85, activity=0.8),
    Persona("hugo", 0.80, activity=1.2),
    Persona("ida", 0.93, confuses={"returns": "billing"}, confusion=0.5),
    Persona("jorge", 0.70, activity=1.3, seconds=3.0),
    Persona("klara", 0.27, habit=("delivery", "billing"), seconds=2.0),
    Persona("liam", 0.20, seconds=1.5),
)

LABEL_CONFIG = f"""<View>
  <Header value="What is this message about?"/>
  <Text name="message" value="$text"/>
  {choices(INTENTS, "message")}
</View>"""


def text_crowd(n_tasks: int = 300, seed: int = 0) -> ExampleCrowd:
    """Return the crowd described above.

    Parameters
    ----------
    n_tasks
        How many messages, in about equal numbers of each intent.
    seed
        The same seed gives the same tasks and answers.
    """
    rng = np.random.default_rng(seed)
    drawn = draw_messages(rng, n_tasks)
    return ExampleCrowd(
        title="Customer messages",
        label_config=LABEL_CONFIG,
        to_name="message",
        tasks=drawn.tasks,
        answers=simulate(rng, PERSONAS, INTENTS, drawn.intents, drawn.hardness, drawn.rivals),
        truth=drawn.intents,
        skill={persona.name: persona.expected_accuracy(drawn.intents) for persona in PERSONAS},
        notes=("klara and liam are near random; ida files half of the returns under billing",),
    )
