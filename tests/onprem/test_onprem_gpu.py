"""What is decided where there is a GPU, with torch's answers faked; and the GPU's way of training, run on a CPU."""

import os
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from onprem_worker import Bench  # noqa: E402
from transformers import Trainer  # noqa: E402

from onprem.store import events as event_rows  # noqa: E402
from onprem.training import gpu, memory, ranks, trainers  # noqa: E402
from onprem.training.plan import Plan, micro_batch  # noqa: E402
from onprem.training.tasks import SupervisedTask  # noqa: E402

GIB = 2**30


@pytest.fixture
def fake(monkeypatch):
    """Let torch tell of GPUs: how many, whether they know bf16, and what memory each has free."""

    def pretend(count=1, bf16=True, free=(20 * GIB,), total=24 * GIB, **environment):
        for name in (gpu.VISIBLE, "WORLD_SIZE", "LOCAL_RANK", ranks.SHARE, ranks.ACCELERATES):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        seen = []

        def start_the_driver():  # which reads the variable at its first start alone
            seen[:] = seen or [os.environ.get(gpu.VISIBLE)]
            return count > 0

        monkeypatch.setattr(torch.cuda, "is_available", start_the_driver)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda including_emulation=True: bf16 or including_emulation
        )
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=0: (free[device], total))
        return seen

    return pretend


@pytest.mark.parametrize(
    ("count", "slot", "environment", "expected"),
    [
        (0, 0, {}, None),
        (1, 0, {}, "0"),
        (4, 0, {}, "0"),
        (4, 2, {}, "2"),
        (2, 3, {}, "1"),  # more workers than GPUs: they share
        (2, 1, {"CUDA_VISIBLE_DEVICES": "5,7"}, "7"),
        (4, 0, {"CUDA_VISIBLE_DEVICES": "GPU-aa, GPU-bb"}, "GPU-aa"),
        (4, 0, {"WORLD_SIZE": "4"}, None),  # a launcher's process has its own by LOCAL_RANK
    ],
)
def test_a_worker_sees_one_gpu_its_own(fake, count, slot, environment, expected):
    seen = fake(count, **environment)
    gpu.take_one(slot)
    assert os.environ.get(gpu.VISIBLE) == expected
    gpu.present()
    assert seen == [expected], "the driver was started too early"


@pytest.mark.parametrize(("slot", "expected"), [({}, 0), ({"ONPREM_SLOT": "2"}, 2)])
def test_a_launched_process_takes_the_gpu_of_its_dispatchers_place(monkeypatch, slot, expected):
    from onprem.workers import one

    taken = []
    monkeypatch.setattr(gpu, "take_one", taken.append)
    monkeypatch.setattr(one, "run", lambda *arguments: None)
    monkeypatch.setattr(os, "_exit", lambda code: None)
    monkeypatch.setattr("sys.argv", ["one", "data", "job", "worker"])
    monkeypatch.delenv("ONPREM_SLOT", raising=False)
    for name, value in slot.items():
        monkeypatch.setenv(name, value)
    one.main()
    assert taken == [expected]


@pytest.mark.parametrize(
    ("count", "bf16", "dtype"),
    [(0, True, torch.float32), (1, False, torch.float32), (1, True, torch.bfloat16)],
)
def test_bf16_where_the_gpu_itself_computes_in_it(fake, count, bf16, dtype):
    fake(count, bf16)
    assert gpu.dtype_at_rest() == dtype
    assert gpu.has_bf16() == (dtype == torch.bfloat16)


def job(**hp):
    hp = {"n_epochs": 1, "batch_size": 8, "learning_rate": 1e-4, "max_length": 512, "lora": None, "packing": False,
          "too_long": "truncate", "weight_decay": 0.0, "warmup_ratio": 0.0} | hp  # fmt: skip
    return {"hyperparameters": hp, "method": {"type": "supervised"}, "seed": 1}


def test_the_plan_on_a_gpu_saves_memory_and_fills_it(fake):
    fake(0)
    plain = Plan.of(job(batch_size=64), 49152, 1024)
    assert (plain.bf16, plain.gradient_checkpointing, plain.micro_batch) == (False, False, 1)
    fake(1, total=80 * GIB)
    plan = Plan.of(job(batch_size=64), 49152, 1024)
    assert (plan.bf16, plan.gradient_checkpointing) == (True, True)
    # A quarter of 80 GiB for logits of 1024 x 49152 x 12 bytes each: 35 rows, of which 32 divides 64.
    assert plan.micro_batch == micro_batch(64, 1024, 49152) == 32


def test_memory_asked_for_is_that_of_the_processs_own_gpu(fake):
    fake(2, free=(1 * GIB, 9 * GIB), LOCAL_RANK="1")
    assert memory.available() == 9 * GIB


def test_frozen_weights_take_half_where_there_is_bf16_and_a_share_under_fsdp(fake):
    lora = {"r": 16, "alpha": 32, "dropout": 0.0}
    fake(0)
    on_cpu = memory.needed(8_000_000_000, lora)
    fake(1)
    assert memory.needed(8_000_000_000, lora) == pytest.approx(1.25 * (2 + 0.24) * 8e9)
    assert on_cpu == pytest.approx(1.25 * (4 + 0.24) * 8e9)
    fake(4, WORLD_SIZE="4", ONPREM_FSDP="1")
    assert ranks.shares_the_model()
    assert memory.needed(8_000_000_000, None) == pytest.approx(1.25 * 16 * 8e9 / 4)


@pytest.mark.parametrize(
    ("count", "world", "wish", "shared"), [(0, "2", "1", False), (2, "2", "0", False), (2, "1", "1", False), (2, "2", "1", True)]
)  # fmt: skip
def test_a_model_is_shared_out_where_asked_among_gpus(fake, count, world, wish, shared):
    fake(count, WORLD_SIZE=world, ONPREM_FSDP=wish)
    assert ranks.shares_the_model() is shared


def test_a_model_that_accelerate_shares_out_needs_a_share_of_the_memory_and_no_word_of_ours(fake):
    fake(4, WORLD_SIZE="4", ACCELERATE_USE_FSDP="true")
    assert ranks.shares_the_model()
    assert not ranks.asked_to_share()
    assert memory.needed(8_000_000_000, None) == pytest.approx(1.25 * 16 * 8e9 / 4)


def test_the_base_models_loss_is_told_once_the_trainer_has_placed_the_model(bench, monkeypatch):
    """Before, it may lie on the CPU, whole, in each of the processes that are to share it."""
    prepared, scored = [], []
    prepare, scores = Trainer._prepare_for_training, SupervisedTask.scores
    monkeypatch.setattr(
        Trainer, "_prepare_for_training", lambda *a, **k: prepared.append(1) or prepare(*a, **k)
    )
    monkeypatch.setattr(
        SupervisedTask, "scores", lambda *a, **k: scored.append(bool(prepared)) or scores(*a, **k)
    )
    told = event_rows.metrics(bench.db, bench.run(n_epochs=1, batch_size=8)["id"])
    assert told[0]["step"] == 0
    assert scored
    assert all(scored)


def test_a_gpu_job_that_cannot_fit_says_so_with_both_figures(fake):
    from onprem.training.errors import JobError

    fake(1, free=(4 * GIB,))
    with pytest.raises(JobError, match=r"takes about 149.0 GB, but 4.0 GB are free. Ask for LoRA") as refused:
        memory.check(8_000_000_000, None)
    assert refused.value.code == "insufficient_memory"


@pytest.mark.parametrize("command", [None, "torchrun"])
def test_workers_slots_are_told_and_given_back(tmp_path, monkeypatch, command):
    import asyncio

    from onprem.store import Database, DataFolder
    from onprem.workers import pool, process
    from onprem.workers.pool import TrainingPool

    told = []

    async def start(module, data_dir, worker_id, slot, *more, **options):
        assert more == ((command,) if command else ())
        told.append(slot)
        ended = asyncio.Event()
        return SimpleNamespace(
            returncode=None, stdin=SimpleNamespace(write=lambda line: None), wait=ended.wait, ended=ended
        )

    monkeypatch.setattr(process, "start", start)
    monkeypatch.setattr(pool, "MOST_PATIENT", 0)  # else its place is held for a second: it died without a job

    async def live():
        folder = DataFolder.at(tmp_path)
        workers = TrainingPool(Database(folder.database), folder, size=3, command=command)
        workers.poke()
        await asyncio.sleep(0.05)
        list(workers.workers.values())[1].ended.set()
        await asyncio.sleep(0.05)
        workers.poke()
        await asyncio.sleep(0.05)
        for task in workers.tasks:
            task.cancel()

    asyncio.run(live())
    assert told == ["0", "1", "2", "1"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    torch.set_num_threads(1)
    return Bench(tmp_path_factory.mktemp("bench"), rows=16)


def losses(bench, **hp):
    row = bench.run(n_epochs=2, batch_size=4, **hp)
    assert row["status"] == "succeeded", row["error"]
    told = event_rows.metrics(bench.db, row["id"])
    return [d[name] for d in told for name in ("train_loss", "full_valid_loss") if name in d]


@pytest.mark.parametrize("lora", [False, True])
def test_training_as_on_a_gpu_ends_as_on_a_cpu(bench, monkeypatch, lora):
    """bf16, frozen weights in bf16, activations computed twice: run here on the CPU, which knows all three."""
    plain = losses(bench, lora=lora)
    plan_of = Plan.of
    monkeypatch.setattr(gpu, "dtype_at_rest", lambda: torch.bfloat16)
    monkeypatch.setattr(
        Plan,
        "of",
        lambda *a: type(p := plan_of(*a))(**vars(p) | {"bf16": True, "gradient_checkpointing": True}),
    )
    seen = {}
    common = trainers.common
    monkeypatch.setattr(trainers, "common", lambda *a: seen.setdefault("config", common(*a)))
    as_on_gpu = losses(bench, lora=lora)
    assert seen["config"]["bf16"]
    assert seen["config"]["gradient_checkpointing"]
    assert as_on_gpu == pytest.approx(plain, rel=0.03)  # bf16 has 8 bits of mantissa: 0.4 % a number
