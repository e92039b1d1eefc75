"""Nebius Token Factory: OpenAI's API with an absolute learning rate and LoRA settings."""

from tracker.providers.base import Provider

PROVIDER = Provider(
    name="nebius",
    title="Nebius Token Factory",
    base_url="https://api.tokenfactory.nebius.com/v1/",
    hosts=("api.tokenfactory.nebius.com", "*.nebius.com", "*.nebius.ai"),
    url_env=("NEBIUS_BASE_URL",),
    key_env=("NEBIUS_API_KEY",),
    # Working range, not the service's own bounds: LoRA rates of published recipes lie between 1e-6 and 1e-3.
    limits={
        "n_epochs": {"min": 1, "max": 20},
        "batch_size": {"min": 8, "max": 128},
        "learning_rate": {"min": 1e-6, "max": 1e-3},
    },
    omits_auto=True,
    auto="The service's own defaults; its answers carry the values used.",
    requests_per_second=10.0,
    notes="Further settings pass through: lora, lora_r, lora_alpha, lora_dropout, packing, warmup_ratio, weight_decay, "
    "max_grad_norm.",
)
