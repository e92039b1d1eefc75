"""Makes one table: runs what is missing of its grid, then the best settings again with further seeds, and packs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from . import lines
from .grid import Grid, Setting
from .jobs import Server, with_progress

SEED, MORE_SEEDS = 0, (1, 2)
# The best settings get the mean of three seeds, for their order matters most: 14 of 192, as in the other tables.
CONFIRMED_SHARE, CONFIRMED_LEAST = 14 / 192, 3


def make(
    task: str,
    server: Server,
    grid: Grid,
    folder: Path,
    sizes: tuple[int, int],
    tell: Callable[[str], None] = print,
) -> Path:
    """Make `folder/task.jsonl.gz`; a table begun earlier is gone on with.

    Parameters
    ----------
    sizes
        Examples to train on and to validate with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{task}.jsonl"
    begun = lines.read(path)
    path.write_text("".join(_text(entry) for entry in begun))  # without a line cut off
    settings = grid.settings()
    left = [setting for setting in settings if setting not in {_setting(entry) for entry in begun[1:]}]
    jobs = with_progress(server.run(left, SEED), left, len(settings) - len(left), tell)
    with path.open("a") as file:
        for setting, story in jobs:
            if not begun:
                begun = [lines.header(task, *sizes, setting, story)]
                file.write(_text(begun[0]))
            file.write(_text(lines.line(setting, story, sizes[0])))
            file.flush()
    _confirm(path, server, sizes[0], tell)
    return lines.pack(path)


def _confirm(path: Path, server: Server, n_train: int, tell: Callable[[str], None]) -> None:
    """Run the best settings with further seeds and give their lines the mean, all at once."""
    first, *rest = lines.read(path)
    ended = sorted((entry for entry in rest if entry["final"] is not None), key=lambda entry: entry["final"])
    n_best = max(CONFIRMED_LEAST, round(CONFIRMED_SHARE * len(rest)))
    best = [_setting(entry) for entry in ended[:n_best]]
    again: dict[Setting, list[dict]] = {setting: [] for setting in best}
    for seed in MORE_SEEDS:
        tell(f"the {len(best)} best again with seed {seed}")
        for setting, story in server.run(best, seed):
            again[setting].append(lines.line(setting, story, n_train))
    rest = [lines.confirmed(e, again[_setting(e)]) if _setting(e) in again else e for e in rest]
    path.write_text("".join(map(_text, [first, *rest])))


def _setting(entry: dict) -> Setting:
    return entry["n_epochs"], entry["batch_size"], entry["lrm"]


def _text(entry: dict) -> str:
    return json.dumps(entry) + "\n"
