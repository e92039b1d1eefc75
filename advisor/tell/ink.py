"""Colour for a terminal, or none. The caller knows whether it writes to one."""

from __future__ import annotations

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
# What stands for our marks on a terminal that has letters and digits alone.
PLAIN = {"·": ".", "●": "*", "┤": "|", "└": "+", "─": "-", "→": "->", "≈": "~"}
LABEL_COLOURS = {"healthy": "green", "diverged": "red", "overfitting": "red"}  # the others: yellow


class Ink:
    """`ink("words", "bold", "red")` with colour on, the bare words with colour off."""

    def __init__(self, colour: bool = False):
        self.colour = colour

    def __call__(self, text: str, *styles: str) -> str:
        if not self.colour or not styles:
            return text
        return f"\x1b[{';'.join(CODES[s] for s in styles)}m{text}\x1b[0m"

    def label(self, label: str) -> str:
        return self(label, "bold", LABEL_COLOURS.get(label, "yellow"))


def printable(words: str, encoding: str | None) -> str:
    """The words, with plain marks where a terminal of this encoding lacks the letters."""
    try:
        words.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return words.translate(str.maketrans(PLAIN)).encode("ascii", "replace").decode()
    return words
