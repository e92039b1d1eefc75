"""Drawing the next token from a model's logits, as the OpenAI API's parameters say."""

import torch


def adjusted(logits: torch.Tensor, counts: dict[int, int], request: dict) -> torch.Tensor:
    """Return logits after penalties and biases.

    Parameters
    ----------
    logits : torch.Tensor
        Shape (vocabulary,), float32.
    counts : dict
        How often each token was drawn so far.
    request : dict
        `frequency_penalty`, `presence_penalty` and `logit_bias` are read.
    """
    logits = logits.clone()
    frequency, presence = request.get("frequency_penalty") or 0.0, request.get("presence_penalty") or 0.0
    for token, count in counts.items() if frequency or presence else ():
        logits[token] -= frequency * count + presence
    for token, bias in (request.get("logit_bias") or {}).items():
        if int(token) < len(logits):
            logits[int(token)] += bias
    return logits


GREEDY_BELOW = (
    1e-6  # temperature: a logit behind by 1e-4 has a chance of e^-100, and logits / temperature overflows
)


def draw(logits: torch.Tensor, temperature: float, top_p: float, generator: torch.Generator) -> int:
    """Draw a token: the likeliest at temperature 0 (or so), else from the smallest set whose probability reaches `top_p`."""
    if temperature < GREEDY_BELOW:
        return int(logits.argmax())
    chances = torch.softmax(logits / temperature, -1)
    if top_p < 1:
        ordered, order = chances.sort(descending=True)
        ordered[1:][(ordered.cumsum(-1) - ordered)[1:] >= top_p] = 0  # the likeliest always stays
        return int(order[torch.multinomial(ordered, 1, generator=generator)])
    return int(torch.multinomial(chances, 1, generator=generator))
