"""What can go wrong, and the exit code that says so.

TrackerError (1, the work failed)
+-- InputError (2, the input or the usage is wrong; all problems together)
+-- ProviderError (the provider refused or failed; ``status`` is the HTTP code, 0 where there was no answer; 2 where
|   it refused what was asked for, else 1)
|   +-- Missing (404 or 405: the thing or the route is not there)
|   +-- Doubtful (a paid request may or may not have been carried out)
+-- StoreAway (1, MLflow does not answer; points wait in the spool)
+-- Refused (1, MLflow will never take this)
"""

from __future__ import annotations

#: HTTP answers to what the user asked for: a setting, model or id that the provider does not take or know.
INPUT_REFUSED = (400, 404, 422)


class TrackerError(Exception):
    """The work failed."""

    exit_code = 1


class InputError(TrackerError):
    """The input or the usage is wrong.

    Parameters
    ----------
    problems
        Every problem found, each a sentence that says what was found, what was expected and what to do.
    """

    exit_code = 2

    def __init__(self, problems: list[str] | str):
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class ProviderError(TrackerError):
    """The provider refused or failed.

    Parameters
    ----------
    message
        Already scrubbed of quoted content.
    status
        HTTP status, 0 where no answer came.
    retry_after
        Seconds the provider asked us to wait, if it did.
    sent
        False where the request certainly never reached the provider (the connection was refused).
    """

    def __init__(self, message: str, status: int = 0, retry_after: float | None = None, sent: bool = True):
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.sent = sent
        self.exit_code = 2 if status in INPUT_REFUSED else 1

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in (0, 408, 409, 425, 429) or self.status >= 500

    @property
    def refused(self) -> bool:
        """Whether the provider certainly did not carry the request out."""
        return not self.sent or (400 <= self.status < 500 and self.status not in (408, 409))


class Missing(ProviderError):
    """The thing, or the route, is not there."""


class Doubtful(ProviderError):
    """A paid request may or may not have been carried out; it is not sent again blindly."""


class StoreAway(TrackerError):
    """MLflow does not answer."""


class Refused(TrackerError):
    """MLflow will never take this."""
