"""Things that have a name: how to look a name up, and the error if nothing has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Protocol, TypeVar


class Named(Protocol):
    """What a registry keeps."""

    @property
    def name(self) -> str:
        """The name, in lower case with hyphens."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names, such as those that peers use."""


Entry = TypeVar("Entry", bound=Named)


class Registry(dict[str, Entry]):
    """Entries by name, in the order given; `find` also knows them by their aliases.

    Parameters
    ----------
    kind : str
        What an entry is called in messages, such as "method".
    entries : iterable
        The entries. Each has a `name` and `aliases`.
    choices : str, optional
        What to choose from, for messages; all names by default.

    Examples
    --------
    >>> from collections import namedtuple
    >>> Colour = namedtuple("Colour", "name aliases")
    >>> colours = Registry("colour", [Colour("dark-red", ("maroon",)), Colour("blue", ())])
    >>> colours["blue"] is colours.find("Blue"), colours.find("dark_red") is colours.find("maroon")
    (True, True)
    >>> colours.find("bleu")
    Traceback (most recent call last):
    ValueError: There is no colour 'bleu'. Did you mean 'blue'? Choose one of dark-red, blue.
    """

    def __init__(self, kind: str, entries: Iterable[Entry], choices: str | None = None) -> None:
        super().__init__((entry.name, entry) for entry in entries)
        self._kind, self._choices = kind, choices or ", ".join(self)
        self._names = {plain_name(known): one.name for one in self.values() for known in (one.name, *one.aliases)}

    def find(self, name: str) -> Entry:
        """Return the entry of a name or an alias; case, hyphens, underscores and spaces do not matter.

        Raises
        ------
        ValueError
            If there is none. The message names the closest one, and all.
        """
        found = self._names.get(plain_name(name))
        if found is None:
            raise ValueError(f"There is no {self._kind} {name!r}. {self._hint(name)}Choose one of {self._choices}.")
        return self[found]

    def _hint(self, name: str) -> str:
        close = get_close_matches(plain_name(name), self._names, n=1)
        return f"Did you mean {self._names[close[0]]!r}? " if close else ""


def plain_name(name: str) -> str:
    """Return the form that all spellings of a name share.

    Examples
    --------
    >>> plain_name("Dawid-Skene") == plain_name("dawid_skene") == plain_name("DawidSkene")
    True
    """
    return str(name).lower().replace("-", "").replace("_", "").replace(" ", "")


def found_when_asked(package: str, modules: Mapping[str, Iterable[str]]) -> Callable[[str], Any]:
    """Return a package's ``__getattr__``, which imports the module that has a name when that is asked for.

    Parameters
    ----------
    package : str
        Its full name.
    modules : mapping
        From modules, inside the package, to the names that they have.

    Examples
    --------
    >>> find = found_when_asked("crowdcore", {"registry": ["Registry"]})
    >>> find("Registry").__name__
    'Registry'
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def find(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{module_of[name]}"), name)

    return find
