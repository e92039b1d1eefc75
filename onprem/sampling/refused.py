"""The error of a request that a model cannot answer."""


class Refused(Exception):
    """The request cannot be answered; `code` is OpenAI's, where it has one."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
