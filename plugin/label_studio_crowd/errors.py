"""The one exception whose message is written for the user, not for a log."""


class UserError(Exception):
    """Something the user can mend: the message says what was found, what is allowed, what to do.

    The command line prints it as one line and ends with exit code 2, or 3 where `may_pass`.

    Attributes
    ----------
    may_pass
        Whether the same may work later, with nothing changed by the user.
    """

    may_pass: bool = False
