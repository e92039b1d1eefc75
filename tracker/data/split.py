"""Splits a training file into parts that share no prompt, the same way every time, in constant memory.

A row's part follows from a hash of its group and the seed, so that all rows of a group land together. Rows are of one
group where their conversations open with the same user message, letter case, blanks and punctuation aside: copies of a
prompt, and longer and shorter forms of one conversation, stay together. The lines themselves are copied byte by byte.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

from tracker.data.check import check_file
from tracker.data.jsonl import Progress, counted, lines, parse
from tracker.data.texts import last_answer, messages_of, text_of
from tracker.errors import InputError

BITS = 64
# Groups counted exactly (about 100 MB); beyond them the hash alone decides, whose error is then below 0.1 %.
MAX_COUNTED = 1_000_000
WORD = re.compile(r"\w+")
GROUPINGS = ("opening", "prompt")

Reader = Callable[[bytes], None]  # is given the bytes as they are read


@dataclass(frozen=True)
class Part:
    """One part of a split, as written."""

    name: str
    path: str
    n_examples: int
    sha256: str


def split_file(
    path: str | Path,
    folder: str | Path,
    shares: dict[str, float],
    *,
    seed: int = 0,
    by: str = "opening",
    force: bool = False,
    on_progress: Progress | None = None,
) -> list[Part]:
    """Split a JSONL training file.

    Parameters
    ----------
    path
        A file that `check_file` finds nothing wrong with.
    folder
        Where `<part>.jsonl` are written; made where it is missing.
    shares
        Share of the rows by part's name; they sum to 1.
    seed
        Another seed, another split.
    by
        What may not be shared between parts: the `opening` (first user message), or the whole `prompt` (everything
        before the last answer), for data whose conversations all open alike.
    force
        Replace parts that exist.
    on_progress
        Is told now and then how many bytes of how many, over three passes, are read.

    Returns
    -------
    list of Part
        In the order of `shares`; each with at least one example.

    Raises
    ------
    InputError
        Where lines are bad, shares do not add up, parts exist, or groups are too large to fill every part.
    """
    targets = {name: Path(folder) / f"{name}.jsonl" for name in shares}
    _check_request(shares, by, targets, force)
    report = check_file(path, None, on_progress, passes=3)
    if not report.ok:
        raise InputError(report.problems)
    read = counted(path, on_progress, 3, report.size)
    bounds = _bounds(path, shares, seed, by, read)
    return _write(path, targets, bounds, seed, by, read)


def group_of(row: dict[str, Any], by: str = "opening") -> str:
    """What a row may not share with another part, in words alone: case, blanks and punctuation do not tell."""
    said = messages_of(row)
    asked = said[: last_answer(said)]
    if by == "opening":
        asked = [message for message in asked if message.get("role") == "user"][:1] or asked
    text = "\n".join(text_of(message) for message in asked) or text_of(said[-1])
    return " ".join(WORD.findall(text.casefold())) or text


def _hash(row: dict[str, Any], seed: int, by: str) -> int:
    return int.from_bytes(
        blake2b(f"{seed}:{group_of(row, by)}".encode("utf-8", "replace"), digest_size=8).digest()
    )


def _rows(path: str | Path, read: Reader) -> Any:
    """Raw lines that hold a row, with the row."""
    for number, raw in enumerate(lines(path, read), 1):
        if raw is not None and raw.strip():
            value = parse(number, raw).value
            if value is not None:
                yield raw, value


def _bounds(path: str | Path, shares: dict[str, float], seed: int, by: str, read: Reader) -> dict[str, int]:
    """The upper end of each part's range of hashes, so that the parts get their shares of the rows.

    The shares' own fractions would do for large files; for small ones they would miss by chance, so the ends are laid
    between groups where the counted rows come nearest to each share.
    """
    counts: Counter[int] = Counter()
    for _, row in _rows(path, read):
        counts[_hash(row, seed, by)] += 1
        if len(counts) > MAX_COUNTED:
            return _even_bounds(shares)
    ordered = sorted(counts)
    if len(ordered) < len(shares):
        raise InputError(
            f"{path} has {len(ordered)} different {by}s; {len(shares)} parts need as many at least. {_hint(by)}"
        )
    total = sum(counts.values())
    bounds, wanted, seen, at = {}, 0.0, 0, 0
    for left, (name, share) in zip(range(len(shares) - 1, -1, -1), shares.items(), strict=True):
        wanted += share * total
        start = at
        # at least one group here, and one left for each part after; a group goes where it leaves the smaller error
        while at < len(ordered) - left and (
            at == start or seen + counts[ordered[at]] / 2 <= wanted or not left
        ):
            seen += counts[ordered[at]]
            at += 1
        bounds[name] = ordered[at - 1]
    return bounds


def _even_bounds(shares: dict[str, float]) -> dict[str, int]:
    ends, end = {}, 0.0
    for name, share in shares.items():
        end += share
        ends[name] = int(min(end, 1.0) * 2**BITS)
    ends[name] = 2**BITS
    return ends


def _write(
    path: str | Path, targets: dict[str, Path], bounds: dict[str, int], seed: int, by: str, read: Reader
) -> list[Part]:
    """Copy each line to its part; the parts appear together once all are written."""
    counts, digests = Counter(), {name: sha256() for name in targets}
    drafts = {name: t.with_name(f".{t.name}.{os.getpid()}.part") for name, t in targets.items()}
    try:
        for target in targets.values():
            target.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            files = {name: stack.enter_context(draft.open("wb")) for name, draft in drafts.items()}
            for raw, row in _rows(path, read):
                place = _hash(row, seed, by)
                name = next(name for name, end in bounds.items() if place <= end)
                line = raw.rstrip(b"\r\n") + b"\n"
                files[name].write(line)
                digests[name].update(line)
                counts[name] += 1
        for name, target in targets.items():
            drafts[name].replace(target)
    except OSError as error:
        raise InputError(f"The parts cannot be written to {error.filename} ({error.strerror}).") from error
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    return [Part(n, str(t), counts[n], digests[n].hexdigest()) for n, t in targets.items()]


def _check_request(shares: dict[str, float], by: str, targets: dict[str, Path], force: bool) -> None:
    problems = [
        f"The share of {name} is {share:g}; expected more than 0 and less than 1."
        for name, share in shares.items()
        if not 0 < share < 1
    ]
    if abs(sum(shares.values()) - 1) > 1e-9:
        problems.append(f"The shares sum to {sum(shares.values()):g}; expected 1.")
    if by not in GROUPINGS:
        problems.append(f"by is {by!r}; expected one of {', '.join(GROUPINGS)}.")
    if not force:
        problems += [
            f"{t} exists; name another folder, or give --force." for t in targets.values() if t.exists()
        ]
    if problems:
        raise InputError(problems)


def _hint(by: str) -> str:
    return (
        "Try --by prompt, which counts whole prompts."
        if by == "opening"
        else "Add examples with other prompts."
    )
