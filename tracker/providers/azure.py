"""Azure OpenAI and Microsoft Foundry: OpenAI's API under the v1 address, or the older one with an api-version."""

from tracker.providers.base import LEGACY_SEARCH, Provider

PROVIDER = Provider(
    name="azure",
    title="Azure OpenAI",
    hosts=("*.openai.azure.com", "*.services.ai.azure.com", "*.cognitiveservices.azure.com"),
    url_env=("AZURE_OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"),
    key_env=("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_KEY"),
    # Same request body as OpenAI's.
    limits={
        "n_epochs": {"min": 1, "max": 50},
        "batch_size": {"min": 1, "max": 256},
        "learning_rate_multiplier": {"min": 0.02, "max": 10},
    },
    auto="By the number of examples, as at OpenAI; unresolved values are served as -1.",
    model_search=LEGACY_SEARCH,
    # Open-weight models fail without a training tier; globalStandard is the one that serves every model.
    extra={"trainingType": "globalStandard"},
    # Taken where the address is a bare resource endpoint; the v1 address needs none.
    api_version="2025-04-01-preview",
    # No published figure found: a cautious one; 429 answers lower it further.
    requests_per_second=5.0,
    notes="An endpoint of another resource accepts jobs silently: check the resource name.",
)
