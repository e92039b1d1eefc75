"""`python -m onprem.pretrain`: makes `embedded-tiny` from its sources.

Example: python -m onprem.pretrain --out ./model --steps 200
"""

import argparse
from pathlib import Path

from . import corpus, export, tokenizer, train


def main(argv: list[str] | None = None) -> int:
    """Build the corpus, train tokenizer and model, write the folder."""
    parser = argparse.ArgumentParser(prog="python -m onprem.pretrain", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model into")
    parser.add_argument(
        "--steps", type=int, default=train.Plan.steps, help="optimizer steps (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=train.Plan.seed)
    args = parser.parse_args(argv)

    plan = train.Plan(steps=args.steps, seed=args.seed, warmup=min(train.Plan.warmup, args.steps // 10))
    learn_from, held_out = train.split(corpus.chats(), plan.seed)
    tok = tokenizer.train(learn_from)
    rows = train.tokens_of(learn_from, tok), train.tokens_of(held_out, tok)
    print(f"{len(learn_from)} chats, {len(rows[0]):,} tokens; {len(held_out)} chats held out")
    result = train.pretrain(plan, *rows, train.new_model(plan, tok))
    export.export(result, plan, tok, held_out, args.out)
    print(f"held out: {result.valid_loss:.4f} nats per token; written to {args.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
