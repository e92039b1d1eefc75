"""OpenAI itself. New jobs end for everybody on 2027-01-06; what is left is history to rescue."""

from tracker.providers.base import LEGACY_SEARCH, Provider

PROVIDER = Provider(
    name="openai",
    title="OpenAI",
    base_url="https://api.openai.com/v1",
    hosts=("api.openai.com", "*.api.openai.com"),
    # Bounds of the create request in OpenAI's published API description (batch 1-256, epochs 1-50, multiplier > 0);
    # the multiplier's working range is that of the guide's examples, 0.02 to 10.
    limits={
        "n_epochs": {"min": 1, "max": 50},
        "batch_size": {"min": 1, "max": 256},
        "learning_rate_multiplier": {"min": 0.02, "max": 10},
    },
    auto="By the number of examples. Seen: about 0.2 % of the examples as batch, 3 epochs, multiplier 1.8 (gpt-4o-mini) or 2 "
    "(gpt-3.5-turbo).",
    model_search=LEGACY_SEARCH,
    requests_per_second=10.0,
    notes="No new jobs from 2027-01-06 (since 2026-07-02 only for organisations that have lately used a tuned model); tuned models end with their base models from 2027-01-14.",
)
