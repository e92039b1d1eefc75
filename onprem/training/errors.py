"""The error for which the client, not the server, is the cause."""


class JobError(Exception):
    """The job cannot be trained as asked.

    Parameters
    ----------
    param : str
        The field that is wrong, as the client named it.
    message : str
        All that is wrong with it, and what to do.
    code : str, optional
        What clients branch on; ``invalid_<param>`` without one.
    """

    def __init__(self, param: str, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.param, self.code = param, code or f"invalid_{param}"
