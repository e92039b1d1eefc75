"""MLflow's limits, and texts cut to them: what is longer would be cut silently or refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping

#: Characters of a param's value, of a run tag's, of a key; of a dataset's name and digest.
PARAM_CHARS, TAG_CHARS, KEY_CHARS = 6000, 8000, 250
DATASET_CHARS, DIGEST_CHARS = 500, 36

#: Error codes of what MLflow will never take, however often it is offered.
FINAL = (
    "INVALID_PARAMETER_VALUE",
    "RESOURCE_DOES_NOT_EXIST",
    "RESOURCE_ALREADY_EXISTS",
    "BAD_REQUEST",
    "INVALID_STATE",
)


def cut_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags with names that MLflow allows and values that it keeps whole."""
    return {name(key): str(value)[:TAG_CHARS] for key, value in tags.items()}


def cut_params(params: Mapping[str, str]) -> dict[str, str]:
    """Return params with names that MLflow allows and values that it keeps whole."""
    return {name(key): str(value)[:PARAM_CHARS] for key, value in params.items()}


def name(key: str) -> str:
    """Return a key as MLflow allows it: alphanumerics, ``_ - . space : /``."""
    return "".join(c if c.isalnum() or c in "_-. :/" else "_" for c in key)[:KEY_CHARS]
