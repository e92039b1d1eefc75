"""The result file that a run keeps is one that the readers, and everybody's tools, take."""

import pytest

from tracker.papers import artifacts
from tracker.raw import RawJob
from tracker.readers import read
from tracker.readers.openai_csv import parse_series

SERVED = {
    "plain": "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"
    "1,2.5,0.4,,\n2,2.25,0.5,2.4,0.45\n1234567,0.125,0.9,2.0,0.5\n",
    "several values at one step": "step,train_loss,full_valid_loss\n1,2.5,\n1,2.4,3.0\n2,2.0,\n",
}


@pytest.mark.parametrize("served", SERVED.values(), ids=SERVED)
def test_a_runs_result_file_reads_as_the_providers(tmp_path, served):
    papers = artifacts(RawJob({"id": "ftjob-1", "finished_at": 1}, [], [], {"file-1": served.encode()}))
    path = tmp_path / "results.csv"
    path.write_text(papers["results.csv"])
    [record] = read(path)
    for name, points in parse_series(served.encode()).items():
        kept = [tuple(p) for p in points if p[1] is not None]
        assert sorted(tuple(p) for p in record[name] if p[1] is not None) == sorted(kept)
    assert papers["results.csv"].splitlines()[0].split(",")[:2] == ["step", "train_loss"]


def test_a_file_cut_at_any_byte_tells_no_number_that_is_not_in_it():
    """While a job runs its file may end within a number: 1.9523 must not be read as 1."""
    whole = b"step,train_loss,valid_loss\n11,1.9,2.125\n12,1.9523,\n13,1.75,2.0625\n"
    known = parse_series(whole)
    for length in range(len(b"step,train_loss,valid_loss\n11,1.9,2.125\n"), len(whole)):
        for name, points in parse_series(whole[:length], ended=False).items():
            assert set(points) <= set(known[name])
