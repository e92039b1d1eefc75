"""What the reader's terminal shows: colour or none, and how many columns. The caller knows whether there is one."""

from __future__ import annotations

import textwrap

WIDEST, NARROWEST = 96, 40  # columns: wider lines are hard to read, narrower ones are no lines
CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
# What stands for our marks on a terminal that has letters and digits alone.
PLAIN = {"·": ".", "●": "*", "┤": "|", "└": "+", "─": "-", "→": "->", "≈": "~"}
MOODS = {"healthy": "green", "diverged": "red", "overfitting": "red"}  # the others: yellow


class Ink:
    """`ink("words", "bold", "red")` with colour on, the bare words with colour off; `fill` breaks lines.

    Lines have at most WIDEST columns, fewer on a narrower terminal.
    """

    def __init__(self, colour: bool = False, columns: int | None = None):
        self.colour = colour
        self.columns = min(max(columns or WIDEST, NARROWEST), WIDEST)

    def __call__(self, text: str, *styles: str) -> str:
        if not self.colour or not styles:
            return text
        return f"\x1b[{';'.join(CODES[s] for s in styles)}m{text}\x1b[0m"

    def fill(self, text: str, hang: int = 2, indent: int = 2) -> str:
        """A paragraph broken into lines, the first indented and the others hung."""
        return textwrap.fill(
            text,
            self.columns,
            initial_indent=" " * indent,
            subsequent_indent=" " * hang,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def headline(self, words: str, mood: str) -> str:
        return self(words, "bold", MOODS.get(mood, "yellow"))


def printable(words: str, encoding: str | None) -> str:
    """The words, with plain marks where a terminal of this encoding lacks the letters."""
    try:
        words.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return words.translate(str.maketrans(PLAIN)).encode("ascii", "replace").decode()
    return words
