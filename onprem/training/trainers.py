"""TRL's trainers with every default that would mislead set explicitly.

Set against the defaults: NaN losses are logged as they are (`logging_nan_inf_filter`), no second truncation
(`max_length`), no gradient checkpointing or bf16 on a CPU, AdamW without weight decay, linear decay without
warmup unless asked for, gradients clipped at 1.0, one log a step, saving and evaluating left to the callback.
"""

from pathlib import Path

from datasets import Dataset
from peft import LoraConfig, TaskType
from transformers import PreTrainedModel, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from onprem.training import gpu, preferences, ranks
from onprem.training.plan import Plan
from onprem.training.rows_to_tokens import Example

MAX_GRAD_NORM = 1.0


class Supervised(SFTTrainer):
    """SFTTrainer that writes no model card."""

    def create_model_card(self, *args, **kwargs) -> None:
        """Write none: the server tells what a model is."""


class Preference(DPOTrainer):
    """DPOTrainer on rows that are tokenised and scored by the reference model already."""

    def create_model_card(self, *args, **kwargs) -> None:
        """Write none."""

    def _prepare_dataset(self, dataset: Dataset, *args) -> Dataset:
        return dataset

    def _precompute_ref_logps(self, dataset: Dataset, *args) -> Dataset:
        return dataset


def common(plan: Plan, folder: Path) -> dict:
    """Return the arguments that all methods share."""
    on_gpu = gpu.present()
    return {
        "output_dir": str(folder), "seed": plan.seed, "data_seed": plan.seed, "num_train_epochs": plan.n_epochs,
        "per_device_train_batch_size": plan.micro_batch,
        "gradient_accumulation_steps": plan.batch_size // (plan.micro_batch * ranks.world_size()),
        "learning_rate": plan.learning_rate, "lr_scheduler_type": "linear", "warmup_steps": plan.warmup_ratio,
        "optim": "adamw_torch", "weight_decay": plan.weight_decay, "max_grad_norm": MAX_GRAD_NORM,
        "logging_strategy": "steps", "logging_steps": 1, "logging_nan_inf_filter": False,
        "eval_strategy": "no", "save_strategy": "no", "report_to": "none", "disable_tqdm": True,
        "bf16": plan.bf16, "fp16": False, "gradient_checkpointing": plan.gradient_checkpointing, "use_cpu": not on_gpu,
        "fsdp": (ranks.asked_to_share() and ranks.shares_the_model()) or None, "dataloader_pin_memory": on_gpu, "max_length": plan.max_length, "trust_remote_code": False,
    }  # fmt: skip


def supervised(
    plan: Plan, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, rows: list[Example], folder: Path
) -> Supervised:
    """Build the supervised trainer; rows come tokenised, so that TRL leaves them as they are."""
    dataset = Dataset.from_dict(
        {"input_ids": [r.input_ids for r in rows], "labels": [r.labels for r in rows]}
    )
    config = SFTConfig(
        **common(plan, folder), packing=plan.packing,
        dataset_kwargs=None if plan.packing else {"skip_prepare_dataset": True},
    )  # fmt: skip
    return Supervised(
        model=model,
        args=config,
        train_dataset=dataset,
        processing_class=tokenizer,
        peft_config=lora_config(plan),
    )


def preference(
    plan: Plan,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    pairs: list[preferences.Pair],
    reference: list[tuple[float, float]],
    folder: Path,
) -> Preference:
    """Build the DPO trainer."""
    config = DPOConfig(**common(plan, folder), beta=plan.beta, precompute_ref_log_probs=True)
    return Preference(
        model=model,
        args=config,
        train_dataset=preferences.dataset(pairs, reference),
        processing_class=tokenizer,
        peft_config=lora_config(plan),
    )


def lora_config(plan: Plan) -> LoraConfig | None:
    """Return peft's configuration: every linear layer but the head."""
    if plan.lora is None:
        return None
    return LoraConfig(
        task_type=TaskType.CAUSAL_LM, r=plan.lora["r"], lora_alpha=plan.lora["alpha"],
        lora_dropout=plan.lora["dropout"], target_modules="all-linear",
    )  # fmt: skip
