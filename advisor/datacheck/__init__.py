"""What training and validation data show: pure functions over rows that somebody else streams.

The door is `check(train_rows, valid_rows, losses=...) -> Report`. A row is `(line, value, problem)`: its line number
from 1, the decoded JSON object, and what was wrong where it could not be decoded.
"""

from advisor.datacheck.check import Report, check
from advisor.datacheck.telling import to_record, to_text

__all__ = ["Report", "check", "to_record", "to_text"]
