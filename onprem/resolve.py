"""Requested hyperparameters become the ones a worker trains with; nothing stays `auto`.

The three that OpenAI has follow the formulas of `onprem.auto`. Those that only this server has:

====================== =======================================================================
lora                   true, false or "auto" (LoRA above 50 million parameters)
lora_r, lora_alpha     rank (default 16) and scale (default twice the rank)
lora_dropout           default 0
learning_rate          absolute peak; the multiplier is then what it amounts to
max_length             tokens a row; default the model's context, at most 2,048
too_long               "truncate" (default) or "refuse"
packing                several rows in one sequence; steps per epoch then fall
weight_decay           default 0
warmup_ratio           share of the steps over which the rate rises; default 0
====================== =======================================================================

The learning rate is `auto.base_learning_rate(model)` times the multiplier, and falls linearly to 0 at the last step.
"""

from onprem import auto

LORA_ABOVE = 50_000_000  # parameters: above, full tuning needs over 1 GB for Adam's state alone
LORA_R = 16
MAX_LENGTH = 2048  # rows longer than that are rare in tuning data, and dear
DPO_BETA = 0.1  # TRL's default, and the value OpenAI's guide calls moderate
DPO_RATE = 0.1  # DPO overshoots at supervised rates; a tenth is common practice
AUTO = (None, "auto", -1)


def resolve(requested: dict, method: str, n_examples: int, model: dict) -> dict:
    """Resolve a job's hyperparameters.

    Parameters
    ----------
    requested : dict
        As the client gave them; missing, None and "auto" mean auto.
    method : {"supervised", "dpo"}
        The job's method.
    n_examples : int
        Rows of the training file.
    model : dict
        The base model's row: `n_params`, `hidden_size`, `context_length`.
    """
    asked = {k: v for k, v in requested.items() if v not in AUTO or isinstance(v, bool)}
    wants_lora = asked.get("lora", model["n_params"] > LORA_ABOVE or "lora_r" in asked)
    kind = "lora" if wants_lora else "full"
    base = auto.base_learning_rate(model["n_params"], model["hidden_size"], kind)
    base *= DPO_RATE if method == "dpo" else 1
    if "learning_rate" in asked:
        asked["learning_rate_multiplier"] = asked["learning_rate"] / base
    hp = auto.resolve(asked, n_examples, n_params=model["n_params"], method=kind)
    r = asked.get("lora_r", LORA_R)
    lora = {"r": r, "alpha": asked.get("lora_alpha", 2 * r), "dropout": asked.get("lora_dropout", 0.0)}
    return {
        **hp,
        "learning_rate": asked.get("learning_rate", base * hp["learning_rate_multiplier"]),
        "lora": lora if wants_lora else None,
        "max_length": asked.get("max_length", min(MAX_LENGTH, model["context_length"])),
        "too_long": asked.get("too_long", "truncate"),
        "packing": asked.get("packing", False),
        "weight_decay": asked.get("weight_decay", 0.0),
        "warmup_ratio": asked.get("warmup_ratio", 0.0),
        **({"beta": asked.get("beta", DPO_BETA)} if method == "dpo" else {}),
    }
