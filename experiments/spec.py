"""What a SPEC.toml may say, checked as a whole: every mistake is found before anything is reported.

Knows no provider and no store: limits of a provider's knobs are checked when the loop meets that provider.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationError,
    ValidationInfo,
)

from experiments import spec_values as values
from experiments.errors import SpecError
from experiments.spec_across import problems
from experiments.spec_errors import sentences

# What is not part of a loop's identity: where it runs and how many jobs at a time may change between two calls.
NOT_IDENTITY = frozenset({"base_url", "parallel"})


def _existing(path: Path, info: ValidationInfo) -> Path:
    """A path as the spec means it: relative to the folder of the SPEC.toml."""
    full = ((info.context or {}).get("folder", Path()) / path).resolve()
    if not full.is_file():
        raise ValueError(f"there is no file {full}; paths are relative to the folder of the SPEC.toml")
    return full


DataFile = Annotated[Path, AfterValidator(_existing)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _kind(value: Any) -> str:
    return "table" if isinstance(value, dict | Start) else "word"


Count = Annotated[int | str, PlainValidator(values.count_or_auto)]
Rate = Annotated[float | str, PlainValidator(values.rate_or_auto)]
Limits = Annotated[list | dict, PlainValidator(values.limits)]


class Start(_Part):
    """A concrete first setting; a knob that is left out is "auto"."""

    n_epochs: Count = Field("auto", description="passes over the training file")
    batch_size: Count = Field("auto", description="examples per optimiser step")
    learning_rate_multiplier: Rate = Field("auto", description="times the provider's base learning rate")
    learning_rate: Rate | None = Field(None, description="absolute, where the provider has no multiplier")


class Space(_Part):
    """Narrower limits than the provider's: a list of allowed values, or {min, max}."""

    n_epochs: Limits | None = Field(None, description="[1, 2, 3] or {min = 1, max = 8}")
    batch_size: Limits | None = Field(None, description="as above")
    learning_rate_multiplier: Limits | None = Field(None, description="as above")
    learning_rate: Limits | None = Field(None, description="as above, where the provider has no multiplier")


class Budget(_Part):
    """Where the loop ends at the latest; the first limit that is reached counts."""

    jobs: int = Field(5, ge=1, description="jobs in all, failed ones included")
    trained_tokens: int | None = Field(
        None,
        ge=1,
        description="tokens trained on, all jobs and epochs together; no job is begun that would pass it",
    )
    cost_usd: float | None = Field(None, gt=0, description="US dollars, as the jobs' records tell their cost")


class Eval(_Part):
    """A held-out test on which every tuned model is scored, beside its loss."""

    test: DataFile = Field(description="examples that are in neither train nor valid, chat JSONL")
    metric: Annotated[str, AfterValidator(values.metric)] = Field(
        "exact_match", description="exact_match, f1, regex:PATTERN or cmd:COMMAND"
    )


class Spec(_Part):
    """One tuning loop."""

    name: str = Field(
        min_length=1, max_length=100, description="the loop's name: run again, it goes on where it stood"
    )
    train: DataFile = Field(description="training examples, chat JSONL")
    valid: DataFile | None = Field(
        None, description="validation examples; without them overfitting cannot be seen"
    )
    model: str = Field(min_length=1, description="the model to tune, as the provider names it")
    provider: Annotated[str, AfterValidator(values.provider)] | None = Field(
        None, description="openai, azure, nebius, onprem ...; guessed from base_url"
    )
    base_url: Annotated[str, AfterValidator(values.address)] | None = Field(
        None, description="the provider's address; else --base-url or OPENAI_BASE_URL"
    )
    experiment: str | None = Field(None, description="MLflow experiment; else the training file's stem")
    objective: str = Field(
        "final",
        description="what the loop improves: final (the last validation loss), best_checkpoint, or the metric of [eval]",
    )
    start: Annotated[
        Annotated[Literal["auto", "advisor"], Tag("word")] | Annotated[Start, Tag("table")],
        Discriminator(_kind),
    ] = Field(
        "auto", description='the first job: "auto" (the provider chooses), "advisor", or a table of knobs'
    )
    seed: int | None = Field(0, ge=0, description="the same for every job, so that settings alone differ")
    suffix: str | None = Field(None, max_length=64, description="goes into the tuned models' names")
    parallel: int = Field(1, ge=1, le=64, description="jobs at a time")
    ignore_stop: bool = Field(
        False, strict=True, description="use the whole budget even where the advisor says stop"
    )
    guide_only: bool = Field(
        False, strict=True, description="the guide's rules alone, without measured prior knowledge"
    )
    budget: Budget = Field(default_factory=Budget, description="limits of the loop")
    eval: Eval | None = Field(None, description="a test of the task itself: loss is not the task")
    space: Space = Field(default_factory=Space, description="narrower limits of the knobs")

    def identity(self) -> dict[str, Any]:
        """What makes the loop this loop: plain JSON, with digests of the data instead of their paths."""
        out = self.model_dump(mode="json", exclude=set(NOT_IDENTITY), exclude_none=True)
        out["train"] = digest(self.train)
        if self.valid:
            out["valid"] = digest(self.valid)
        if self.eval:
            out["eval"]["test"] = digest(self.eval.test)
        return out


def digest(path: Path) -> str:
    """SHA-256 of a file, in constant memory."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def load(path: str | Path) -> Spec:
    """Read a SPEC.toml.

    Raises
    ------
    SpecError
        With all the mistakes of the file, one sentence each.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(path, [f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        where = f"byte 0x{error.object[error.start]:02x} at position {error.start}"
        raise SpecError(path, [f"is not UTF-8 text: {where}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(path, [f"is no TOML: {error}"]) from None
    return parse(data, path)


def parse(data: dict[str, Any], path: str | Path) -> Spec:
    """A `Spec` from parsed TOML; `path` is where it came from, for relative paths and for errors."""
    path = Path(path)
    found, spec = problems(data), None
    try:
        spec = Spec.model_validate(data, context={"folder": path.resolve().parent})
    except ValidationError as error:
        found = sentences(error, Spec) + found
    if spec is None or found:
        raise SpecError(path, found)
    return spec


def changes(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """What differs between two identities, one sentence per key."""
    out = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if isinstance(was, dict) and isinstance(now, dict):
            out += changes(was, now, f"{prefix}{key}.")
        elif was != now:
            out.append(f"{prefix}{key} was {_short(was)} and is now {_short(now)}")
    return out


def _short(value: Any) -> str:
    text = "not given" if value is None else str(value)
    return text if len(text) <= 60 else text[:20] + "..."
