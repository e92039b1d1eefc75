"""Where a further job is known to be in vain: hotter than one that blew up, or more of what overfitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import log_ndtr

from advisor.nouns import Job
from advisor.propose.beliefs import LATTICE
from advisor.propose.series import came_to_nothing, given, likely_setting, validation

# Share of the gain by which a loss must end above its lowest: three times what another seed changes
# (`tables`' README: 1 %).
OVERDONE = 0.03
# Of the loss before training: a job that fell by less rises by its noise. Without it a first job at a thirtieth of the
# right rate was called overfitted, and the rates that it needed were ruled out (experiments/LOG.md).
LEARNED = 0.03
NOTICED = 0.005  # of the loss before training: what falls by less has not
# Rates from so many times that of a job that overfitted are doubted, though in fewer epochs, where epochs x
# rate are no less: of 1,888 such settings 1.7 % went below the lowest loss that the job showed
# (experiments/LOG.md). They count DOUBT, since a few tables need them.
HOTTER, DOUBT = 4.0, 0.1
BREAKS = 3.0  # log2 of the multiplier about which tasks of the library break: none did up to 6.4
SPREAD = 1.0  # octaves
# By which the heat that a task bears lies below one that blew up, in the mean. A judgement: of the benchmark's first
# jobs none blows up (experiments/LOG.md).
OCTAVES = 1.0


def borne(jobs: Sequence[Job], rate_name: str, reference: float, base: float) -> tuple[np.ndarray, float]:
    """float[k, 3], settings of jobs that blew up, hotter than every one that came to a good end; and the heat of the
    hottest of these, 0 where there is none.

    Where a hotter setting did well it was not the heat that broke the job.
    """
    judged = [(j, came_to_nothing(j, base)) for j in jobs]
    blown = [j for j, nothing in judged if nothing]
    well = [j for j, nothing in judged if j.succeeded and not nothing and len(validation(j)[0])]
    broken, good = (_known(which, rate_name, reference) for which in (blown, well))
    proven = float(heat(good).max(initial=0.0))
    return broken[heat(broken) > proven * (1 + 1e-6)], proven


def heat(settings: np.ndarray) -> np.ndarray:
    """float[m]: the rate by the square root of the batch size."""
    return settings[:, 2] / np.sqrt(settings[:, 1])


def _known(jobs: Sequence[Job], rate_name: str, reference: float) -> np.ndarray:
    """float[k, 3]: of the jobs whose learning rate is known: at which one the others blew up nothing tells."""
    return _settings([j for j in jobs if not np.isnan(given(j, rate_name)[2])], rate_name, reference)


def _settings(jobs: Sequence[Job], rate_name: str, reference: float) -> np.ndarray:
    """float[k, 3]: the usual stands for what a log does not say, as many say nothing of the batch size or the rate."""
    settings = [likely_setting(j, rate_name, reference) for j in jobs]
    return np.array(settings, dtype=float).reshape(-1, 3)


def unsafe(settings: np.ndarray, broken: np.ndarray) -> np.ndarray:
    """bool[m]: settings as hot as one that broke."""
    return heat(settings) >= heat(broken).min(initial=np.inf) * (1 - 1e-6)


def survival(settings: np.ndarray, broken: np.ndarray, proven: float) -> np.ndarray:
    """float[m]: the chance that a setting does not blow up, by the heats that did and the hottest that did not.

    The limit lies some octaves below the coolest that broke, exponentially distributed, and not below the one `proven`.
    Each further job that broke tells that it lies farther off than was thought: the steps towards it grow.
    """
    if not len(broken):
        return np.ones(len(settings))
    lowest = heat(broken).min()
    usual = OCTAVES * len(np.unique(heat(broken).round(12)))
    below = np.log2(lowest / np.maximum(heat(settings), proven))
    known = np.log2(lowest / proven) if proven else np.inf
    return np.expm1(-np.maximum(below, 0.0) / usual) / np.expm1(-known / usual)


def overfitted_settings(jobs: Sequence[Job], rate_name: str, reference: float, base: float) -> np.ndarray:
    """float[k, 3]: settings of ended jobs whose validation loss rose again by more than OVERDONE of its fall."""
    overfitted = [j for j in jobs if not j.pending and _rise(j, base) > OVERDONE]
    return _settings(overfitted, rate_name, reference)


def _rise(job: Job, base: float) -> float:
    """How far the last validation loss lies above the lowest, as a share of the fall from `base` to it; 0 where it
    hardly fell.
    """
    _, loss, whole = validation(job)
    if not whole:  # single mini-batches rise and fall by luck, training losses say nothing of it
        return 0.0
    lowest = loss.min(initial=base)
    fall = float(base - lowest)
    return float(loss[-1] - lowest) / fall if fall > LEARNED * base else 0.0


def overdone(settings: np.ndarray, overfitted: np.ndarray) -> np.ndarray:
    """bool[m]: settings with no fewer epochs, no lower rate and no lower rate per example than a job that overfitted.

    Of 1,891 such settings of the benchmark's tables 4 % beat the best job by then (experiments/LOG.md).
    """
    there, here = _amounts(overfitted), _amounts(settings)
    return (here[:, None] >= there[None] * (1 - 1e-6)).all(axis=2).any(axis=1)


def doubt(settings: np.ndarray, overfitted: np.ndarray) -> np.ndarray:
    """float[m]: DOUBT for settings that train as much as a job that overfitted, at a far higher rate, 1 for
    all others.
    """
    there, here = ([e * r, r, r / b] for e, b, r in (overfitted.T, settings.T))
    as_much = [h[:, None] >= t * (1 - 1e-6) for h, t in zip(here, there, strict=True)]
    far = here[1][:, None] >= HOTTER * there[1] * (1 - 1e-6)
    return np.where((np.all(as_much, axis=0) & far).any(axis=1), DOUBT, 1.0)


def _amounts(settings: np.ndarray) -> np.ndarray:
    epochs, batch, rate = settings.T
    return np.stack([epochs, rate, rate / batch], axis=1)


def shift_evidence(broken: np.ndarray, reference: float) -> np.ndarray | None:
    """Log weight of each shift of the lattice: a job that broke stands high on the library's scale."""
    if not len(broken):
        return None
    lowest = np.log2(broken[:, 2].min() / reference)
    return log_ndtr((lowest + LATTICE.pairs()[:, 2] - BREAKS) / SPREAD)
