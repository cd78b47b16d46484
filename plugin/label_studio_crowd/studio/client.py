"""All requests to Label Studio, one method each. Nothing else in the plugin sends it requests.

The requests are label-studio-sdk's; how they are carried, repeated and refused is `http_client`. The SDK is imported
with the first request that needs it, for many commands make none. What `status` reads is JSON, and needs no SDK with a
legacy token; a personal access token is exchanged by the SDK.
What they are about has a module each in `requests`.
"""

from __future__ import annotations

from label_studio_crowd.studio.requests.annotations import Annotations
from label_studio_crowd.studio.requests.backends import Backends
from label_studio_crowd.studio.requests.predictions import Predictions
from label_studio_crowd.studio.requests.projects import Projects
from label_studio_crowd.studio.requests.tabs import Tabs
from label_studio_crowd.studio.requests.tasks import Tasks


class Studio(Projects, Backends, Tasks, Predictions, Annotations, Tabs):
    """A Label Studio server, with everything that it is asked and told; see `requests.server` for its parameters."""
