"""Makes `chat` from the English part of chatterbot-corpus 1.3.3 (BSD): `python -m experiments.data.make_chat`.

Needs `pip install chatterbot-corpus==1.3.3 pyyaml`. The corpus repeats itself (1,050 pairs of its tech_support.yml are
10 different ones), gives several answers to one question, and runs alternatives together as if they were turns. So: one
answer to a prompt, near-duplicates out, and only the files of real dialogue keep more than one exchange.
"""

import random
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import yaml

from .rows import prompt_of, row, without_near_duplicates, write

TOPICS = (
    "conversations", "greetings", "computers", "tech_support", "ai", "botprofile", "emotion", "food", "health",
    "history", "literature", "money", "movies", "science", "sports", "trivia",
)  # fmt: skip
DIALOGUES = ("conversations", "computers", "health")  # further turns are turns there; elsewhere alternatives
LEFT_OUT = ("bend over", "i hope that you die", "i do not want to die")  # abuse and despair: nothing to teach
LIKE = 0.7  # of the letter triples: above it two prompts ask the same ("what is ai", "what's ai")
LONGEST = 240  # characters of a turn; the few longer ones would rule the loss
N_VALID, SEED = 120, 0


def examples() -> list[dict]:
    """Return every usable example, near-duplicates left out."""
    rows = [row(*turns) for topic in TOPICS for turns in _exchanges(topic)]
    return without_near_duplicates([r for r in rows if prompt_of(r) and prompt_of(r) not in LEFT_OUT], LIKE)


def _exchanges(topic: str) -> Iterator[list[str]]:
    folder = Path(find_spec("chatterbot_corpus").submodule_search_locations[0])
    text = (folder / "data" / "english" / f"{topic}.yml").read_text(encoding="utf-8")
    for conversation in yaml.safe_load(text)["conversations"]:
        turns = [" ".join(str(turn).split()) for turn in conversation]
        if topic == "trivia":  # one entry runs many questions together
            pieces = [turns[i : i + 2] for i in range(0, len(turns) - 1, 2)]
        elif topic in DIALOGUES:
            pieces = [turns[: len(turns) // 2 * 2][:6]]
        else:
            pieces = [turns[:2]]
        yield from (p for p in pieces if len(p) >= 2 and all(0 < len(turn) <= LONGEST for turn in p))


if __name__ == "__main__":
    rows = examples()
    random.Random(SEED).shuffle(rows)
    write("chat", rows[N_VALID:], rows[:N_VALID])
