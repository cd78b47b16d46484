"""What is to be done for which project: marks in the store, which stay even if a process ends.

A project is marked when something happened to it. The mark stays until a run that began after it has ended
well, so a worker that dies loses nothing: its claim runs out, and another takes the project. Many marks lead
to one run: it waits for a quiet moment, and marks that come while it runs lead to one more.
"""

from __future__ import annotations

from label_studio_crowd.store.jobs.claims import Claims
from label_studio_crowd.store.jobs.marks import Marks
from label_studio_crowd.store.jobs.records import ClaimState, Job, JobProgress, JobState, Kind, Needs, storable
from label_studio_crowd.store.jobs.states import States

__all__ = ["ClaimState", "Job", "JobProgress", "JobState", "Jobs", "Kind", "Needs", "storable"]


class Jobs(Marks, Claims, States):
    """The marks and claims of a Label Studio server's projects.

    Parameters
    ----------
    store
        Where they are.
    settings
        The server's address, and how long is waited for what.
    clock
        The time (Unix).
    """
