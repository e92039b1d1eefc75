"""The next job as a line that can be pasted as it stands: a command, or the arguments of transformers' Trainer.

Knows the options of `tracker submit`, how a shell quotes and what the Trainer calls the knobs; knows nothing of how
the setting was chosen.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from advisor.nouns import AUTO, Advice, HyperParameters, Job
from advisor.tell.visible import visible
from advisor.tell.words import figure, same

OPTIONS = {
    "n_epochs": "--epochs",
    "batch_size": "--batch-size",
    "learning_rate_multiplier": "--learning-rate-multiplier",
    "learning_rate": "--learning-rate",
}
TRAINER = "Hugging Face Trainer"  # as a record's `logger` says it
OWN = (
    "",
    "OpenAI",
    "job",
)  # first words of the formats that are no other trainer's: a provider's, and job records
UNKNOWN = {"train": "TRAIN.jsonl", "model": "MODEL"}  # stand where the record does not say


def next_command(advice: Advice, job: Job | Mapping[str, Any] | None = None) -> str:
    """The `tracker submit` line of each proposal, one a line; empty where there is nothing to submit.

    Parameters
    ----------
    advice
        What `advise` answered.
    job
        The newest job, best as its record: that alone names the files, the experiment and the endpoint.
    """
    settings = [p.hyperparameters for p in advice.proposals if p.hyperparameters is not None]
    return "\n".join(submit_line(s, job) for s in settings)


def submit_line(setting: HyperParameters, job: Job | Mapping[str, Any] | None = None) -> str:
    """One `tracker submit` line. A knob left to the provider ("auto") needs no option: it is the default.

    Of a job that transformers' Trainer logged it is the Trainer's arguments, on one device; of one that another trainer
    logged it is empty: nobody knows its arguments here, and no provider takes it.
    """
    facts = _facts(job)
    if facts["trainer"] and setting.learning_rate is not None:
        return trainer_line(setting, _held(facts["tried"].get("batch_size"), setting), 1)
    if facts["elsewhere"]:
        return ""
    words = ["tracker", "submit", facts["train"] or UNKNOWN["train"]]
    if facts["valid"]:
        words += ["--valid", facts["valid"]]
    words += ["--model", facts["model"] or UNKNOWN["model"]]
    for knob, option in OPTIONS.items():
        value = getattr(setting, knob)
        if value not in (None, AUTO):
            words += [option, figure(value, digits=6)]
    again = all(same(v, facts["tried"].get(k)) for k, v in setting.to_record().items())
    for option in ("seed", "experiment", "base_url"):
        if facts[option] is not None and not (again and option == "seed"):  # a replicate takes another seed
            words += [f"--{option.replace('_', '-')}", str(facts[option])]
    return " ".join(map(_word, words))


def _held(tried: Any, setting: HyperParameters) -> int:
    """Examples that a device has held at once so far, as far as a number tells it, else what is proposed."""
    known = (n for n in (tried, setting.batch_size) if isinstance(n, int | float) and n >= 1)
    return int(next(known, 1))


def trainer_line(setting: HyperParameters, part: int, devices: int, steps_rule: bool = False) -> str:
    """The setting as `TrainingArguments`, which take the batch of an optimiser step in parts.

    Parameters
    ----------
    setting
        A proposal; its batch size is that of one optimiser step, over all devices.
    part
        Examples that a device has held at once so far: for its memory it is given no more.
    devices
        How many train side by side.
    steps_rule
        Whether `max_steps` is set, which would overrule the epochs.
    """
    words, uneven = {"num_train_epochs": setting.n_epochs}, ""
    if setting.batch_size not in (None, AUTO):
        share = max(1, round(setting.batch_size / devices))
        held = max(n for n in range(1, min(share, part) + 1) if share % n == 0)
        words |= {"per_device_train_batch_size": held, "gradient_accumulation_steps": share // held}
        if share * devices != setting.batch_size:
            uneven = f"  # a batch of {share * devices}: {setting.batch_size:g} does not divide by {devices} devices"
    words |= {"learning_rate": setting.learning_rate} | ({"max_steps": -1} if steps_rule else {})
    told = [f"{name}={figure(value, digits=6)}" for name, value in words.items() if value not in (None, AUTO)]
    return f"TrainingArguments({', '.join(told)})" + uneven


def _read_from(record: Mapping[str, Any]) -> str:
    """The first word of the format that a record was read from; empty where it was read from none."""
    source = record.get("source")
    form = source.get("format") if isinstance(source, Mapping) else None
    return form.split()[0] if isinstance(form, str) and form.strip() else ""


def _word(word: str) -> str:
    """A word as a shell reads it back, on one line of characters that can be seen."""
    if visible(word) == word:
        return shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{visible(escaped)}'"


def _facts(job: Job | Mapping[str, Any] | None) -> dict[str, Any]:
    names = ("train", "valid", "model", "seed", "experiment", "base_url")
    if isinstance(job, Job):
        known = {
            "model": job.model,
            "seed": job.seed,
            "tried": job.hyperparameters.to_record(),
            "trainer": False,
            "elsewhere": False,
        }
        return dict.fromkeys(names) | known
    record = job or {}
    facts = {name: record.get(name) for name in names[2:]} | {"tried": record.get("hyperparameters") or {}}
    own = not any(record.get(name) for name in ("provider", "endpoint", "base_url"))
    facts["trainer"] = record.get("logger") == TRAINER and own
    of_a_run = record.get("run_id") and not record.get("key")  # of a store, and not tracked as a job
    facts["elsewhere"] = own and bool(record.get("logger") or of_a_run or _read_from(record) not in OWN)
    return facts | {"train": path_of(record, "train_file"), "valid": path_of(record, "valid_file")}


def path_of(record: Mapping[str, Any], key: str) -> str | None:
    """The path of a file that a record names; None where it names a digest alone."""
    file = record.get(key)
    path = file.get("path") if isinstance(file, Mapping) else None
    return path if isinstance(path, str) else None
