"""What is made of a job's model: answers plain, streamed and with log probabilities, in lists, tuned again."""

import openai
import pytest
from onprem_server import metrics, run_job, strictly
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk


def test_tuned_model_checkpoint_and_base_answer_chats(client, finished):
    messages = [{"role": "user", "content": "What is number 7?"}]
    names = (finished.fine_tuned_model, f"{finished.fine_tuned_model}:ckpt-step-7", "embedded-tiny")
    answers = [
        client.chat.completions.create(model=name, messages=messages, temperature=0, max_tokens=12)
        for name in names
    ]
    for answer in answers:
        strictly(ChatCompletion, answer)
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
        assert answer.usage.completion_tokens <= 12
    assert answers[0].choices[0].message.content != answers[2].choices[0].message.content


def test_streamed_answer_is_the_plain_one(client, finished):
    asked = {"model": finished.fine_tuned_model, "messages": [{"role": "user", "content": "Hi"}]}
    asked |= {"max_tokens": 12, "temperature": 1.0, "seed": 3, "n": 2}
    plain = client.chat.completions.create(**asked)
    chunks = list(
        client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    )
    for chunk in chunks:
        strictly(ChatCompletionChunk, chunk)
    for index in (0, 1):
        own = [c.choices[0] for c in chunks if c.choices and c.choices[0].index == index]
        assert own[0].delta.role == "assistant"
        assert "".join(c.delta.content or "" for c in own) == plain.choices[index].message.content
        assert own[-1].finish_reason == plain.choices[index].finish_reason
    assert chunks[-1].usage == plain.usage


def test_logprobs_are_of_the_drawn_tokens(client, finished):
    answer = client.chat.completions.create(
        model=finished.fine_tuned_model, messages=[{"role": "user", "content": "Hi"}], max_tokens=5,
        temperature=0, logprobs=True, top_logprobs=2,
    )  # fmt: skip
    strictly(ChatCompletion, answer)
    for token in answer.choices[0].logprobs.content:
        assert token.top_logprobs[0].token == token.token, "greedy takes the likeliest"
        assert token.logprob <= 0
        assert token.top_logprobs[1].logprob <= token.logprob


def test_models_are_listed_retrieved_and_deleted(client, train_file):
    job = run_job(client, train_file, hyperparameters={"n_epochs": 1, "batch_size": 32})
    names = [model.id for model in client.models.list()]
    assert "embedded-tiny" in names
    assert job.fine_tuned_model in names
    strictly(Model, client.models.retrieve(job.fine_tuned_model))
    assert client.models.delete(job.fine_tuned_model).deleted
    assert job.fine_tuned_model not in [model.id for model in client.models.list()]
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve(job.fine_tuned_model)
    assert refused.value.code == "model_not_found"
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete("embedded-tiny")


def test_tuned_model_can_be_tuned_again(client, finished, train_file, valid_file):
    job = run_job(
        client, train_file, valid_file, model=finished.fine_tuned_model, hyperparameters={"n_epochs": 1}
    )
    assert job.status == "succeeded"
    assert job.fine_tuned_model.startswith("ft:embedded-tiny:personal:")
    before = client.fine_tuning.jobs.checkpoints.list(finished.id).data[0].metrics.full_valid_loss
    assert metrics(client, job.id)[0]["full_valid_loss"] == pytest.approx(before, rel=1e-6)
