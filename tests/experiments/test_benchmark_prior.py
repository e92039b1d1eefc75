"""What the prior is made of: surfaces read and packed truly, and tables that are made as they say."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from advisor.propose import surfaces
from advisor.propose.beliefs import Lattice
from advisor.propose.prior import pack, shipped, unpack
from experiments.benchmark.surfaces import library
from experiments.benchmark.tables import FOLDER, read

# --- the prior -----------------------------------------------------------------------------------------------------


def test_reading_a_surface_agrees_with_a_slow_twin():
    """At every shift of epochs and rate: scipy's multilinear interpolation, beyond the ends of an axis too."""
    rng = np.random.default_rng(0)
    axes = (np.array([0.0, 1.0, 2.5]), np.array([2.0, 3.0]), np.array([-1.0, 0.0, 0.5, 3.0]))
    share = np.array([-3.0, -1.0, 0.0])
    shifts = Lattice(rate=np.array([-0.5, 0.0, 2.0]), epochs=np.array([-1.0, 0.25]))
    logs = rng.uniform(-2, 4, (20, 3))
    moved = logs[None] + shifts.pairs()[:, None]
    values = rng.normal(size=(3, 2, 4))
    twin = RegularGridInterpolator(axes, values, bounds_error=False, fill_value=None)
    assert surfaces.read(values, axes, logs, shifts) == pytest.approx(twin(moved))
    values, at = rng.normal(size=(3, 3, 2, 4)), rng.uniform(-4, 0.5, 20)
    twin = RegularGridInterpolator((share, *axes), values, bounds_error=False, fill_value=None)
    everywhere = np.concatenate([np.broadcast_to(at[:, None], (len(moved), 20, 1)), moved], axis=-1)
    assert surfaces.read(values, axes, logs, shifts, surfaces.hats(share, at)) == pytest.approx(
        twin(everywhere)
    )


def test_a_training_loss_is_not_extrapolated_beyond_what_any_table_ran():
    one = next(s for s in shipped().surfaces if s.constant)
    still = Lattice(rate=np.zeros(1), epochs=np.zeros(1))
    logs = np.log2([[32.0, 8.0, 0.8], [100.0, 8.0, 0.8]])
    at_32, at_100 = one.training(logs[:, 0], logs, still)[0]
    assert at_32 == pytest.approx(at_100)


def test_the_smallest_lattice_of_some_shifts_holds_them_in_their_order():
    whole = Lattice(rate=np.arange(5.0), epochs=np.arange(3.0))
    which = np.array([1, 4, 11])
    part, places = whole.part(which)
    assert part.size == 4  # two epoch shifts by two rates
    assert part.pairs()[places].tolist() == whole.pairs()[which].tolist()


def test_the_shipped_prior_is_small_and_knows_every_table_of_the_project(tables):
    names = {s.name for s in shipped().surfaces}
    assert {t.name for t in tables} <= names
    size = (FOLDER.parents[2] / "advisor" / "propose" / "prior.npz").stat().st_size
    assert size < 300_000


def test_packing_a_library_loses_less_than_the_noise_of_a_run(tables):
    lib = library(tables[:2])
    back = unpack(pack(lib))
    for a, b in zip(lib.surfaces, back.surfaces, strict=True):
        assert np.abs(a.end - b.end).max() < 0.005
        assert (a.name, a.constant) == (b.name, b.constant)


def test_a_library_without_a_table_has_not_seen_it(tables):
    lib = library(tables[:2]).without(tables[0].name)
    assert [s.name for s in lib.surfaces] == [tables[1].name]


# --- the generator -------------------------------------------------------------------------------------------------


def test_the_generator_refuses_rows_it_cannot_read_with_every_line(tmp_path, capsys):
    from experiments.benchmark.generate.__main__ import main

    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prompt": "a", "completion": "b"}\nnot json\n{"prompt": "a"}\n')
    assert main([str(rows), "--text", str(tmp_path / "no.txt"), "--out", str(tmp_path / "t.jsonl.gz")]) == 2
    said = capsys.readouterr().err
    assert all(words in said for words in ("line 2", "line 3", "no.txt does not exist"))


@pytest.mark.parametrize("schedule", ["constant", "linear"])
def test_a_generated_table_is_a_whole_grid_and_training_lowers_the_loss(tmp_path, schedule):
    pytest.importorskip("torch").set_num_threads(1)
    from experiments.benchmark.generate.model import Shape
    from experiments.benchmark.generate.train import Design, pretrain, table

    shape = Shape(width=16, layers=1, heads=2, context=32)
    design = Design((1, 2), (4, 8), (0.1, 1.0), schedule, base_rate=1e-2, shape=shape)
    rows = [(f"{a} + {b}", str(a + b)) for a in range(8) for b in range(5)]
    path = tmp_path / "sums.jsonl.gz"
    table("sums", pretrain(b"one and two are three. " * 40, shape, 3), rows[:32], rows[32:], design, path)
    made = read(path)
    assert made.space()["n_epochs"] == [1, 2]
    assert made.best < made.base
    assert library([made]).surfaces[0].constant == (schedule == "constant")


def test_copies_trained_together_are_twins_of_those_trained_alone(tmp_path):
    """All learning rates share a batch of matrices; each must come out as if it were alone."""
    pytest.importorskip("torch").set_num_threads(1)
    from experiments.benchmark.generate.model import Shape, new_parameters
    from experiments.benchmark.generate.train import Design, encode, run

    shape = Shape(width=16, layers=1, heads=2, context=32)
    rows = encode([(f"{a}", str(a * a)) for a in range(12)], 32)
    base = new_parameters(shape, 0)
    both = run(base, rows[:8], rows[8:], Design(multipliers=(1.0, 5.0), shape=shape), 4, 2)
    alone = run(base, rows[:8], rows[8:], Design(multipliers=(5.0,), shape=shape), 4, 2)
    for (_, a), (_, b) in zip(both["full"], alone["full"], strict=True):
        assert a[1] == pytest.approx(b[0], rel=1e-4)
