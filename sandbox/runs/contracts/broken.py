"""The error of a member that breaks a contract."""


class BrokenContractError(Exception):
    """A member does something else than its interface promises; the message says what, and what to look at."""


def require(kept: object, message: str) -> None:
    """Do nothing if a promise is kept.

    Raises:
        BrokenContractError: If it is not.
    """
    if not kept:
        raise BrokenContractError(message)
