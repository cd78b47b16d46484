"""Words and HTML."""

import doctest

from label_studio_crowd.pages import words
from label_studio_crowd.studio import hypertext


def test_the_examples_in_docstrings_hold():
    assert doctest.testmod(words).failed == doctest.testmod(hypertext).failed == 0
