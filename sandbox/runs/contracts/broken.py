"""The error of a member that breaks a contract."""


class BrokenContractError(Exception):
    """A contract that a member breaks; the message names the fault and the remedy."""


def require(kept: object, message: str) -> None:
    """Do nothing if a promise is kept.

    Raises:
        BrokenContractError: If it is not.
    """
    if not kept:
        raise BrokenContractError(message)
