"""The server against its own description: whatever a client sends, no 5xx, and errors in OpenAI's shape."""

import json
import random
import socket
from collections import Counter

import httpx
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from onprem_server import Server, chat_rows, upload

schemathesis = pytest.importorskip("schemathesis")

EXAMPLES = 25  # per route; `--hypothesis-seed` repeats a run


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    """A server of its own: made-up jobs and files stay out of the other tests' way."""
    server = Server(tmp_path_factory.mktemp("fuzzed")).start()
    yield server
    server.stop()


def test_no_request_breaks_the_server(fuzzed):
    described = schemathesis.openapi.from_url(fuzzed.base_url.replace("/v1", "/openapi.json"))
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 18
    seen: Counter = Counter()
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
        )
        def send(case):
            response = case.call()
            seen[response.status_code] += 1
            assert response.status_code < 500, (case.method, case.path, response.text)
            if response.status_code >= 400 and case.path.startswith("/v1"):
                assert set(response.json()["error"]) == {"message", "type", "param", "code"}

        send()
    assert seen[200] > 20
    assert seen[400] > 20, "the server was made to refuse things"


BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"x"',
    b"\xff\xfe",
    b"{}" * 1000,
    b"[" * 50_000,
    b'{"model": ' + b"1" * 5000,
]


@pytest.mark.parametrize("path", ["/fine_tuning/jobs", "/chat/completions", "/completions", "/files"])
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_broken_bodies_are_refused_politely(fuzzed, path, kind):
    for body in BODIES:
        answer = httpx.post(fuzzed.base_url + path, content=body, headers={"content-type": kind}, timeout=30)
        assert 400 <= answer.status_code < 500, (body[:20], answer.text)
        assert answer.json()["error"]["message"]


HALF = json.dumps("a\ud800")
HALVES = {
    "/fine_tuning/jobs": [
        f'{{"model": {HALF}, "training_file": "file-a"}}',
        f'{{"model": "embedded-tiny", "training_file": {HALF}}}',
        f'{{"model": {HALF}, "training_file": {HALF}, "validation_file": {HALF}, "seed": "x", "method": {HALF}}}',
        f'{{"model": "embedded-tiny", "training_file": "%s", "integrations": [{{"type": "wandb", "wandb": {{"project": {HALF}}}}}]}}',
        f'{{"model": "embedded-tiny", "training_file": "%s", "metadata": {{{HALF}: {HALF}}}, {HALF}: 1}}',
    ],
    "/chat/completions": [
        f'{{"model": {HALF}, "messages": [{{"role": "user", "content": "a"}}]}}',
        f'{{"model": "embedded-tiny", "messages": [{{"role": "user", "content": {HALF}}}]}}',
        f'{{"model": "embedded-tiny", "messages": [{{"role": "user", "content": [{{"type": "text", "text": {HALF}}}]}}]}}',
    ],
    "/completions": [
        f'{{"model": "embedded-tiny", "prompt": {HALF}}}',
        f'{{"model": "embedded-tiny", "prompt": ["a", {HALF}]}}',
        f'{{"model": "embedded-tiny", "prompt": "a", "stop": [{HALF}]}}',
    ],
}


@pytest.mark.parametrize(("path", "content"), [(path, b) for path in HALVES for b in HALVES[path]])
def test_half_a_surrogate_pair_is_no_text(fuzzed, path, content):
    if "%s" in content:
        content = content % upload(fuzzed.client(), chat_rows(10))
    answer = httpx.post(fuzzed.base_url + path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert "half a surrogate pair" in answer.json()["error"]["message"]
    assert fuzzed.client().fine_tuning.jobs.list().data is not None


def test_random_bytes_as_training_files_are_refused_or_taken_but_never_break_it(fuzzed):
    draw = random.Random(0)
    client = fuzzed.client()
    good = b'{"prompt": "a", "completion": "b"}\n'
    for _ in range(60):
        content = bytearray(good * draw.randint(1, 4))
        for _ in range(draw.randint(1, 6)):
            content[draw.randrange(len(content))] = draw.randrange(256)
        answer = httpx.post(
            f"{fuzzed.base_url}/files",
            data={"purpose": "fine-tune"},
            files={"file": ("x.jsonl", bytes(content))},
        )
        assert answer.status_code in (200, 400), answer.text
    assert client.models.list().data


def test_a_gigabyte_is_refused_before_it_is_sent(fuzzed):
    host, port = fuzzed.base_url.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST /v1/files HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        connection.sendall(head.encode() + b"Content-Length: 1073741824\r\n\r\n--x\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()  # the server closes
    assert answer.startswith("HTTP/1.1 413")
    assert "request_too_large" in answer


def test_a_gigabyte_is_refused_in_words_that_the_client_gets_to_read(fuzzed, tmp_path):
    with (tmp_path / "big.jsonl").open("wb") as big:
        big.truncate(2**30)  # zeros that take no room
    with pytest.raises(openai.APIStatusError, match="larger than this server's limit of") as refused:
        fuzzed.client().files.create(file=tmp_path / "big.jsonl", purpose="fine-tune")
    assert (refused.value.status_code, refused.value.code) == (413, "request_too_large")


def test_a_body_over_the_limit_is_cut_off_while_it_comes(fuzzed):
    sent = 0

    def endless():
        nonlocal sent
        while sent < 200:
            sent += 1
            yield b"x" * 2**20

    try:
        status = httpx.post(f"{fuzzed.base_url}/chat/completions", content=endless(), timeout=30).status_code
    except httpx.TransportError:  # the server has answered and closed while the client was still sending
        status = 413
    assert status == 413
    assert sent < 64, "4 MiB is the limit; the rest is what sockets hold"
    assert fuzzed.client().models.list().data
