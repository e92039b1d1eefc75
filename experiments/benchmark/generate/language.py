"""Makes a table with a language model of yours: LoRA adapters, really trained at every setting of a grid.

    onprem models add smollm2 --data-dir box       # or any folder of a model built like Llama, with a chat template
    python -m experiments.benchmark.generate.language box/models/smollm2 rows.jsonl --out tables/mine.jsonl.gz
    python -m experiments.benchmark.fit_prior experiments/benchmark/tables tables   # and let the advisor learn from it

The learning rate is constant, so that one run of the most epochs gives all the shorter ones too. ROWS as for
`experiments.benchmark.generate`. One core trains about a hundred tokens a second of a model of 135 million parameters.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

from experiments.benchmark.generate.__main__ import read_rows


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.benchmark.generate.language",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, help="folder with the weights and the tokenizer")
    parser.add_argument("rows", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="NAME.jsonl.gz; NAME becomes the task's name")
    parser.add_argument(
        "--examples", type=int, default=48, help="to train on; half as many are kept for validation"
    )
    parser.add_argument("--longest", type=int, default=64, help="tokens of an example; the rest is cut off")
    args = parser.parse_args(argv)
    rows, problems = read_rows(args.rows)
    if not (args.model / "config.json").exists():
        problems.append(
            f"{args.model} has no config.json; expected a folder with a model that transformers reads"
        )
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 2
    from transformers import AutoTokenizer

    from experiments.benchmark.generate.lora import DESIGN, encode, table

    random.Random(0).shuffle(rows)
    examples = encode(AutoTokenizer.from_pretrained(args.model), rows, args.longest)[: args.examples * 3 // 2]
    n_valid = len(examples) // 3
    if n_valid < 1:
        print(
            f"{args.rows} has {len(examples)} rows whose answer begins within {args.longest} tokens; expected at least 3: "
            "give more --examples, or a higher --longest",
            file=sys.stderr,
        )
        return 2
    table(args.model, examples[n_valid:], examples[:n_valid], DESIGN, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
