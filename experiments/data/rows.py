"""What the shipped data sets have in common: chat rows, likeness of prompts, JSONL files."""

import json
import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


def row(*turns: str) -> dict:
    """Return one training example: turns of user and assistant, the user first."""
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[i % 2], "content": text} for i, text in enumerate(turns)]}


def prompt_of(example: dict) -> str:
    """Return the first user turn, in lower case, letters and digits alone."""
    return " ".join(re.findall(r"[a-z0-9]+", example["messages"][0]["content"].lower()))


def likeness(a: str, b: str) -> float:
    """Return the share of letter triples that two prompts have in common (Jaccard): 1 for equals, 0 for strangers."""
    x, y = _triples(a), _triples(b)
    return len(x & y) / len(x | y)


def without_near_duplicates(examples: list[dict], limit: float) -> list[dict]:
    """Keep an example if no prompt kept before it is alike by `limit` or more."""
    kept: dict[str, dict] = {}
    for example in examples:
        prompt = prompt_of(example)
        if all(likeness(prompt, other) < limit for other in kept):
            kept[prompt] = example
    return list(kept.values())


def write(name: str, train: list[dict], valid: list[dict], folder: Path = HERE) -> None:
    """Write `train.jsonl` and `valid.jsonl` of the data set `name`."""
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    for file, examples in (("train", train), ("valid", valid)):
        lines = [json.dumps(example, ensure_ascii=False) for example in examples]
        (target / f"{file}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name}: {len(train)} rows to train on, {len(valid)} to validate with, in {target}")


def read(path: Path) -> list[dict]:
    """Read a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def _triples(text: str) -> frozenset[str]:
    padded = f"  {text} "
    return frozenset(padded[i : i + 3] for i in range(len(padded) - 2))
