"""A whole training file checked in one pass, in constant memory; all bad lines reported together."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from onprem.formats.rows import format_of, problems_of

MAX_LINE_BYTES = 16 * 2**20  # far above any context window; a longer line is a file without line ends
MAX_KINDS, MAX_LINES = 20, 10  # kinds of problems spelled out in a message, and line numbers of each


@dataclass
class Report:
    """What a file holds and what is wrong with it."""

    format: str | None = None  # chat, completion or preference: that of the first good line
    n_examples: int = 0
    n_bad: int = 0
    lines: dict[str, list[int]] = field(default_factory=dict)  # a problem's text: where it was met, at first
    counts: Counter = field(default_factory=Counter)  # a problem's text: how often it was met

    def add(self, line: int, problems: list[str]) -> None:
        """Count a bad line, and note its number while there is room."""
        self.n_bad += 1
        text = "; ".join(problems[:5])
        if text in self.lines or len(self.lines) < MAX_KINDS:
            self.counts[text] += 1
            self.lines.setdefault(text, []).extend([line] * (self.counts[text] <= MAX_LINES))

    def message(self, name: str) -> str:
        """Say in one paragraph what is wrong and what to do; lines with the same problem are told together."""
        if not self.n_bad and not self.n_examples:
            return f"{name} holds no examples. Expected JSONL: one JSON object a line."
        told = [f"{self._where(text)}: {text}" for text in self.lines]
        left = self.n_bad - self.counts.total()
        told += [f"and {left} more lines with other problems"] if left else []
        head = f"{name}: {self.n_bad} of {self.n_bad + self.n_examples} lines cannot be trained on. "
        return head + ". ".join(told) + ". Mend these lines and upload the file again."

    def _where(self, text: str) -> str:
        lines, more = self.lines[text], self.counts[text] - len(self.lines[text])
        numbers = ", ".join(map(str, lines)) + (f" and {more} more" if more else "")
        return f"line{'s' if len(lines) > 1 else ''} {numbers}"


def check_file(path: Path) -> Report:
    """Check every line of the file at `path`."""
    report = Report()
    blank_since = None
    with path.open("rb") as lines:
        for number, raw in enumerate(iter(lambda: lines.readline(MAX_LINE_BYTES + 1), b""), 1):
            if not raw.strip():
                blank_since = blank_since or number
                continue
            if blank_since:
                report.add(blank_since, ["is blank; only the end of the file may be"])
                blank_since = None
            _check_line(report, number, raw)
            if len(raw) > MAX_LINE_BYTES:  # what follows is the rest of this line, not a line
                break
    return report


def _check_line(report: Report, number: int, raw: bytes) -> None:
    problems, row = _parse(raw, number)
    problems = problems or problems_of(row)
    if not problems and report.format not in (None, format_of(row)):
        problems = [f"is a {format_of(row)} row in a file of {report.format} rows; a file holds one format"]
    if problems:
        report.add(number, problems)
    else:
        report.format = report.format or format_of(row)
        report.n_examples += 1


def _parse(raw: bytes, number: int) -> tuple[list[str], object]:
    if len(raw) > MAX_LINE_BYTES:
        return [f"is longer than {MAX_LINE_BYTES} bytes; the lines after it were not looked at"], None
    try:
        return [], json.loads(raw.rstrip(b"\r\n").decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return [f"is not UTF-8 (byte {error.start + 1} of the line)"], None
    except json.JSONDecodeError as error:
        return [f"is not JSON ({error.msg} at column {error.colno})"], None
    except (RecursionError, ValueError):
        return ["is not JSON that can be read (nested too deeply, or a number too long)"], None
