"""Finds an estimator of the user's own by its path, as Python would from where they are."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from label_studio_crowd.errors import UserError

EXPECTED = (
    "Expected package.module:factory, where factory() returns a scikit-learn estimator with fit and predict_proba."
)


def load(path: str) -> Callable[[], Any]:
    """Import ``package.module:factory``.

    Raises
    ------
    UserError
        If the path is not of that form, or leads nowhere, or to something that cannot be called.
    """
    module_name, _, attribute = path.partition(":")
    names = module_name.split(".")
    if not attribute.isidentifier() or not all(name.isidentifier() for name in names):
        raise UserError(f"Found {path!r} as the path of an estimator. {EXPECTED} Example: my_models:make")
    here = look_here()
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name + ".").startswith(error.name + "."):
            raise UserError(
                f"There is no module {error.name!r}, looked for in {here} and among installed packages. "
                f"{EXPECTED} Start from the directory of the file {names[0]}.py, or install the package."
            ) from error
        raise UserError(
            f"Importing {module_name} failed: it needs the module {error.name!r}, which is not installed. "
            f"Install it into {sys.prefix}."
        ) from error
    except Exception as error:
        raise UserError(
            f"Importing {module_name} failed: {type(error).__name__}: {error}. Mend the module; "
            f"python -c 'import {module_name}' shows where."
        ) from error
    if not hasattr(module, attribute):
        known = [n for n in vars(module) if not n.startswith("_") and callable(getattr(module, n))]
        raise UserError(
            f"{module_name} ({getattr(module, '__file__', 'built in')}) has no {attribute!r}; what can be "
            f"called in it: {', '.join(known[:10]) or 'nothing'}. {EXPECTED}"
        )
    factory = getattr(module, attribute)
    if not callable(factory):
        raise UserError(f"{path} is a {type(factory).__name__}, which cannot be called. {EXPECTED}")
    return factory  # type: ignore[no-any-return]


def look_here() -> str:
    """Let modules be imported from the current directory, and return it."""
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)  # as python -m does; a factory may import its neighbours later
    return here
