"""The exception for mistakes that users can correct."""


class UserError(Exception):
    """A mistake that the user can correct. The message says what is wrong, where, and what to do next.

    The command line prints it without a traceback and exits with code 2.
    """
