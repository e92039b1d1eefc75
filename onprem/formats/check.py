"""A whole training file checked in one pass, in constant memory; all bad lines reported together."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from onprem.formats.rows import format_of, problems_of

MAX_LINE_BYTES = 16 * 2**20  # far above any context window; a longer line is a file without line ends
MAX_REPORTED = 20  # lines spelled out in a message; the others are counted


@dataclass
class Report:
    """What a file holds and what is wrong with it."""

    format: str | None = None  # chat, completion or preference: that of the first good line
    n_examples: int = 0
    n_bad: int = 0
    problems: list[str] = field(default_factory=list)  # "line 3: ...", at most MAX_REPORTED

    def add(self, line: int, problems: list[str]) -> None:
        """Count a bad line, and spell it out while there is room."""
        self.n_bad += 1
        if len(self.problems) < MAX_REPORTED:
            self.problems.append(f"line {line}: " + "; ".join(problems[:5]))

    def message(self, name: str) -> str:
        """Say in one paragraph what is wrong and what to do."""
        if not self.n_bad and not self.n_examples:
            return f"{name} holds no examples. Expected JSONL: one JSON object a line."
        text = f"{name}: {self.n_bad} of {self.n_bad + self.n_examples} lines cannot be trained on. "
        text += ". ".join(self.problems)
        if self.n_bad > len(self.problems):
            text += f". And {self.n_bad - len(self.problems)} more lines"
        return text + ". Mend these lines and upload the file again."


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
        return [], json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return [f"is not UTF-8 (byte {error.start + 1} of the line)"], None
    except json.JSONDecodeError as error:
        return [f"is not JSON ({error.msg} at column {error.colno})"], None
    except (RecursionError, ValueError):
        return ["is not JSON that can be read (nested too deeply, or a number too long)"], None
