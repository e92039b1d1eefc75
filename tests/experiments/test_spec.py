"""A SPEC.toml is checked as a whole, and what it says is the loop's identity."""

import tomllib

import pytest

from experiments.errors import SpecError
from experiments.spec import changes, load
from experiments.spec_explain import EXAMPLE, TABLES, explain

GOOD = """
name = "helpdesk"
train = "train.jsonl"
valid = "valid.jsonl"
model = "embedded-tiny"
"""


@pytest.fixture
def write(tmp_path):
    """Write a SPEC.toml beside a training and a validation file."""
    (tmp_path / "train.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    (tmp_path / "valid.jsonl").write_text('{"prompt": "c", "completion": "d"}\n')

    def _write(text):
        path = tmp_path / "spec.toml"
        path.write_text(text)
        return path

    return _write


def problems(path):
    with pytest.raises(SpecError) as caught:
        load(path)
    return caught.value.problems


def test_a_short_spec_has_defaults(write):
    spec = load(write(GOOD))
    assert (spec.start, spec.objective, spec.parallel, spec.budget.jobs) == ("auto", "final", 1, 5)
    assert spec.train.is_absolute()


def test_all_mistakes_are_reported_together(write):
    found = problems(
        write("""
            nmae = "x"
            provider = "goggle"
            base_url = "ftp://nope"
            objective = "nonsense"
            ignore_stop = "yes"
            seed = -2
            train = "nowhere.jsonl"
            model = 3
            jobs = 4
            start = {n_epochs = 0, batchsize = 3}
            parallel = 0
            [budget]
            job = 3
            cost_usd = -1
            [space]
            n_epochs = {min = 5, max = 2}
            batch_size = [0]
            [eval]
            test = "valid.jsonl"
            metric = "cmd:no-such-command"
        """)
    )
    starts = [
        "name is missing",
        "train is 'nowhere.jsonl': there is no file ",
        "model is 3: expected text in quotes",
        "start.n_epochs is 0: expected a whole number of at least 1",
        "start.batchsize: no such key; did you mean start.batch_size?",
        "parallel is 0: expected a whole number of at least 1",
        "budget.cost_usd is -1: expected a number above 0",
        "budget.job: no such key; did you mean budget.jobs?",
        "space.n_epochs is {'min': 5, 'max': 2}: expected a list of numbers above 0, or {min = A",
        "space.batch_size is [0]: expected a list of numbers above 0",
        "provider is 'goggle': expected openai, azure,",
        "base_url is 'ftp://nope': expected an address such as https://",
        "objective is 'nonsense'; expected final or best_checkpoint or cmd:no-such-command",
        "ignore_stop is 'yes': expected true or false",
        "seed is -2: expected a whole number of at least 0",
        "eval.metric is 'cmd:no-such-command': the metric is cmd:no-such-command; expected a command",
        "nmae: no such key; did you mean name?",
        "jobs: no such key; did you mean budget.jobs?",
    ]
    assert len(found) == len(starts)
    for start in starts:
        assert any(line.startswith(start) for line in found), (start, found)


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ('start = "auto"', True),
        ('start = "advisor"', True),
        ('start = "automatic"', False),
        ("start = {n_epochs = 3}", True),
        ('start = {batch_size = "auto", learning_rate_multiplier = 0.5}', True),
        ("start = {n_epochs = 2.5}", False),
        ("start = {n_epochs = true}", False),
        ("space = {n_epochs = [1, 2, 3]}", True),
        ("space = {n_epochs = []}", False),
        ("space = {learning_rate_multiplier = {min = 0.1, max = 4}}", True),
        ("space = {learning_rate_multiplier = {min = 0.1}}", False),
        ("budget = {jobs = 3, trained_tokens = 1_000_000, cost_usd = 2.5}", True),
        ("budget = {cost_usd = inf}", False),
        ('objective = "best_checkpoint"', True),
        ('objective = "f1"', False),  # nothing measures it
        ('objective = "f1"\n[eval]\ntest = "valid.jsonl"\nmetric = "f1"', True),
        ('[eval]\ntest = "gone.jsonl"', False),
        ('[eval]\ntest = "valid.jsonl"\nmetric = "regex:(a+)"', True),
        ('[eval]\ntest = "valid.jsonl"\nmetric = "regex:(a"', False),
        ('[eval]\ntest = "valid.jsonl"\nmetric = "cmd:python3 score.py"', True),
        ('[eval]\ntest = "valid.jsonl"\nmetric = "bleu"', False),
        ("start = {n_epochs = 9}\nspace = {n_epochs = [1, 2]}", False),
        ("start = {n_epochs = 2}\nspace = {n_epochs = {min = 1, max = 2}}", True),
        ('provider = "nebius"\nbase_url = "https://127.0.0.1/v1"', True),
        ("seed = -1", False),
        ("name = ''", False),
    ],
)
def test_what_a_key_may_be(write, line, good):
    text = GOOD.replace('name = "helpdesk"', "") + line if line.startswith("name") else GOOD + line
    if good:
        load(write(text))
    else:
        assert len(problems(write(text))) == 1


@pytest.mark.parametrize(
    ("text", "says"), [("name = ", "is no TOML"), (None, "cannot be read"), ("x = '\\xff", "is no TOML")]
)
def test_a_file_that_cannot_be_read(write, tmp_path, text, says):
    path = tmp_path / "none.toml" if text is None else write(text)
    assert says in problems(path)[0]


def test_a_file_that_is_no_text(write, tmp_path):
    path = tmp_path / "binary.toml"
    path.write_bytes(b"ELF\xd7\x00")
    assert problems(path) == ["is not UTF-8 text: byte 0xd7 at position 3"]


def test_validating_on_what_is_trained_on_is_a_mistake(write):
    assert problems(write(GOOD.replace("valid.jsonl", "train.jsonl")))[0].startswith(
        "valid is 'train.jsonl', as train"
    )


def test_the_identity_follows_content_not_paths(write, tmp_path):
    first = load(write(GOOD)).identity()
    (tmp_path / "moved.jsonl").write_bytes((tmp_path / "train.jsonl").read_bytes())
    moved = load(write(GOOD.replace("train.jsonl", "moved.jsonl"))).identity()
    assert changes(first, moved) == []
    (tmp_path / "train.jsonl").write_text('{"prompt": "other", "completion": "b"}\n')
    changed = load(write(GOOD)).identity()
    assert [line.split()[0] for line in changes(first, changed)] == ["train"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("seed = 1", ["seed was 0 and is now 1"]),
        ("start = {n_epochs = 2}", ["start was auto and is now"]),
        ("[budget]\njobs = 9", ["budget.jobs was 5 and is now 9"]),
        ("[space]\nn_epochs = [1, 2]", ["space.n_epochs was not given and is now [1, 2]"]),
        ("parallel = 3", []),  # how fast, not what
        ('base_url = "http://127.0.0.1:1/v1"', []),  # where, not what
    ],
)
def test_changes_are_named(write, line, says):
    found = changes(load(write(GOOD)).identity(), load(write(GOOD + line)).identity())
    assert len(found) == len(says)
    for text, start in zip(found, says, strict=True):
        assert text.startswith(start)


def test_the_example_names_every_key():
    text = EXAMPLE.read_text()
    for model in TABLES.values():
        for key in model.model_fields:
            assert key in text or key == "learning_rate", key


def test_every_commented_line_of_the_example_is_good(tmp_path):
    """Each "# key = value" can be uncommented as it stands, and the key is one that a spec knows."""
    keys = {key for model in TABLES.values() for key in model.model_fields}
    shown = set()
    for line in EXAMPLE.read_text().splitlines():
        if line.startswith("# ") and " = " in line.split("#")[1]:
            shown |= tomllib.loads(line.removeprefix("# ")).keys()
    assert {"objective", "base_url", "metric", "n_epochs"} <= shown <= keys


def test_explain_tells_every_key():
    lines = explain()
    for model in TABLES.values():
        for key, info in model.model_fields.items():
            assert key in lines
            assert info.description, key
