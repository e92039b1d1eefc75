"""The wording and the wire form of a step's figures."""

import math

NAMES = {
    "train_loss": "training loss",
    "valid_loss": "validation loss",
    "full_valid_loss": "full validation loss",
}


def wire(figures: dict) -> dict:
    """Make figures fit for JSON: a non-finite one becomes null, and `nonfinite` says which kind it was."""
    data, kind = {}, None
    for name, value in figures.items():
        if isinstance(value, float) and not math.isfinite(value):
            kind = "nan" if math.isnan(value) else kind or "inf"
            value = None
        data[name] = value
    return {**data, "nonfinite": kind} if kind else data


def message(data: dict) -> str:
    """Tell a step in OpenAI's words."""
    told = [
        f"{words}={data[name]:.2f}" if data[name] is not None else f"{words}={data['nonfinite']}"
        for name, words in NAMES.items()
        if name in data
    ]
    return f"Step {data['step']}/{data['total_steps']}: {', '.join(told)}"
