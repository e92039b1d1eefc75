"""Request bodies, checked field by field; what is not known is refused by name."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from onprem.server.wording import refuse

MAX_METADATA, MAX_KEY, MAX_VALUE = 16, 64, 512  # OpenAI's limits
MAX_SUFFIX = 64
SEED_LIMIT = 2**31 - 1  # what every random generator here takes

Auto = Literal["auto"]
Number = Annotated[float, Field(strict=False, allow_inf_nan=False)]
Metadata = dict[
    Annotated[str, StringConstraints(max_length=MAX_KEY)],
    Annotated[str, StringConstraints(max_length=MAX_VALUE)],
]


class Strict(BaseModel):
    """A body that takes no field that it does not know, and no text that is none.

    JSON can spell half a surrogate pair, which no encoding has; pydantic looks for it in strings with limits alone.
    """

    model_config = ConfigDict(extra="forbid", str_min_length=0)


class Hyperparameters(Strict):
    """OpenAI's three, and those of this server (`onprem.resolve` tells them)."""

    n_epochs: Auto | Annotated[int, Field(ge=1, le=50, strict=True)] | None = "auto"
    batch_size: Auto | Annotated[int, Field(ge=1, le=256, strict=True)] | None = "auto"
    learning_rate_multiplier: Auto | Annotated[Number, Field(gt=0, le=1e6)] | None = "auto"
    learning_rate: Auto | Annotated[Number, Field(gt=0, le=1e3)] | None = None
    lora: Annotated[bool, Field(strict=True)] | Auto | None = None
    lora_r: Annotated[int, Field(ge=1, le=512, strict=True)] | None = None
    lora_alpha: Annotated[Number, Field(gt=0, le=4096)] | None = None
    lora_dropout: Annotated[Number, Field(ge=0, lt=1)] | None = None
    max_length: Annotated[int, Field(ge=8, le=1_000_000, strict=True)] | None = None
    too_long: Literal["truncate", "refuse"] | None = None
    packing: Annotated[bool, Field(strict=True)] | None = None
    weight_decay: Annotated[Number, Field(ge=0, le=10)] | None = None
    warmup_ratio: Annotated[Number, Field(ge=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _no_contradictions(self) -> "Hyperparameters":
        wrong = {}
        if self.learning_rate not in (None, "auto") and self.learning_rate_multiplier not in (None, "auto"):
            wrong["learning_rate"] = "learning_rate and learning_rate_multiplier exclude each other; give one"
        if self.lora is False and self.lora_r is not None:
            wrong["lora_r"] = "lora_r was given, but lora is false"
        if wrong:
            raise refuse(next(iter(wrong)), "; ".join(wrong.values()))
        return self


class DpoHyperparameters(Hyperparameters):
    """DPO has a beta as well."""

    beta: Auto | Annotated[Number, Field(gt=0, le=100)] | None = "auto"


class Supervised(Strict):
    """Settings of a supervised job."""

    hyperparameters: Hyperparameters = Hyperparameters()


class Dpo(Strict):
    """Settings of a preference job."""

    hyperparameters: DpoHyperparameters = DpoHyperparameters()


class Method(Strict):
    """What kind of job, and its settings."""

    type: Literal["supervised", "dpo"]
    supervised: Supervised | None = None
    dpo: Dpo | None = None

    @field_validator("type", mode="before")
    @classmethod
    def _no_reinforcement(cls, value: Any) -> Any:
        if value == "reinforcement":
            text = "This server does not do reinforcement fine-tuning; method.type is supervised or dpo"
            raise refuse("", text)
        return value

    @model_validator(mode="after")
    def _only_its_own(self) -> "Method":
        other = "dpo" if self.type == "supervised" else "supervised"
        if getattr(self, other) is not None:
            raise refuse(other, f"method.type is {self.type}, but method.{other} was given")
        return self


class Wandb(Strict):
    """Accepted and given back; this server pushes to no third party."""

    project: str
    entity: str | None = None
    name: str | None = None
    tags: list[str] | None = None


class Integration(Strict):
    """An integration."""

    type: Literal["wandb"]
    wandb: Wandb


class JobCreate(Strict):
    """Body of POST /v1/fine_tuning/jobs."""

    model: str
    training_file: str
    validation_file: str | None = None
    hyperparameters: Hyperparameters | None = None
    method: Method | None = None
    suffix: Annotated[str, StringConstraints(min_length=1, max_length=MAX_SUFFIX)] | None = None
    seed: Annotated[int, Field(ge=0, le=SEED_LIMIT, strict=True)] | None = None
    metadata: Annotated[Metadata, Field(max_length=MAX_METADATA)] | None = None
    integrations: list[Integration] | None = None
    priority: Annotated[int, Field(ge=-10, le=10, strict=True)] = 0

    @model_validator(mode="after")
    def _one_place(self) -> "JobCreate":
        if self.method is not None and self.hyperparameters is not None:
            raise refuse(
                "hyperparameters", "hyperparameters and method exclude each other; put them into method"
            )
        return self

    def chosen_method(self) -> tuple[str, dict]:
        """Return the method's type and the hyperparameters that were asked for, set fields only."""
        kind = self.method.type if self.method else "supervised"
        own = getattr(self.method, kind) if self.method else None
        hp = own.hyperparameters if own else self.hyperparameters or Hyperparameters()
        return kind, hp.model_dump(exclude_unset=True, exclude_none=True)
