"""Models and tokenizers from folders: safetensors alone, no remote code, LoRA adapters merged at load.

An adapter's folder says in `adapter_base.json` which folder it was trained on; that may hold an adapter too
(a tuned model tuned again), so loading recurses down to whole weights.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

BASE_FILE = "adapter_base.json"


def is_there(folder: Path) -> bool:
    """Tell whether a model's files are on the disk, those of the models that it was tuned on included."""
    if not any(folder.glob("*.safetensors")):
        return False
    base = folder / BASE_FILE
    return is_there(Path(json.loads(base.read_text())["base"])) if base.exists() else True


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Load a fast tokenizer that can pad and that knows how a text ends."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not tokenizer.is_fast or tokenizer.eos_token is None:
        raise ValueError(
            "the model's tokenizer is not a fast one with an end-of-text token, which training needs"
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(folder: Path, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """Load a causal language model on the CPU, with the adapters on its way merged in."""
    if (folder / BASE_FILE).exists():
        base = json.loads((folder / BASE_FILE).read_text())["base"]
        return _merge(load_model(Path(base), dtype), folder)
    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, local_files_only=True, trust_remote_code=False, use_safetensors=True
    )


@torch.no_grad()
def _merge(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """Add scale x B A to every adapted weight: what the adapter computes, without peft in memory."""
    config = json.loads((folder / "adapter_config.json").read_text())
    weights = load_file(folder / "adapter_model.safetensors")
    scale = config["lora_alpha"] / config["r"]
    for name, a in weights.items():
        if ".lora_A." not in name:
            continue
        b = weights[name.replace(".lora_A.", ".lora_B.")]
        target = name.removeprefix("base_model.model.").replace(".lora_A.weight", ".weight")
        weight = model.get_parameter(target)
        weight += (scale * (b.float() @ a.float())).to(weight.dtype)
    return model
