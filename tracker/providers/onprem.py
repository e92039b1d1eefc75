"""The project's own server, or any like it, on this machine: met by its address alone."""

from tracker.providers.base import Provider

PROVIDER = Provider(
    name="onprem",
    title="the on-premises server",
    base_url="http://127.0.0.1:8321/v1",
    hosts=("127.0.0.1", "localhost", "::1"),
    key_env=("ONPREM_API_KEY", "OPENAI_API_KEY"),
    # What the server's request schema takes.
    limits={
        "n_epochs": {"min": 1, "max": 50},
        "batch_size": {"min": 1, "max": 256},
        "learning_rate_multiplier": {"above": 0, "max": 1e6},
    },
    # The range of the search space that the design's own example draws; epochs that a small model stands.
    search={
        "n_epochs": {"min": 1, "max": 12},
        "batch_size": {"min": 1, "max": 64},
        "learning_rate_multiplier": {"min": 0.02, "max": 10},
    },
    auto="The server's documented formula over the number of examples; its answers carry the values used.",
    # Loopback: nobody else pays for the requests, and jobs last seconds.
    requests_per_second=200.0,
    poll_s=0.4,
)
