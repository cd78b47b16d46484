"""Releases of Label Studio that cannot work are refused before anything is changed."""

from __future__ import annotations

import pytest

from label_studio_crowd.connection.doctor import examine
from label_studio_crowd.errors import UserError


def test_a_label_studio_that_is_too_old_is_refused_before_anything_is_changed(make_project, plugin):
    at_work = plugin(make_project([{"text": "one"}]))
    at_work.studio.version = lambda: "1.15.0"
    with pytest.raises(UserError, match=r"1\.15\.0 is too old: the oldest that works is 1\.16"):
        at_work.connect()
    assert at_work.writes == []
    with pytest.raises(UserError, match="too old"):
        list(examine(at_work.opened))
    assert at_work.writes == []
