"""Training files: JSONL in three formats, told apart and checked line by line.

It knows the shapes of rows; it does not know tokens, models or HTTP, and never quotes a user's text.
"""

from onprem.formats.check import Report, check_file
from onprem.formats.rows import FORMATS, METHOD_FORMATS, format_of, problems_of, read_rows

__all__ = ["FORMATS", "METHOD_FORMATS", "Report", "check_file", "format_of", "problems_of", "read_rows"]
