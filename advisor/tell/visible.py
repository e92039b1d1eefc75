"""Texts of others made fit to be shown: an id, a path or the name of a model may hold control characters, which a
terminal would obey, and a key or a password, which a report would hand on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

# What a terminal or a browser obeys instead of showing it: C0 and C1 with escape, line ends, marks that turn the
# direction of writing; and halves of a surrogate pair, which no encoding can write.
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# Keys by the marks that providers give them, with a digit where a name could begin so too (`sk-learn-baseline-run`);
# the credentials of a URL and the secrets of its query; what is told to be a key. Plain digits and letters stand: ids
# of MLflow's runs and digests are such. `tracker/scrub.py` knows the same marks: one table of cases is kept by both.
MARKS = (
    r"\b(?:(?:sk|pk|rk|nvapi)-(?=[\w\-]*\d)[\w\-]{12,}|[rs]k_(?:live|test)_\w{10,}|(?:hf|fw)_[A-Za-z0-9]{20,}|tgp_v1_[\w\-]{20,}"
    r"|gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w\-]{16,}|AIza[\w\-]{30,}|xox[abeprs]-[\w\-]{10,}"
    r"|A(?:KIA|SIA)[A-Z0-9]{16})|\beyJ[\w\-]{10,}(?:\.[\w\-]*){0,4}|(?i:(?<=\bbearer )[\w.~+/=\-]{8,})"
)
SECRET = re.compile(
    MARKS + r"|(?<=://)[^/@\s]+(?=@)"
    r"|(?i:(?P<query>(?<=[?&])[\w\-]*(?:key|token|secret|password|sig|signature)=)[^&#\s]+"
    r"|(?P<told>\b(?:api[-_ ]?key|authorization|password)\s*(?:provided)?\s*[:=]\s*)(?:bearer\s+)?\S+)"
)


def masked(text: str) -> str:
    """The text with [secret] in place of each secret."""
    return SECRET.sub(lambda found: f"{found['query'] or found['told'] or ''}[secret]", text)


def visible(text: str) -> str:
    """The text, masked, with \\x1b or \\u202e, as a shell reads them too, in place of each such character."""
    return OBEYED.sub(_written, masked(text))


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 128 else f"\\u{code:04x}"


def all_visible(value: Any) -> Any:
    """The same noun, mapping or sequence with every text in it made visible."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {all_visible(k): all_visible(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(all_visible(v) for v in value)
    if is_dataclass(value):
        return replace(value, **{f.name: all_visible(getattr(value, f.name)) for f in fields(value)})
    return value
