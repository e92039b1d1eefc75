"""Where a base model comes from: a folder, a hub name, a GGUF file, or the package that brings SmolLM2.

Returns a folder of safetensors; what that folder must hold is the registry's business.
"""

from pathlib import Path

from onprem.registry import ModelError, check_name
from onprem.store import DataFolder

WANTED = ["*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "tokenizer*", "*.jinja",
          "special_tokens_map.json", "vocab.json", "merges.txt"]  # fmt: skip


def obtain(name: str, source: str | None, folder: DataFolder) -> Path:
    """Return the folder of the model that `source` names.

    Raises
    ------
    ModelError
        If there is no such model, or it cannot be called so.
    """
    check_name(name)
    if source is None:
        from onprem.gguf import smollm2_file

        if name != "smollm2":
            raise ModelError(f"models add {name}: give a folder, a .gguf file or a hub name")
        source = str(smollm2_file())
    path = Path(source).expanduser()
    if path.is_dir():
        return path
    if path.suffix == ".gguf":
        from onprem.gguf import convert

        return convert(path, folder.model(name))
    if path.is_absolute() or source.startswith((".", "~")):
        raise ModelError(f"{source} is not there: expected a folder or a .gguf file")
    return _download(source, folder.model(name))


def _download(hub_name: str, target: Path) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_name, local_dir=target, allow_patterns=WANTED))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        text = f"{hub_name!r} is no folder here, and could not be had from the hub ({type(error).__name__})"
        raise ModelError(text + "; check the name, or copy the model's folder here") from None
