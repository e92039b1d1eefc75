"""Makes the prior that the advisor ships: `python -m experiments.benchmark.fit_prior [FOLDER ...]`.

Reads tables (default: all that the project has) and writes advisor/propose/prior.npz.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

import advisor.propose
from advisor.propose.prior import pack
from experiments.benchmark.surfaces import library
from experiments.benchmark.tables import FOLDER, read_all

TARGET = Path(advisor.propose.__file__).parent / "prior.npz"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        default=[FOLDER, FOLDER / "more", FOLDER / "other"],
        help="folders of *.jsonl.gz tables",
    )
    parser.add_argument("--out", type=Path, default=TARGET)
    args = parser.parse_args(argv)
    tables = [t for folder in args.folders for t in read_all(folder)]
    np.savez_compressed(args.out, **pack(library(tables)))
    names = ", ".join(t.name for t in tables)
    print(f"{args.out}: {len(tables)} tables ({names}), {args.out.stat().st_size / 1024:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
