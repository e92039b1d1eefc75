"""What people use today, as methods of the benchmark. All start from the same first job, and none repeats a setting."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.benchmark.tables import Key, Table

TRIES = 30  # repeats that an optimiser may ask for, free of charge, before a random setting stands in


@dataclass
class RandomSearch:
    name: str = "random"

    def next(self, table: Table, tried: Sequence[Key], seed: int) -> Key | None:
        rng = random.Random(f"{seed} {tried}")
        return rng.choice([k for k in sorted(table.rows) if k not in tried])


@dataclass
class CoordinateSearch:
    """From the best setting so far to an untried neighbour: learning rate first, then epochs, then batch size."""

    name: str = "coordinate search"

    def next(self, table: Table, tried: Sequence[Key], seed: int) -> Key | None:
        for center in sorted(tried, key=table.final):
            for knob in (2, 0, 1):
                for step in (1, -1):
                    near = _neighbour(table, center, knob, step)
                    if near and near not in tried:
                        return near
        return None


@dataclass
class Portfolio:
    """The settings that are best over all other tables, one after the other, each chosen to complement those before."""

    others: Callable[[Table], list[Table]]
    name: str = "portfolio"

    def next(self, table: Table, tried: Sequence[Key], seed: int) -> Key | None:
        regret = np.array([[t.regret(k) for k in sorted(table.rows)] for t in self._alike(table)])
        keys = sorted(table.rows)
        reached = np.min([regret[:, keys.index(k)] for k in tried], axis=0)
        best = np.minimum(regret, reached[:, None]).mean(axis=0)
        return next((keys[i] for i in np.argsort(best, kind="stable") if keys[i] not in tried), None)

    def knows(self, table: Table) -> bool:
        """Whether another table has the same settings, for it to choose from."""
        return bool(self._alike(table))

    def _alike(self, table: Table) -> list[Table]:
        return [t for t in self.others(table) if t.axes == table.axes]


@dataclass
class Optuna:
    """An Optuna sampler over the grid's indices, told every job so far; rebuilt and replayed for each proposal."""

    name: str
    make: Callable[[int], object]  # seed -> sampler

    def next(self, table: Table, tried: Sequence[Key], seed: int) -> Key | None:
        import optuna
        from optuna.distributions import IntDistribution
        from optuna.trial import create_trial

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        axes = {"epochs": table.axes[0], "batch": table.axes[1], "rate": table.axes[2]}
        space = {n: IntDistribution(0, len(a) - 1) for n, a in axes.items()}
        study = optuna.create_study(sampler=self.make(seed * 1000 + len(tried)))
        for key in tried:
            at = {n: a.index(v) for (n, a), v in zip(axes.items(), key, strict=True)}
            study.add_trial(
                create_trial(params=at, distributions=space, value=min(table.final(key), 2 * table.base))
            )
        for _ in range(TRIES):
            trial = study.ask(space)
            key = tuple(a[trial.params[n]] for n, a in axes.items())
            if key not in tried:
                return key
            study.tell(trial, min(table.final(key), 2 * table.base))
        return RandomSearch().next(table, tried, seed)


def optuna_peers() -> list[Optuna]:
    """Optuna 5's samplers; `3 startup` begins to model after three jobs in place of ten."""
    from optuna.samplers import CmaEsSampler, GPSampler, TPESampler

    return [
        Optuna("Optuna TPE", lambda s: TPESampler(seed=s)),
        Optuna("Optuna TPE, 3 startup", lambda s: TPESampler(seed=s, n_startup_trials=3)),
        Optuna("Optuna GP", lambda s: GPSampler(seed=s)),
        Optuna("Optuna GP, 3 startup", lambda s: GPSampler(seed=s, n_startup_trials=3)),
        Optuna("Optuna CMA-ES", lambda s: CmaEsSampler(seed=s, warn_independent_sampling=False)),
    ]


def _neighbour(table: Table, key: Key, knob: int, step: int) -> Key | None:
    axis = table.axes[knob]
    at = axis.index(key[knob]) + step
    if not 0 <= at < len(axis):
        return None
    return tuple(axis[at] if i == knob else v for i, v in enumerate(key))
