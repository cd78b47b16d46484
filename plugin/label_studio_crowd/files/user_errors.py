"""What the user can mend of what the libraries raise, as errors in the command line's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from label_studio_crowd.errors import UserError


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn what the user can mend into a `UserError`: bad values, files, and a library that is not installed."""
    try:
        yield
    except ValueError as error:
        raise UserError(as_options(str(error))) from None
    except OSError as error:
        raise UserError(f"{error.filename or 'A file'} cannot be used ({error.strerror or error}).") from None
    except ImportError as error:
        if "label-studio-crowd[" in str(error):  # it says what to install
            raise UserError(str(error)) from None
        if "pyarrow" not in str(error):
            raise
        raise UserError("Parquet needs pyarrow: pip install 'label-studio-crowd[parquet]', or use .csv.") from None


def as_options(told: str) -> str:
    """Return a message of crowdcore's with the names that its arguments have here."""
    told = told.replace("truth_task_column=", "--truth-task-column").replace("header=False", "--no-header")
    told = re.sub(r"\b(task|annotator|label|time|truth)_column=", r"--\1-column", told)
    names = r"\b(format|repeated|missing|annotators|classes|kind)="
    return re.sub(names, r"--\1", re.sub(names + r"(?=[\w|-])", r"--\1 ", told))
