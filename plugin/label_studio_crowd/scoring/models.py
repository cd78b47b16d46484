"""Trained models, kept on disk between processes: one file a training in a directory of the operator's own.

Networks are kept as numbers (`plain`), which hold no code; all else as pickles.

Pickles are code: whoever can write into the directory can run programs as whoever reads it. It must belong to
the operator and be writable by nobody else. Nothing that comes with a request is ever unpickled; a request can at
most name a training, and names are hexadecimal digits.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import platform
import re
import tempfile
import threading
from collections import OrderedDict
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from label_studio_crowd import __version__
from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.classifiers import Model, plain

_log = logging.getLogger(__name__)

MOST_LOADED = 8
"""Models of a process that stay in memory, those last asked for."""

_NAME = re.compile(r"[0-9a-f]{1,128}")
_FORMAT = "2"
"""Goes up when modules move: a pickle names those of its classes."""

_State = tuple[int, int, int]

_lock = threading.Lock()
_loaded: OrderedDict[Path, tuple[_State, Model | None]] = OrderedDict()
_warned: set[Path] = set()


def keep(directory: Path, training: str, model: Model) -> None:
    """Write a model to disk, in place of the training's old one if there is any.

    Other processes see the old file or the whole new one, never a part.

    Parameters
    ----------
    directory : Path
        Made, for this user alone, if it is not there.
    training : str
        Lower-case hexadecimal digits.
    model : Model
        From `Classifier.model`.

    Raises
    ------
    ValueError
        If `training` is anything else.
    UserError
        If the model cannot be pickled; those of `Classifier.model` can.
    OSError
        If the directory cannot be made or written to.
    """
    path = _path(directory, training)
    about, content = plain.packed(model)
    try:
        content = content or pickle.dumps(model, protocol=5)
    except Exception as error:
        raise UserError(
            f"The model cannot be kept on disk: {type(error).__name__}: {error}. If it is an estimator of your own, "
            "use functions and classes of a module instead of a lambda, or choose --classifier auto."
        ) from error
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{training[:32]}.", suffix=".tmp", dir=directory)  # mode 0600
    try:
        with open(descriptor, "wb") as file:
            file.write(json.dumps(_versions() | about).encode() + b"\n")
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def at_hand(directory: Path, training: str) -> Model | None:
    """Return a training's model, as it is on disk now.

    Parameters
    ----------
    directory : Path
        As given to `keep`.
    training : str
        As given to `keep`.

    Returns
    -------
    Model or None
        None where there is none, or where it cannot be read (another version of Python or scikit-learn, a damaged
        file, a module that is not there); the latter is logged, once a training. It never raises.
    """
    try:
        path = _path(directory, training)
    except ValueError:
        return None
    with _lock:
        try:
            with open(path, "rb") as file:
                found = os.fstat(file.fileno())
                state = (found.st_ino, found.st_size, found.st_mtime_ns)
                if path not in _loaded or _loaded[path][0] != state:
                    _loaded[path] = state, _read(file.read(), path)
        except FileNotFoundError:  # not remembered: another process may be about to write it
            _loaded.pop(path, None)
            return None
        except OSError as error:
            _warn(path, str(error))
            return None
        _loaded.move_to_end(path)
        while len(_loaded) > MOST_LOADED:
            _loaded.popitem(last=False)
        return _loaded[path][1]


def forget(directory: Path, training: str) -> None:
    """Remove a training's model, if it is there.

    Raises
    ------
    ValueError
        If `training` is not lower-case hexadecimal digits.
    OSError
        If it may not be removed.
    """
    path = _path(directory, training)
    path.unlink(missing_ok=True)
    with _lock:
        _loaded.pop(path, None)


def _path(directory: Path, training: str) -> Path:
    if not isinstance(training, str) or not _NAME.fullmatch(training):
        raise ValueError(f"Found training {training!r}; expected up to 128 digits of 0 to 9 and a to f.")
    return directory / f"{training}.pickle"


def _versions() -> dict[str, str]:
    """Return what a pickle depends on; scikit-learn's hold its private attributes, which change."""
    return {
        "models": _FORMAT,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "scikit-learn": version("scikit-learn"),
        "label-studio-crowd": __version__,
    }


def _read(content: bytes, path: Path) -> Model | None:
    """Return the model in a file, or None and a warning."""
    try:
        header, _, kept = content.partition(b"\n")
        made, here = json.loads(header), _versions()
        about = made.pop("plain", None)
        if made != here:
            _warn(path, f"it was made by {_listed(made)}, and this is {_listed(here)}")
            return None
        model: Model = pickle.loads(kept) if about is None else plain.unpacked(about, kept)
    except Exception as error:  # a pickle can raise anything
        _warn(path, f"{type(error).__name__}: {error}")
        return None
    return model


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def _warn(path: Path, reason: str) -> None:
    if path not in _warned:
        _warned.add(path)
        _log.warning("The model %s cannot be used: %s. Train again to have a new one.", path, reason)
