"""The sentence on the model to keep: of what is known, of what is not, and never the one for the other."""

import pytest
from tell_jobs import advice_on, record

from advisor import Job
from advisor.tell.kept import UNTOLD, keep_sentence

BASE = "The base model: no job so far is known to be better."
NONE = {"full": (), "base": None, "train_loss": [[10 * i, 2 - 0.1 * i] for i in range(1, 8)]}


def told(*records):
    return keep_sentence(advice_on(records), [Job.from_record(r) for r in records])


@pytest.mark.parametrize(
    ("what", "records", "sentence"),
    [
        ("no validation loss", [record(**NONE)], UNTOLD),
        ("none yet", [record(**NONE, status="running")], UNTOLD),
        ("none that is a number", [record(**NONE | {"full": ("NaN",) * 3})], UNTOLD),
        ("of two jobs of which one is on other data", [record(1), record(2, **NONE, valid_file={"sha256": "x"})], UNTOLD),
        ("no better than before training", [record(full=(3.1, 3.2, 3.3))], BASE),
        ("blown up, of validation nothing known", [record(**NONE | {"train_loss": [[1, 2.0], [2, "inf"]]})], BASE),
        ("of zeros in place of numbers", [record(**NONE | {"train_loss": [[1, 2.0], *([s, 0] for s in (2, 3, 4))]})], BASE),
        ("no loss at all", [record(**NONE | {"train_loss": []})], BASE),
        ("no job", [], BASE),
        ("better", [record()], "ftjob-1 at step 20, validation loss 1.8."),
    ],
)  # fmt: skip
def test_the_model_to_keep(what, records, sentence):
    assert told(*records) == sentence, what
