"""Names of tuned models, as OpenAI makes them."""

import re


def model_name(job: dict) -> str:
    """Return ``ft:<model>:<organisation>:<suffix>:<id>``; a model tuned again keeps its first base's name."""
    base = job["model"].split(":")[1] if job["model"].startswith("ft:") else job["model"]
    suffix = re.sub(r"[^A-Za-z0-9._-]+", "-", job["suffix"] or "").lower()
    return f"ft:{base}:{job['tenant']}:{suffix}:{job['id'].partition('-')[2][:8]}"


def checkpoint_name(job: dict, step: int) -> str:
    """Return the name of a checkpoint of the job's model."""
    return f"{model_name(job)}:ckpt-step-{step}"
