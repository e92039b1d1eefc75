"""Every rule, in the order in which they are read out. A file of this folder that is not named here fails a test."""

from __future__ import annotations

from advisor.rules.ft101_no_loss_yet import NoLossYet
from advisor.rules.ft102_too_few_evaluations import TooFewEvaluations
from advisor.rules.ft103_large_dataset import LargeDataset
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.ft202_rising_again import RisingAgain
from advisor.rules.ft203_overfitting_persists import OverfittingPersists
from advisor.rules.ft204_training_far_ahead import TrainingFarAhead
from advisor.rules.ft301_underfitting import Underfitting
from advisor.rules.ft302_still_falling import StillFalling
from advisor.rules.ft303_slow_from_the_start import SlowFromTheStart
from advisor.rules.ft304_not_converged import NotConverged
from advisor.rules.ft305_training_no_better import TrainingNoBetter
from advisor.rules.ft306_hidden_fall import HiddenFall
from advisor.rules.ft401_oscillating import Oscillating
from advisor.rules.ft402_diverged import Diverged
from advisor.rules.ft403_early_jump import EarlyJump
from advisor.rules.ft601_going_well import GoingWell
from advisor.rules.rule import Rule

CATALOGUE: tuple[Rule, ...] = (
    NoLossYet(),
    TooFewEvaluations(),
    LargeDataset(),
    Overfitting(),
    RisingAgain(),
    OverfittingPersists(),
    TrainingFarAhead(),
    Underfitting(),
    StillFalling(),
    SlowFromTheStart(),
    NotConverged(),
    TrainingNoBetter(),
    HiddenFall(),
    Oscillating(),
    Diverged(),
    EarlyJump(),
    GoingWell(),
)
