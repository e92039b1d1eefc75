"""What differs between the methods: the trainer, how a validation set is scored, and the names of the figures."""

import math
from collections.abc import Callable
from typing import ClassVar

import torch
from transformers import PreTrainedTokenizerFast

from onprem.training import trainers
from onprem.training.data import Data
from onprem.training.evaluate import Score, evaluate, total
from onprem.training.plan import Plan
from onprem.training.preferences import pair_scores, reference_nats

Stop = Callable[[], bool]


class SupervisedTask:
    """Learn the answers; losses in nats per trained token."""

    accuracy = "mean_token_accuracy"  # as in `valid_mean_token_accuracy`
    train_figures: ClassVar = {"mean_token_accuracy": "train_mean_token_accuracy"}  # TRL's names and ours

    def __init__(self, plan: Plan, data: Data, tokenizer: PreTrainedTokenizerFast) -> None:
        self.plan, self.data, self.tokenizer = plan, data, tokenizer

    def prepare(self, reference: torch.nn.Module) -> None:
        """Nothing: there is no reference model."""

    def trainer(self, model: torch.nn.Module, folder) -> trainers.Supervised:
        """Build TRL's trainer."""
        return trainers.supervised(self.plan, model, self.tokenizer, self.data.train, folder)

    def scores(self, model: torch.nn.Module, picked: list[int], stop: Stop = lambda: False) -> list[Score]:
        """Score the picked rows of the validation set."""
        return evaluate(model, [self.data.valid[i] for i in picked], self.tokenizer.pad_token_id, stop=stop)

    def training_loss(self, model: torch.nn.Module, picked: list[int]) -> float:
        """Return the loss on the picked rows of the training set."""
        rows = [self.data.train[i] for i in picked]
        return total(evaluate(model, rows, self.tokenizer.pad_token_id)).loss

    def guess(self, model: torch.nn.Module) -> float:
        """Return the training loss of a model that knows nothing."""
        return math.log(model.config.get_text_config().vocab_size)


class PreferenceTask(SupervisedTask):
    """Prefer one answer to another; losses in nats per pair, ln 2 before training."""

    accuracy = "reward_accuracy"
    train_figures: ClassVar = {
        "mean_token_accuracy": "train_mean_token_accuracy",  # of the chosen answers
        "rewards/accuracies": "train_reward_accuracy",
        "rewards/margins": "train_reward_margin",
    }

    def prepare(self, reference: torch.nn.Module) -> None:
        """Score all rows by the model before training."""
        pad = self.tokenizer.pad_token_id
        self.train_reference = reference_nats(reference, self.data.train, pad)
        self.valid_reference = reference_nats(reference, self.data.valid, pad)

    def trainer(self, model: torch.nn.Module, folder) -> trainers.Preference:
        """Build TRL's trainer."""
        return trainers.preference(
            self.plan, model, self.tokenizer, self.data.train, self.train_reference, folder
        )

    def scores(self, model: torch.nn.Module, picked: list[int], stop: Stop = lambda: False) -> list[Score]:
        """Score the picked pairs of the validation set."""
        pairs = [self.data.valid[i] for i in picked]
        reference = [self.valid_reference[i] for i in picked]
        return pair_scores(model, pairs, reference, self.tokenizer.pad_token_id, self.plan.beta, stop)

    def training_loss(self, model: torch.nn.Module, picked: list[int]) -> float:
        """Return the loss of the picked training pairs' chosen answers, in nats per token."""
        chosen = [self.data.train[i].chosen for i in picked]
        return total(evaluate(model, chosen, self.tokenizer.pad_token_id)).loss

    def guess(self, model: torch.nn.Module) -> float:
        """Return infinity: a preference may be learned by making both answers unlikely, even below a guess."""
        return math.inf


TASKS = {"supervised": SupervisedTask, "dpo": PreferenceTask}
