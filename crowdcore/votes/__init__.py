"""Votes: the label that most gave, and what the answers say about those who gave them.

>>> from crowdcore import Crowd
>>> from crowdcore.votes import majority_vote
>>> crowd = Crowd.from_wide([["cat", "cat", "dog"], ["dog", "dog", "cat"], ["cat", None, None]])
>>> crowd.classes[majority_vote(crowd)].tolist()
['cat', 'dog', 'cat']
"""

from crowdcore.votes.annotators import AnnotatorStats
from crowdcore.votes.majority import majority_vote
from crowdcore.votes.overruled import overruled_tasks, within_answers

__all__ = ["AnnotatorStats", "majority_vote", "overruled_tasks", "within_answers"]
