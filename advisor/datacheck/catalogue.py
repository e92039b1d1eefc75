"""The data rules in force, in the order of their ids. A test compares this list with the folder."""

from advisor.datacheck.rules.ft501_malformed_rows import MalformedRows
from advisor.datacheck.rules.ft502_repeated_rows import RepeatedRows
from advisor.datacheck.rules.ft503_rows_nearly_alike import RowsNearlyAlike
from advisor.datacheck.rules.ft504_validation_seen_in_training import ValidationSeenInTraining
from advisor.datacheck.rules.ft505_conflicting_answers import ConflictingAnswers
from advisor.datacheck.rules.ft506_validation_noise import ValidationNoise
from advisor.datacheck.rules.ft507_prompts_alike import PromptsAlike
from advisor.datacheck.rules.ft508_new_words_keep_coming import NewWordsKeepComing
from advisor.datacheck.rules.ft509_weak_spots import WeakSpots
from advisor.datacheck.rules.ft510_few_rows import FewRows
from advisor.datacheck.rules.ft511_one_answer import OneAnswer
from advisor.datacheck.rules.ft512_rows_too_long import RowsTooLong

CATALOGUE = (
    MalformedRows(),
    RepeatedRows(),
    RowsNearlyAlike(),
    ValidationSeenInTraining(),
    ConflictingAnswers(),
    ValidationNoise(),
    PromptsAlike(),
    NewWordsKeepComing(),
    WeakSpots(),
    FewRows(),
    OneAnswer(),
    RowsTooLong(),
)
