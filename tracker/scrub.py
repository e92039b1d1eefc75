"""Takes quoted content and secrets out of other people's messages.

Providers quote training lines and keys in their errors. What is kept is the shape of the message: enough to act on.
It does not know which provider speaks.
"""

from __future__ import annotations

import re

#: A message is cut here: what a person reads of an error; longer ones carry payloads.
MAX_CHARS = 500

#: Quotes around more than this many characters hold content; shorter ones hold names such as 'n_epochs'.
MAX_QUOTED = 40

# Keys by the marks that providers give them, with a digit where a name could begin so too (`sk-learn-baseline-run`).
# `advisor/tell/visible.py` knows the same marks: one table of cases is kept by both.
_MARKS = (
    r"\b(?:(?:sk|pk|rk|nvapi)-(?=[\w\-]*\d)[\w\-]{12,}|[rs]k_(?:live|test)_\w{10,}|(?:hf|fw)_[A-Za-z0-9]{20,}|tgp_v1_[\w\-]{20,}"
    r"|gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w\-]{16,}|AIza[\w\-]{30,}|xox[abeprs]-[\w\-]{10,}"
    r"|A(?:KIA|SIA)[A-Z0-9]{16})|\beyJ[\w\-]{10,}(?:\.[\w\-]*){0,4}|(?i:(?<=\bbearer )[\w.~+/=\-]{8,})"
)
_SECRETS = re.compile(
    # Keys without a mark of their own, such as Azure's (its ids have one: ftjob-): hexadecimal, or very long.
    _MARKS + r"|(?<![\w\-])(?:[0-9a-fA-F]{32}|[A-Za-z0-9]{60,})(?![\w\-])|(?<=://)[^/@\s]+@"
    r"|(?i:\b(?:api[-_ ]?key|authorization|token|secret|password)\b\s*(?:provided)?\s*[:=]\s*)(?:Bearer\s+)?\S+"
)
_QUERY = re.compile(r"(https?://[^\s?#]+)[?#]\S*")
_QUOTED = re.compile(
    r"\"((?:[^\"\\]|\\.)*)\"|(?<![A-Za-z])'((?:[^'\\]|\\.)*)'(?![A-Za-z])|`([^`]*)`|“([^”]*)”|«([^»]*)»"
)
_BRACED = re.compile(r"[\[{][^\[\]{}]{20,}[\]}]")
_NAME = re.compile(r"[\w.\-:/\[\]]+")


def masked(text: str) -> str:
    """Return the text with [secret] in place of each key and password and without URL queries; all else stays."""
    return _QUERY.sub(r"\1", _SECRETS.sub("[secret]", text))


def scrub(message: object) -> str:
    """Return the message without quoted content, keys, credentials and URL queries.

    A quoted word that looks like a name (one token of at most 40 characters: ``'n_epochs'``) stays, since
    it tells the user what to change.

    Examples
    --------
    >>> scrub("Line 3: invalid content 'my secret diary entry'")
    "Line 3: invalid content '[...]'"
    """
    text = " ".join(str(message if message is not None else "").split())
    text = _QUOTED.sub(_keep_names, masked(text))
    text = _BRACED.sub("[...]", text)
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 5] + "[...]"


def _keep_names(found: re.Match[str]) -> str:
    inner = next((group for group in found.groups() if group is not None), "")
    if len(inner) <= MAX_QUOTED and _NAME.fullmatch(inner):
        return found.group(0)
    return "'[...]'"
