"""The figures of a job that every rule reads, computed once.

Knows curves and sizes; knows no rule and no threshold but how many points make a curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from advisor.measure.base import without_wrong_base
from advisor.measure.broken import ends_broken, zeros_from
from advisor.measure.series import Series, clean
from advisor.measure.shape import Shape, shape
from advisor.nouns import HyperParameters, Job

# Fewer evaluations than this show no trend: two points always lie on a line.
MIN_POINTS = 3
GAINED = (
    0.04  # share of the first level, as FT301: from before training to the end, on the whole validation set
)
SCATTER = 4.0  # standard deviations of a training point that a short validation curve must move by: chance seldom does
TRAIN_COUNTS = (
    0.15  # weight of the training curve beside validation where a reader judges whether a run has settled
)


@dataclass(frozen=True)
class Measurements:
    """One job in figures. None: not known."""

    hyperparameters: HyperParameters = field(default_factory=HyperParameters)
    status: str | None = None
    pending: bool = False  # still running: what is to come may change every figure
    n_train_examples: int | None = None
    n_valid_examples: int | None = None
    base_valid_loss: float | None = None  # nats per token before training
    valid: Shape | None = None  # of the validation curve
    valid_trained: Shape | None = None  # the same without the loss before training, where it begins with that
    train: Shape | None = None  # of the training curve
    valid_source: Literal["full_valid_loss", "valid_loss"] | None = (
        None  # which curve `valid` was measured on
    )
    from_before: bool = False  # the validation curve begins with the loss before training
    unit: str = "step"  # what a step is called: "epoch" where the log has nothing finer
    gain: float | None = None  # loss before training minus the last on the whole validation set; both known
    n_train_logged: int = 0  # training points as logged
    n_train: int = 0  # of these, points to judge by
    n_valid_logged: int = 0  # validation points as logged
    n_valid_broken: int = 0  # of these: NaN, inf
    n_valid: int = 0  # points to judge by: one a step, the loss before training among them
    valid_ends_broken: bool = False  # finite first, NaN or inf at the end
    train_ends_broken: bool = False
    train_zeros_from: float | None = None  # step from which on it is logged as 0 in place of no number
    history: tuple[Job, ...] = ()  # the peers before it, oldest first: measured only where a rule asks

    @property
    def run(self) -> str:
        """What the curves are of, in words: shares of a job that runs are of its steps so far."""
        return "the steps so far" if self.pending else "the training"

    @property
    def so_far(self) -> str:
        return " so far" if self.pending else ""

    @property
    def broken(self) -> bool:
        """Whether a curve ended as NaN or inf: what it did before says nothing of a better setting."""
        return self.train_ends_broken or self.valid_ends_broken

    @property
    def before(self) -> float | None:
        """The validation loss before any training, as it was told or measured at step 0."""
        if self.base_valid_loss is None and self.from_before and self.valid:
            return self.valid.first
        return self.base_valid_loss

    @property
    def span(self) -> float:
        """All that the lines of both curves span (nats per token): the height of a plot of them."""
        shapes = [s for s in (self.valid, self.train) if s]
        return max((s.top for s in shapes), default=0.0) - min((s.best for s in shapes), default=0.0)

    @property
    def fall(self) -> float:
        """The larger of the two curves' falls (nats per token)."""
        return max((s.fall for s in (self.valid, self.train) if s), default=0.0)

    @property
    def late_share(self) -> float:
        """Fall over the last third of the steps, the mean over the curves, as a share of the larger whole fall.

        Each fall less one standard deviation of a level: what noise alone brings in the mean is no fall.
        """
        shapes = [s for s in (self.valid, self.train) if s]
        late = [max(s.late_fall - s.noise_of_level, 0.0) for s in shapes]
        return sum(late) / len(late) / self.fall if self.fall > 0 else 0.0

    @property
    def pace(self) -> float:
        """How fast the losses still fall at the end: shares of the fall in the last fifth of the steps.

        For validation the geometric mean of its share of its own fall and of the larger fall of the two curves, as a
        plot of both shows it; the training curve adds a little, for the eye reads validation first.
        """
        v, t = self.valid, self.train
        if v is None or self.fall <= 0 or v.fall <= 0:
            return 0.0
        of_train = TRAIN_COUNTS * t.last_fall / self.fall if t else 0.0
        return v.last_fall / (v.fall**0.5 * self.fall**0.5) + of_train  # the product of two tiny falls is 0

    @property
    def early_share(self) -> float | None:
        """Fall of the training curve over the first third of its steps, as a share of its whole fall."""
        if self.train is None or self.train.fall <= 0:
            return None
        t = self.train
        third = t.step[0] + (t.step[-1] - t.step[0]) / 3
        return (t.start - t.at(third)) / t.fall

    @property
    def learned(self) -> float:
        """What was learned, as a share of the first level: the larger of the two curves.

        Of validation the fall to its lowest level, for what overfitting takes away had been learned. Of training the
        fall to its last: few noisy points have a low one by chance. A curve that is not told from noise fell by none.
        """
        v, t = self.valid, self.train
        of_valid = v.fall / abs(v.start) if v and v.start and self.valid_told else 0.0
        of_train = (t.start - t.end) / abs(t.start) if t and t.start and t.told is not False else 0.0
        return max(of_valid, of_train)

    @property
    def valid_told(self) -> bool:
        """Whether the validation curve has a course beyond noise.

        Where it is too short to tell, the training curve stands in: where that has no course, a validation loss that
        moves by less than single batches scatter has none either, for an evaluation is no noisier than a batch. Unless
        the whole validation set was measured before training too, and has gained since.
        """
        v, t = self.valid, self.train
        if v is None or (self.gain is not None and self.gain > GAINED * abs(v.start)):
            return v is not None
        if v.told is not None:
            return v.told
        return t is None or t.told is not False or v.top - v.best > SCATTER * t.noise

    @property
    def told(self) -> bool:
        """Whether either curve has a course beyond noise, as far as can be told."""
        return self.valid_told or (self.train is not None and self.train.told is not False)

    @property
    def batch_scatter(self) -> float | None:
        """What few evaluations of single batches may move by through these batches alone (nats per token).

        As training points scatter, for so few show no scatter of their own; None where it is of no concern. On 39 tables
        more epochs help on 18 of 18 jobs whose last evaluations rose within it, a lower rate on 3 of 16.
        """
        few = self.valid is not None and self.valid.told is None and self.valid_source == "valid_loss"
        return SCATTER * self.train.noise if few and self.train is not None else None

    @property
    def by_heart(self) -> float | None:
        """How much better training does where validation does worse; None where a curve is missing.

        The larger of two shares: by how much training ends below validation, and by how much training fell after
        validation was at its best. Two, for some trainers log the training loss on another scale.
        """
        v, t = self.valid, self.train
        if v is None or t is None:
            return None
        then = t.at(v.best_step)
        gap = (v.end - t.end) / v.end if v.end > 0 else 0.0
        return max(gap, (then - t.end) / then if then > 0 else 0.0)


def measure(job: Job, earlier: Sequence[Job] = ()) -> Measurements:
    """Measure a job; `earlier` are its peers, oldest first."""
    job = without_wrong_base(job)
    valid, source = _validation(job)
    train = clean(job.train)
    from_before = len(valid) > 0 and float(valid.step[0]) == 0
    train_broken, valid_broken = ends_broken(train, valid, running=job.pending, method=job.method)
    return Measurements(
        hyperparameters=job.hyperparameters,
        status=job.status,
        pending=job.pending,
        n_train_examples=job.n_train_examples,
        n_valid_examples=job.n_valid_examples,
        base_valid_loss=job.base_valid_loss,
        valid=_shape(valid),
        valid_trained=_shape(valid.without_first()) if from_before else None,
        train=_shape(train),
        valid_source=source,
        from_before=from_before,
        unit=job.unit,
        gain=_gain(job),
        n_train_logged=train.n_logged,
        n_train=len(train),
        n_valid_logged=valid.n_logged,
        n_valid_broken=valid.n_broken,
        n_valid=len(valid),
        valid_ends_broken=valid_broken,
        train_ends_broken=train_broken,
        train_zeros_from=zeros_from(train, valid, job.method),
        history=tuple(earlier),
    )


def _shape(series: Series) -> Shape | None:
    """None where there are too few points, or nothing but zeros: then nothing was measured."""
    return shape(series) if len(series) >= MIN_POINTS and series.loss.any() else None


def _gain(job: Job) -> float | None:
    full = _whole_set(job)
    return float(full.loss[0] - full.loss[-1]) if len(full) > 1 and full.step[0] == 0 else None


def _validation(job: Job) -> tuple[Series, Literal["full_valid_loss", "valid_loss"] | None]:
    """The curve to judge: the whole-set one where it has enough points, for a batch is noisy."""
    full = _whole_set(job)
    if len(full) >= MIN_POINTS:
        return full, "full_valid_loss"
    batch = clean(job.valid, reload=not job.pending)
    if len(batch) > len(full):
        return batch, "valid_loss"
    return full, "full_valid_loss" if len(full) else None


def _whole_set(job: Job) -> Series:
    return clean(job.full_valid, start=job.base_valid_loss, reload=not job.pending)
