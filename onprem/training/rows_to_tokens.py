"""One training row becomes one list of token ids and one of labels; -100 marks what is not learned.

Learned are the assistant's turns of weight 1, each with the token that ends it; in a completion row, the
completion and the end-of-text token. It knows tokenizers and chat templates, not trainers.
"""

from dataclasses import dataclass

from transformers import PreTrainedTokenizerFast

IGNORED = -100

# For a model without a chat template of its own: the plainest one that marks each turn's end.
PLAIN_TEMPLATE = (
    "{% for m in messages %}{{ m['role'] | capitalize + ': ' + m['content'] }}"
    "{{ eos_token if m['role'] == 'assistant' else '' }}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}"
)


@dataclass(frozen=True)
class Example:
    """A tokenised row; `labels` equals `input_ids` where it is learned, else -100."""

    line: int
    input_ids: list[int]
    labels: list[int]
    n_cut: int = 0  # tokens lost to truncation

    @property
    def length(self) -> int:
        """Tokens of the row."""
        return len(self.input_ids)

    @property
    def n_tokens(self) -> int:
        """Tokens that a step sees."""
        return len(self.input_ids)

    @property
    def n_trained(self) -> int:
        """Tokens that the loss counts: a first token has nothing before it to be told from."""
        return sum(label != IGNORED for label in self.labels[1:])


class RowTokenizer:
    """Turns rows into `Example`s.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerFast
        The model's tokenizer; offsets are needed, so a fast one.
    max_length : int
        Longer rows lose their end.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, max_length: int) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        if not tokenizer.chat_template:
            tokenizer.chat_template = PLAIN_TEMPLATE

    def example(self, line: int, row: dict) -> Example:
        """Tokenise one checked row."""
        if "messages" in row:
            text, spans = self._chat(row["messages"])
        else:
            text = row["prompt"] + row["completion"] + self.tokenizer.eos_token
            spans = [(len(row["prompt"]), len(text))]
        return self._tokens(line, text, spans)

    def _chat(self, messages: list[dict]) -> tuple[str, list[tuple[int, int]]]:
        """Render the chat, and find each learned turn by what it adds to the chat before it."""
        text = self._render(messages)
        spans = []
        for i, message in enumerate(messages):
            if message["role"] != "assistant" or message.get("weight", 1) == 0:
                continue
            before = self._render(messages[:i], add_generation_prompt=True) if i else self._opening(text)
            upto = text if i == len(messages) - 1 else self._render(messages[: i + 1])
            if not upto.startswith(before) or not text.startswith(upto):
                if i < len(messages) - 1:
                    continue  # a template that rewrites earlier turns: only the last can be learned
                before = _common_prefix(before, text)
            spans.append((len(before), len(before) + self._turn_length(upto[len(before) :])))
        return text, spans

    def _opening(self, text: str) -> str:
        """Return what comes before an answer that is the first message: templates render no empty chat."""
        asked = [{"role": "user", "content": "?"}]
        opening = self._render(asked, add_generation_prompt=True).removeprefix(self._render(asked))
        return text[: text.find(opening) + len(opening)] if opening in text else ""

    def _render(self, messages: list[dict], add_generation_prompt: bool = False) -> str:
        plain = [{"role": m["role"], "content": m["content"]} for m in messages]
        return self.tokenizer.apply_chat_template(
            plain, tokenize=False, add_generation_prompt=add_generation_prompt
        )

    def _turn_length(self, turn: str) -> int:
        """Length of a turn without the white space that the template puts after its last special token."""
        stripped = turn.rstrip()
        ends = any(stripped.endswith(token) for token in self.tokenizer.all_special_tokens)
        return len(stripped) if ends else len(turn)

    def _tokens(self, line: int, text: str, spans: list[tuple[int, int]]) -> Example:
        encoded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
        labels = [
            token if end > start and any(first <= start and end <= last for first, last in spans) else IGNORED
            for token, (start, end) in zip(ids, offsets, strict=True)
        ]
        n_cut = max(0, len(ids) - self.max_length)
        return Example(line, ids[: self.max_length], labels[: self.max_length], n_cut)


def _common_prefix(one: str, other: str) -> str:
    n = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return one[:n]
