"""Short customer messages, and what each is about: tasks of a text project.

The messages are generated: an opening, a sentence that tells the intent, and sometimes small talk. Four in
ten hold a sentence that fits two intents ("I paid for a parcel that never came" may be delivery or billing);
most of those also hold one that decides, the others must be guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BETWEEN", "INTENTS", "LABEL_CONFIG", "Messages", "draw_messages"]

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

INTENTS = tuple(TELLING)

LABEL_CONFIG = (
    '<View><Text name="message" value="$text"/><Choices name="label" toName="message">'
    + "".join(f'<Choice value="{intent}"/>' for intent in INTENTS)
    + "</Choices></View>"
)


@dataclass(frozen=True)
class Messages:
    """N messages, and what makes them hard.

    Attributes
    ----------
    texts, intents
        The messages, and what each is about.
    hardness : ndarray, shape (N,)
        How hard it is to tell, on any scale.
    rivals : ndarray, shape (N, K)
        How likely each of the K `INTENTS` is taken for the right one by somebody who errs.
    """

    texts: list[str]
    intents: list[str]
    hardness: NDArray[np.float64]
    rivals: NDArray[np.float64]

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """Each task's data."""
        return [{"text": text} for text in self.texts]


def draw_messages(rng: np.random.Generator, number: int) -> Messages:
    """Draw messages, in about equal numbers of each intent."""
    intents = [str(intent) for intent in rng.permutation([INTENTS[i % len(INTENTS)] for i in range(number)])]
    texts, hardness = [], np.zeros(number)
    rivals = np.full((number, len(INTENTS)), 0.1)
    for at, intent in enumerate(intents):
        ambiguity = rng.choice(3, p=(0.6, 0.3, 0.1))  # none, decided by another sentence, not decided
        sentences = [] if ambiguity == 2 else [str(rng.choice(TELLING[intent]))]
        if ambiguity:
            pairs = [pair for pair in BETWEEN if intent in pair]
            pair = pairs[rng.integers(len(pairs))]
            sentences.append(str(rng.choice(BETWEEN[pair])))
            rivals[at, INTENTS.index(pair[0] if pair[1] == intent else pair[1])] = 2.0
        rng.shuffle(sentences)
        hardness[at] = ambiguity + 0.3 * rng.standard_normal()
        texts.append(_worded(rng, sentences))
    return Messages(texts, intents, hardness, rivals)


def _worded(rng: np.random.Generator, sentences: list[str]) -> str:
    message = " ".join([str(rng.choice(OPENINGS)), *sentences, str(rng.choice(CLOSINGS))]).strip()
    amount = f"{rng.integers(9, 180)}.{rng.choice(['00', '50', '90', '99'])} euros"
    return message.format(item=rng.choice(ITEMS), day=rng.choice(DAYS), amount=amount)
