"""The packages of the extra ``deep``, imported when they are needed, with one message where they are not there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

INSTALL = "pip install 'label-studio-crowd[deep]'"
PACKAGES = ("torch", "skorch", "safetensors", "PIL")


def torched(name: str) -> Any:
    """Return one of the modules in the folder `torched`, which import torch.

    Raises
    ------
    ImportError
        If a package of the extra is not installed. The message says what to install.
    """
    return needed(f"crowdcore.learning.networks.torched.{name}")


def needed(module: str) -> Any:
    """Return a module that is, or that imports, a package of the extra.

    Raises
    ------
    ImportError
        If such a package is not installed. The message says what to install.

    Examples
    --------
    >>> needed("math").floor(1.5)
    1
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing not in PACKAGES:
            raise
        raise ImportError(
            f"Networks need the package {missing}, which is not installed: {INSTALL}. Without a GPU, install torch for "
            "CPUs before, from the index that PyTorch's page on installing names.",
            name=missing,
        ) from error
