"""The one exception that is meant for people."""


class UserError(Exception):
    """A mistake its user can mend: the message says what is wrong, where, and what to do next.

    The command line prints it without a traceback and leaves with exit code 2.
    """
