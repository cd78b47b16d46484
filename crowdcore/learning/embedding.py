"""A network for the plugin, which can be named where torch is not installed."""

from __future__ import annotations

from typing import Any


def embedding_mlp() -> Any:
    """Return a classifier of DataFrames: a network on the column that holds vectors; for the plugin's `--classifier`.

    Raises
    ------
    ImportError
        If torch is not installed. The message says what to install.

    Examples
    --------
    >>> embedding_mlp()
    EmbeddingNetwork()
    """
    from crowdcore.learning.networks.extra import needed  # here, for networks begin with what begins with this folder
    from crowdcore.learning.networks.tables import EmbeddingNetwork

    needed("skorch")

    return EmbeddingNetwork()
