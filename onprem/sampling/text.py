"""Token ids to text, piece by piece: no half characters, nothing that may yet become a stop string."""

from collections.abc import Callable


class TextStream:
    """Turns growing token lists into pieces of text.

    Parameters
    ----------
    decode : callable
        From a list of ids to text.
    stops : list of str
        Text ends before the first of them.
    """

    def __init__(self, decode: Callable[[list[int]], str], stops: list[str]) -> None:
        self.decode, self.stops = decode, [s for s in stops if s]
        self.ids: list[int] = []
        self.sent = 0
        self.stopped = False

    def add(self, token: int) -> str:
        """Take a token; return what text is now certain."""
        self.ids.append(token)
        text = self.decode(self.ids)
        found = [at for at in (text.find(s) for s in self.stops) if at >= 0]
        if found:
            self.stopped = True
            return self._up_to(text, min(found))
        if text.endswith("\ufffd"):  # the first bytes of a character
            return ""
        return self._up_to(text, len(text) - self._may_become_stop(text))

    def rest(self) -> str:
        """Return what was held back, at the end."""
        text = self.decode(self.ids)
        return "" if self.stopped else self._up_to(text, len(text))

    def _up_to(self, text: str, end: int) -> str:
        piece = text[self.sent : end]
        self.sent = max(self.sent, end)
        return piece

    def _may_become_stop(self, text: str) -> int:
        lengths = (n for s in self.stops for n in range(len(s) - 1, 0, -1) if text.endswith(s[:n]))
        return max(lengths, default=0)
