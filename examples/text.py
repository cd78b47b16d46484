"""A text project: 300 short customer messages, what each is about, and twelve simulated annotators.

The messages are generated: an opening, a sentence that tells the intent, and sometimes small talk. Four in
ten hold a sentence that fits two intents ("I paid for a parcel that never came" may be delivery or billing);
most of those also hold one that decides, the others must be guessed. About two thirds have labels.

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

TELLING = {
    "delivery": (
        "The {item} was due {day} and has still not arrived.",
        "Where is my parcel with the {item}? The tracking has not moved since {day}.",
        "The courier left the {item} with a neighbour I do not know.",
        "Can you send the {item} to my office instead of my home?",
        "How long does shipping of a {item} take at the moment?",
        "The driver rang {day} but nobody was in; when do you try again?",
    ),
    "billing": (
        "I was charged {amount} twice for the {item}.",
        "Please send me an invoice for the {item} with my company's name on it.",
        "My card was declined although there is enough money on the account.",
        "The discount code did not work and I paid the full {amount}.",
        "Why does my statement show {amount} when the {item} was cheaper?",
        "Can I pay for the {item} in three instalments?",
    ),
    "returns": (
        "The {item} does not fit and I want to send it back.",
        "How do I get a return label for the {item}?",
        "I would like to exchange the {item} for a larger one.",
        "The {item} came broken, please take it back.",
        "I changed my mind about the {item}; is it too late to return it?",
        "I handed the {item} in at the return point {day}.",
    ),
    "account": (
        "I cannot log in since {day}, the password is refused.",
        "Please change the email address of my account.",
        "I never got the message that confirms my registration.",
        "How do I delete my profile and all my data?",
        "My account is locked after three attempts.",
        "The app asks for a code that never comes.",
    ),
    "product": (
        "Does the {item} come in green?",
        "What are the exact measurements of the {item}?",
        "Is the {item} suitable for children?",
        "Which battery does the {item} need?",
        "How do I clean the {item} without scratching it?",
        "Is there a newer model of the {item} coming this year?",
    ),
}

BETWEEN = {
    ("billing", "delivery"): ("I paid {amount} for a {item} that never came.",),
    ("billing", "returns"): ("I still wait for my {amount} back for the {item}.",),
    ("account", "billing"): ("My stored card has gone from my settings.",),
    ("account", "delivery"): ("My address is wrong and the {item} is on its way.",),
    ("delivery", "returns"): ("You sent the wrong {item}.", "The box with the {item} was empty."),
    ("product", "returns"): ("The {item} does not do what the page says.",),
    ("delivery", "product"): ("When will the {item} be available again?",),
    ("billing", "product"): ("Is the price of the {item} with or without the charger?",),
    ("account", "product"): ("The {item} does not show up in my app.",),
    ("account", "returns"): ("I cannot find my order of the {item} to send it back.",),
}

ITEMS = ("kettle", "jacket", "headphone set", "desk lamp", "backpack", "toaster", "rain coat", "bike light")
DAYS = ("yesterday", "on Monday", "last week", "on Friday", "three days ago")
OPENINGS = ("Hello,", "Hi there,", "Good morning,", "Dear team,", "")
CLOSINGS = ("Thanks!", "Kind regards", "Please answer soon.", "I have been a customer for years.", "", "")

LABEL_CONFIG = f"""<View>
  <Header value="What is this message about?"/>
  <Text name="message" value="$text"/>
  {choices(tuple(TELLING), "message")}
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
    classes = tuple(TELLING)
    truth = [str(label) for label in rng.permutation([classes[i % len(classes)] for i in range(n_tasks)])]
    texts, hardness = [], np.zeros(n_tasks)
    rivals = np.full((n_tasks, len(classes)), 0.1)
    for task, intent in enumerate(truth):
        ambiguity = rng.choice(3, p=(0.6, 0.3, 0.1))  # none, decided by another sentence, not decided
        sentences = [] if ambiguity == 2 else [str(rng.choice(TELLING[intent]))]
        if ambiguity:
            pairs = [pair for pair in BETWEEN if intent in pair]
            pair = pairs[rng.integers(len(pairs))]
            sentences.append(str(rng.choice(BETWEEN[pair])))
            rivals[task, classes.index(pair[0] if pair[1] == intent else pair[1])] = 2.0
        rng.shuffle(sentences)
        hardness[task] = ambiguity + 0.3 * rng.standard_normal()
        message = " ".join([str(rng.choice(OPENINGS)), *sentences, str(rng.choice(CLOSINGS))]).strip()
        amount = f"{rng.integers(9, 180)}.{rng.choice(['00', '50', '90', '99'])} euros"
        texts.append(message.format(item=rng.choice(ITEMS), day=rng.choice(DAYS), amount=amount))
    return ExampleCrowd(
        title="Customer messages",
        label_config=LABEL_CONFIG,
        to_name="message",
        tasks=[{"text": text} for text in texts],
        answers=simulate(rng, PERSONAS, classes, truth, hardness, rivals),
        truth=truth,
        skill={persona.name: persona.expected_accuracy(truth) for persona in PERSONAS},
        notes=("klara and liam are near random; ida files half of the returns under billing",),
    )
