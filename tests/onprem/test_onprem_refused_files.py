"""Files that the server refuses: bad lines by number and never quoted, sizes, uploads with several problems."""

import json

import openai
import pytest
from onprem_server import Server, chat_rows, jsonl, preference_rows, upload

SECRET = "zebra-secret"


def message(content=SECRET, role="user", **more):
    return {"role": role, "content": content, **more}


def chat(*messages):
    return json.dumps({"messages": list(messages)}).encode()


GOOD = chat(message("q"), message("a", "assistant"))


BAD_LINES = {
    "not JSON": (b'{"messages": [', "not JSON"),
    "not an object": (b'["zebra-secret"]', "must be a JSON object"),
    "no known field": (b'{"text": "zebra-secret"}', "none of `messages`"),
    "messages no list": (b'{"messages": "zebra-secret"}', "`messages` is a string"),
    "messages empty": (b'{"messages": []}', "an empty list"),
    "message no object": (b'{"messages": ["zebra-secret"]}', "`messages[0]` is a string"),
    "wrong role": (chat(message(), message("a", SECRET)), "`messages[1].role` must be one of"),
    "no role": (b'{"messages": [{"content": "zebra-secret"}]}', "`messages[0].role`"),
    "content null": (chat(message(), message(None, "assistant")), "`messages[1].content` is missing or null"),
    "content empty": (chat(message(), message("", "assistant")), "`messages[1].content` is empty"),
    "no assistant": (chat(message()), "last of `messages` must be the assistant's"),
    "nothing to learn": (chat(message(), message("a", "assistant", weight=0)), "weight 1"),
    "bad weight": (chat(message(), message("a", "assistant", weight=0.5)), "`messages[1].weight` must be 0 or 1"),
    "weight on user": (chat(message("q", weight=1), message("a", "assistant")), "assistant messages alone"),
    "tools": (chat(message(), message("a", "assistant", tool_calls=[{"id": 1}])), "tool_calls` is not supported"),
    "half a surrogate": (b'{"prompt": "\\ud800", "completion": "a"}', "surrogate"),
    "not UTF-8": (b'{"prompt": "\xff", "completion": "a"}', "not UTF-8"),
    "binary": (bytes(range(11, 256)), "not UTF-8"),
    "too deep": (b"[" * 100_000, "nested too deeply"),
    "a number too long": (b'{"prompt": ' + b"1" * 5000 + b"}", "number too long"),
    "no completion": (b'{"prompt": "zebra-secret"}', "`completion` is missing"),
    "another format": (preference_rows(1).strip(), "a preference row in a file of chat rows"),
    "same preference": (
        json.dumps(
            {"input": {"messages": [message()]}, "preferred_output": [message("a", "assistant")]}
            | {"non_preferred_output": [message("a", "assistant")]}
        ).encode(),
        "no preference",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_LINES)
def test_bad_line_is_told_by_its_number_and_never_quoted(client, case):
    line, expected = BAD_LINES[case]
    with pytest.raises(openai.BadRequestError) as refused:
        upload(client, GOOD + b"\n" + line + b"\n" + GOOD + b"\n")
    body = refused.value.body
    assert body["type"] == "invalid_request_error"
    assert body["code"] == "invalid_file_format"
    assert body["param"] == "file"
    assert "line 2: " in body["message"]
    assert expected in body["message"]
    assert SECRET not in body["message"]


def test_all_bad_lines_are_told_together_each_problem_once(client):
    kinds = [chat(*[message()] * i, "x") for i in range(29)]  # each wrong in another place
    with pytest.raises(openai.BadRequestError) as refused:
        upload(client, b"\n".join([b"x", GOOD, b"\n", *[b"[]"] * 40, *kinds]))
    text = refused.value.body["message"]
    assert "71 of 72 lines" in text
    assert text.count("must be a JSON object") == 1
    assert "lines 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 and 30 more: is an empty list, but" in text
    assert all(f"line {n}: " in text for n in (1, 3, 45))
    assert "and 12 more lines with other problems" in text


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_empty_file_is_refused(client, content):
    with pytest.raises(openai.BadRequestError):
        upload(client, content)


def test_byte_order_mark_and_windows_line_ends_are_fine(client):
    assert upload(client, b"\xef\xbb\xbf" + GOOD + b"\r\n" + GOOD + b"\r\n\r\n")


def test_one_huge_line_is_refused_without_reading_on(client):
    with pytest.raises(openai.BadRequestError) as refused:
        upload(client, b'{"prompt": "' + b"a" * (17 * 2**20) + b'", "completion": "b"}')
    assert "line 1: is longer than" in refused.value.body["message"]


def test_all_problems_of_an_upload_are_told_together(client):
    with pytest.raises(openai.BadRequestError) as refused:
        client.post("/files", body={"purpose": "fun", "expires_after[seconds]": "7"}, cast_to=object,
                    files={"other": b"x"}, options={"headers": {"Content-Type": "multipart/form-data"}})  # fmt: skip
    for name in ("'file'", "'purpose'", "expires_after"):
        assert name in refused.value.body["message"]


def test_file_in_use_is_not_deleted(client):
    file_id = upload(client, chat_rows(50))
    job = client.fine_tuning.jobs.create(
        model="embedded-tiny", training_file=file_id, hyperparameters={"n_epochs": 50, "batch_size": 1}
    )
    with pytest.raises(openai.ConflictError) as refused:
        client.files.delete(file_id)
    assert job.id in refused.value.body["message"]
    client.fine_tuning.jobs.cancel(job.id)
    assert client.files.delete(file_id).deleted


def test_too_long_rows_are_refused_where_asked(client):
    from onprem_server import told, wait_for

    rows = jsonl([{"prompt": "a b c d " * n, "completion": "e"} for n in (1, 90, 1, 90)])
    asked = {"model": "embedded-tiny", "training_file": upload(client, rows)}
    hp = {"n_epochs": 1, "max_length": 64}
    strict = asked | {"extra_body": {"hyperparameters": hp | {"too_long": "refuse"}}}
    job = client.fine_tuning.jobs.create(
        **strict, validation_file=upload(client, rows[rows.index(b"\n") + 1 :])
    )
    job = wait_for(client, job.id)
    assert (job.status, job.error.code, job.error.param) == (
        "failed",
        "invalid_training_file",
        "training_file",
    )
    assert "training file are longer than max_length 64 tokens: lines 2, 4" in job.error.message
    assert "validation file are longer than max_length 64 tokens: lines 1, 3" in job.error.message
    job = client.fine_tuning.jobs.create(**asked, extra_body={"hyperparameters": hp})
    assert wait_for(client, job.id).status == "succeeded"
    (warning,) = [e for e in told(client, job.id) if e.level == "warn"]
    assert "2 of 4 rows" in warning.message
    assert "lines 2, 4" in warning.message


def test_size_limits(tmp_path):
    server = Server(tmp_path, "--max-file-mb", "1", "--max-storage-mb", "1", "--max-jobs", "1").start()
    try:
        client = server.client()
        with pytest.raises(openai.APIStatusError) as refused:
            upload(client, chat_rows(20_000))
        assert refused.value.status_code == 413
        file_id = upload(client, chat_rows(5_000))
        with pytest.raises(openai.APIStatusError) as refused:
            upload(client, chat_rows(5_000))
        assert refused.value.code == "storage_limit_exceeded"
        job = client.fine_tuning.jobs.create(model="embedded-tiny", training_file=file_id)
        with pytest.raises(openai.RateLimitError) as refused:
            client.fine_tuning.jobs.create(model="embedded-tiny", training_file=file_id)
        assert refused.value.code == "job_limit_exceeded"
        client.fine_tuning.jobs.cancel(job.id)
    finally:
        server.stop()
