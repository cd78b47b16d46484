"""Comments to be moderated: all that is wrong with one, how bad it is, and what it is about; ten simulated annotators.

Three controls of one project: <Choices> with several choices, <Rating>, and <Choices> with one choice. The 120
comments are made of sentences. A sentence may be rude, threaten, advertise, give somebody's address away, or swear;
half of these are open, half are hints that a reader may take otherwise. All comments have one to four annotations.

An annotator overlooks open problems in `misses` of the cases and hints three times as often (never more than nine
in ten), sees problems that are not there in `invents` of the cases for each comment, rates `bias` stars too high with
a standard deviation of `spread`, and takes the comment for one about something else in `strays` of the cases.

========  ======  =======  =====  ======  ======
name      misses  invents   bias  spread  strays
========  ======  =======  =====  ======  ======
ada         0.03     0.02    0.0     0.3    0.02
boris       0.06     0.03    0.0     0.5    0.04
celia       0.08     0.05    0.5     0.4    0.05
daan        0.10     0.04   -0.5     0.5    0.06
eva         0.15     0.05    0.0     0.7    0.08
fritz       0.12     0.40    1.0     0.6    0.10
gul         0.40     0.03   -1.0     0.6    0.10
henk        0.25     0.20    0.0     1.0    0.20
iris        0.70     0.60    0.0     2.0    0.55
jan         0.90     0.50    0.0     2.0    0.65
========  ======  =======  =====  ======  ======

fritz finds fault with everything and gul with little; iris and jan hardly read.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from examples.kinds_crowd import KindsCrowd, Said, answers_of
from examples.questions import OneClass, SetOfClasses, Stars

__all__ = ["PERSONAS", "Moderator", "moderation_crowd"]


class Moderator(NamedTuple):
    """A simulated annotator; see above."""

    misses: float
    invents: float
    bias: float
    spread: float
    strays: float
    activity: float = 1.0


PERSONAS = {
    "ada": Moderator(0.03, 0.02, 0.0, 0.3, 0.02, 0.8),
    "boris": Moderator(0.06, 0.03, 0.0, 0.5, 0.04),
    "celia": Moderator(0.08, 0.05, 0.5, 0.4, 0.05),
    "daan": Moderator(0.10, 0.04, -0.5, 0.5, 0.06),
    "eva": Moderator(0.15, 0.05, 0.0, 0.7, 0.08, 1.5),
    "fritz": Moderator(0.12, 0.40, 1.0, 0.6, 0.10),
    "gul": Moderator(0.40, 0.03, -1.0, 0.6, 0.10),
    "henk": Moderator(0.25, 0.20, 0.0, 1.0, 0.20, 1.3),
    "iris": Moderator(0.70, 0.60, 0.0, 2.0, 0.55),
    "jan": Moderator(0.90, 0.50, 0.0, 2.0, 0.65, 1.3),
}
NEWCOMER = Moderator(0.04, 0.03, 0.0, 0.4, 0.03)

ABOUT = {
    "football": ("The second goal was offside.", "The keeper had a great day.", "They need a new coach."),
    "cooking": ("The soup needs more salt.", "I bake mine for ten minutes longer.", "Fresh basil is better."),
    "travel": ("The night train was on time.", "We walked along the coast.", "The hostel is next to the harbour."),
}

PROBLEMS = {
    "insult": (("You are an idiot.", "Only a fool writes this."), ("As clever as ever, I see.", "Bless your heart.")),
    "threat": (("I will find you.", "You will regret this."), ("I know your street.", "Watch your step.")),
    "advert": (("Buy now at cheap-deals.example!", "Half price, only today!"), ("My shop has it.", "See my page.")),
    "private": (("Her number is 555 0199.", "He lives at 4 Mill Lane."), ("Ask Tom Reed from the bakery.",)),
    "swearing": (("What the bloody hell.", "Damn this."), ("What the h*ck.", "Oh f...iddlesticks.")),
}
"""Problem -> sentences that have it openly, and hints."""

WEIGHT = {"insult": 1, "threat": 3, "advert": 1, "private": 2, "swearing": 1}
"""How many stars a problem adds to the first; at most five in all."""

LABEL_CONFIG = f"""<View>
  <Text name="comment" value="$text"/>
  <Header value="What is wrong with it? Nothing is an answer, too."/>
  <Choices name="problems" toName="comment" choice="multiple" showInLine="true">
    {"".join(f'<Choice value="{label}"/>' for label in PROBLEMS)}
  </Choices>
  <Header value="How bad is it, all in all?"/>
  <Rating name="harm" toName="comment" maxRating="5"/>
  <Header value="What is it about?"/>
  <Choices name="about" toName="comment" choice="single" showInLine="true">
    {"".join(f'<Choice value="{label}"/>' for label in ABOUT)}
  </Choices>
</View>"""


def moderation_crowd(n_tasks: int = 120, seed: int = 0) -> KindsCrowd:
    """Return the crowd described above.

    Parameters
    ----------
    n_tasks
        How many comments.
    seed
        The same seed gives the same tasks and answers.
    """
    rng = np.random.default_rng(seed)
    texts, hints, truth = [], [], []
    for _ in range(n_tasks):
        about = str(rng.choice(list(ABOUT)))
        problems = rng.choice(list(PROBLEMS), size=rng.choice(4, p=(0.35, 0.35, 0.2, 0.1)), replace=False).tolist()
        hinted = {problem: bool(rng.random() < 0.5) for problem in problems}
        sentences = [str(rng.choice(ABOUT[about])), *(str(rng.choice(PROBLEMS[p][hinted[p]])) for p in problems)]
        texts.append(" ".join(rng.permutation(sentences).tolist()))
        hints.append({problem for problem in problems if hinted[problem]})
        truth.append((frozenset(problems), min(1 + sum(WEIGHT[p] for p in problems), 5), about))

    def say(rng: np.random.Generator, who: Moderator, task: int) -> Said:
        problems, harm, about = truth[task]
        missed = {p: min(who.misses * (3 if p in hints[task] else 1), 0.9) for p in PROBLEMS}
        seen = {p for p in PROBLEMS if p in problems and rng.random() >= missed[p]}
        if rng.random() < who.invents:
            seen.add(str(rng.choice(list(PROBLEMS))))
        stars = int(np.clip(round(harm + who.bias + who.spread * rng.standard_normal()), 1, 5))
        others = [topic for topic in ABOUT if topic != about]
        return frozenset(seen), stars, str(rng.choice(others)) if rng.random() < who.strays else about

    activity = {name: persona.activity for name, persona in PERSONAS.items()}
    return KindsCrowd(
        title="Comments to moderate",
        label_config=LABEL_CONFIG,
        questions=(SetOfClasses("problems", "comment"), Stars("harm", "comment"), OneClass("about", "comment")),
        tasks=[{"text": text} for text in texts],
        answers=answers_of(rng, activity, n_tasks, lambda name, task: say(rng, PERSONAS[name], task)),
        truth=truth,
        newcomer=lambda rng, task: say(rng, NEWCOMER, task),
        notes=("fritz finds fault with everything and gul with little; iris and jan hardly read",),
    )
