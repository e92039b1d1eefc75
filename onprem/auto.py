"""What `auto` means: documented formulas, pure Python, known before any model is loaded.

A hyperparameter that is missing, None, "auto" or -1 is resolved; one that is given is kept, and the others are
resolved around it (a larger batch asked for brings a larger learning rate with it). It knows nothing of the curves,
of other jobs or of the task: it is a first guess, and is meant to be improved on.

Sources
-------
- Epochs: three, more for little data and fewer for much, so that a job sees between 100 and 25,000 examples, and never
  over 25 epochs: the rule of OpenAI's cookbook, "Data preparation and analysis for chat model fine-tuning".
- Batch: about 0.2 % of the training examples, at most 256, as OpenAI's API has resolved it since 2021 (its answers for
  46 to 1,110 examples are batches of 1 to 3).
- Learning rate: Adam's best rate grows with the square root of the batch (Malladi et al. 2022, arXiv 2205.10287). The
  rate that a multiplier of 1.0 stands for falls with the width of the model: 5e-5 (2000 / hidden) ^ 0.781 for
  Llama-shaped models (Thinking Machines' tinker-cookbook, 2025).
- LoRA's rate is three times that. "LoRA Without Regret" (2025) finds ten times for long runs on much data; on a few
  dozen examples that may overfit: below, it does on `chat`.

Measured, as the share of the attainable gain (loss before tuning minus the best of a small grid) that it leaves:

- `embedded-tiny`, full tuning: 5.8 % on `commands` and 6.9 % on `chat` (experiments/benchmark/tables/onprem). No constant
  was fitted to either.
- SmolLM2-135M with LoRA, 48 rows of each, 3 epochs of batches of 4, seed 0: on `chat` it is the best of the three rates
  tried; ten times overfits from the second epoch on and leaves 33 %. On `commands` two rates were tried and ten times is
  the better: beside it `auto` leaves 1.9 %, and beside the best, which may lie higher still, at least that. Final full
  validation loss by peak rate:

  =========== ======== ======== ============== ==============
  data        before   1.3e-4   4.0e-4 (auto)  1.3e-3 (ten)
  =========== ======== ======== ============== ==============
  commands    3.63     -        0.214          0.149
  chat        4.10     3.250    3.190          3.491
  =========== ======== ======== ============== ==============

  (24 validation rows; the 0.149 is of 32, 3.65 before, so that the two of `commands` are near, not the same, measures.)
"""

import math

AUTO = (None, "auto", -1)

TARGET_EPOCHS = 3
MIN_EXAMPLES_SEEN, MAX_EXAMPLES_SEEN = 100, 25_000  # examples x epochs (OpenAI's cookbook)
MAX_EPOCHS = 25

BATCH_SHARE = 0.002  # of the training examples
MAX_BATCH = 256
# Below a billion parameters a batch under 4 leaves even one core idle; above, OpenAI's own answers go down to 1.
SMALL_MODEL, SMALL_MODEL_BATCH = 1_000_000_000, 4

REFERENCE_BATCH = 4  # the batch for which a multiplier of 1.0 is meant
MIN_MULTIPLIER, MAX_MULTIPLIER = 0.5, 4.0  # the square-root law is not trusted beyond a batch of 64

REFERENCE_RATE, REFERENCE_WIDTH, WIDTH_POWER = 5e-5, 2000, 0.781
LORA_FACTOR = 3


def resolve(requested: dict, n_examples: int, *, n_params: int, method: str = "full") -> dict:
    """Give every hyperparameter that was left to `auto` a value.

    Parameters
    ----------
    requested : dict
        Any of `n_epochs`, `batch_size`, `learning_rate_multiplier`; other keys are ignored.
    n_examples : int
        Rows of the training file.
    n_params : int
        Parameters of the base model, all of them.
    method : {"full", "lora"}
        What is trained. The multiplier is relative to `base_learning_rate`, which knows the difference, so that the
        answer is the same for both.

    Returns
    -------
    dict
        `n_epochs` (int), `batch_size` (int) and `learning_rate_multiplier` (float), all concrete.

    Raises
    ------
    ValueError
        If there is no example, or the method is unknown.
    """
    if n_examples < 1:
        raise ValueError(f"n_examples is {n_examples}: expected at least one training example")
    _check_method(method)
    given = {name: value for name, value in requested.items() if value not in AUTO}
    batch = given.get("batch_size", _batch_size(n_examples, n_params))
    return {
        "n_epochs": given.get("n_epochs", _epochs(n_examples)),
        "batch_size": batch,
        "learning_rate_multiplier": given.get("learning_rate_multiplier", _multiplier(batch)),
    }


def base_learning_rate(n_params: int, hidden_size: int | None = None, method: str = "full") -> float:
    """Return the peak learning rate that a multiplier of 1.0 stands for.

    Parameters
    ----------
    n_params : int
        Parameters of the base model; used only where `hidden_size` is not known.
    hidden_size : int, optional
        Width of the residual stream. Estimated as (8.3 n_params) ^ (1/3) without it: 12 parameters per layer and
        squared width, and about one layer for each 100 of width.
    method : {"full", "lora"}
        LoRA's best rate is about three times that of full tuning on the little data that tuning jobs have.
    """
    _check_method(method)
    width = hidden_size or (8.3 * n_params) ** (1 / 3)
    rate = REFERENCE_RATE * (REFERENCE_WIDTH / width) ** WIDTH_POWER
    return rate * (LORA_FACTOR if method == "lora" else 1)


def _epochs(n_examples: int) -> int:
    if n_examples * TARGET_EPOCHS < MIN_EXAMPLES_SEEN:
        return min(MAX_EPOCHS, MIN_EXAMPLES_SEEN // n_examples)
    if n_examples * TARGET_EPOCHS > MAX_EXAMPLES_SEEN:
        return max(1, MAX_EXAMPLES_SEEN // n_examples)
    return TARGET_EPOCHS


def _batch_size(n_examples: int, n_params: int) -> int:
    smallest = SMALL_MODEL_BATCH if n_params < SMALL_MODEL else 1
    wanted = max(smallest, round(BATCH_SHARE * n_examples))
    return min(wanted, MAX_BATCH, n_examples)


def _multiplier(batch_size: int) -> float:
    law = math.sqrt(batch_size / REFERENCE_BATCH)
    return round(min(max(law, MIN_MULTIPLIER), MAX_MULTIPLIER), 2)


def _check_method(method: str) -> None:
    if method not in ("full", "lora"):
        raise ValueError(f'method is {method!r}: expected "full" or "lora"')
