"""Token ids to text, piece by piece: no half characters, nothing that may yet become a stop string.

Only the last few tokens are decoded at each step, so that an answer's cost grows with its length, not its square.
"""

from collections.abc import Callable


class TextStream:
    """Turns growing token lists into pieces of text.

    Parameters
    ----------
    decode : callable
        From a list of ids to text.
    stops : list of str
        Text ends before the first of them.

    Notes
    -----
    A token's text may depend on the token before it (a leading space), so the last certain tokens are decoded again
    with those that come: what they add is the new text.
    """

    def __init__(self, decode: Callable[[list[int]], str], stops: list[str]) -> None:
        self.decode, self.stops = decode, [s for s in stops if s]
        self.certain: list[int] = []  # the last tokens whose text is out of `decode`
        self.coming: list[int] = []  # later ones, which may end within a character
        self.held = ""  # text that may yet become a stop string
        self.stopped = False

    def add(self, token: int) -> str:
        """Take a token; return what text is now certain."""
        self.coming.append(token)
        new = self._new()
        if not new or new.endswith("\ufffd"):  # the first bytes of a character
            return ""
        self.certain, self.coming = self.coming, []
        text = self._till_stop(self.held + new)
        if self.stopped:
            return text
        cut = len(text) - self._may_become_stop(text)
        self.held = text[cut:]
        return text[:cut]

    def rest(self) -> str:
        """Return what was held back, at the end; a stop string may be in it."""
        return "" if self.stopped else self._till_stop(self.held + self._new())

    def _till_stop(self, text: str) -> str:
        found = [at for at in (text.find(s) for s in self.stops) if at >= 0]
        self.stopped = bool(found)
        return text[: min(found, default=len(text))]

    def _new(self) -> str:
        """Return the text that the coming tokens add."""
        return self.decode(self.certain + self.coming)[len(self.decode(self.certain)) :]

    def _may_become_stop(self, text: str) -> int:
        lengths = (n for s in self.stops for n in range(len(s) - 1, 0, -1) if text.endswith(s[:n]))
        return max(lengths, default=0)
