"""Files that are gone, or going, and filters that are none: told to whoever asks for them."""

import threading

import pytest
from fastapi.testclient import TestClient
from onprem_server import chat_rows

from onprem.server import app
from onprem.workers.pool import TrainingPool


@pytest.fixture
def web(folder, monkeypatch):
    """The application without workers."""
    monkeypatch.setattr(TrainingPool, "poke", lambda pool: None)
    monkeypatch.setattr("onprem.workers.sampler.Sampler.warm", lambda sampler: None)
    with TestClient(
        app.create_app(folder), base_url="http://127.0.0.1", raise_server_exceptions=False
    ) as client:
        yield client


def sent(web):
    return web.post(
        "/v1/files", data={"purpose": "fine-tune"}, files={"file": ("x.jsonl", chat_rows(3))}
    ).json()["id"]


def test_content_that_is_gone_from_the_disk_is_404(web, folder):
    file = sent(web)
    folder.file(file).unlink()
    answer = web.get(f"/v1/files/{file}/content")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "file_content_gone")


def test_of_many_who_delete_a_file_one_has_deleted_it(web, monkeypatch):
    file, answers, together = sent(web), [], threading.Barrier(4)
    plain = app.files._get

    def all_see_it_first(*arguments):
        row = plain(*arguments)
        if threading.current_thread() not in passed:
            passed.add(threading.current_thread())
            together.wait(10)
        return row

    passed: set = set()
    monkeypatch.setattr(app.files, "_get", all_see_it_first)
    threads = [
        threading.Thread(target=lambda: answers.append(web.delete(f"/v1/files/{file}").status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 404, 404, 404]


def test_a_filter_that_is_none_is_refused(web):
    answer = web.get("/v1/fine_tuning/jobs?metadata=x")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "metadata")
    assert web.get("/v1/fine_tuning/jobs?metadata=null").status_code == 200
    assert web.get("/v1/fine_tuning/jobs?metadata[a]=x").status_code == 200
