"""Any other endpoint that speaks OpenAI's fine-tuning API, whole or in part (gateways such as LiteLLM)."""

from tracker.providers.base import LEGACY_SEARCH, Provider

PROVIDER = Provider(
    name="compatible",
    title="the compatible endpoint",
    hosts=(),
    limits={
        "n_epochs": {"min": 1, "max": 50},
        "batch_size": {"min": 1, "max": 256},
        "learning_rate_multiplier": {"min": 0.02, "max": 10},
    },
    auto="Whatever the endpoint makes of it; its answers tell, where they carry resolved values.",
    model_search=LEGACY_SEARCH,
    requests_per_second=5.0,
    notes="Routes that are missing are named when a job is followed, with what cannot be recorded then.",
)

#: What cannot be recorded where a route is missing.
MISSING_ROUTES = {
    "events": "no live curves: losses come from checkpoints and the result file, once the job has ended",
    "checkpoints": "no full validation losses beyond those in events, and no list of checkpoint models",
}
