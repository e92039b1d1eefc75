"""A GGUF file becomes a model that says what the original says: the shipped model, written as GGUF and added again."""

import json

import pytest

torch = pytest.importorskip("torch")
gguf = pytest.importorskip("gguf")

from onprem.cli import main  # noqa: E402
from onprem.registry import EMBEDDED, describe  # noqa: E402
from onprem.training.loading import load_model, load_tokenizer  # noqa: E402

# Names of a Llama-shaped model's weights in both worlds; {} is the layer.
NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm",
    "model.layers.{}.input_layernorm": "blk.{}.attn_norm", "model.layers.{}.post_attention_layernorm": "blk.{}.ffn_norm",
    "model.layers.{}.self_attn.q_proj": "blk.{}.attn_q", "model.layers.{}.self_attn.k_proj": "blk.{}.attn_k",
    "model.layers.{}.self_attn.v_proj": "blk.{}.attn_v", "model.layers.{}.self_attn.o_proj": "blk.{}.attn_output",
    "model.layers.{}.mlp.gate_proj": "blk.{}.ffn_gate", "model.layers.{}.mlp.up_proj": "blk.{}.ffn_up",
    "model.layers.{}.mlp.down_proj": "blk.{}.ffn_down",
}  # fmt: skip


def interleaved(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """Order rows as llama.cpp's rotary embedding wants them: pairs side by side, not in halves."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def write(path) -> None:
    """Write the shipped model in fp32, with its tokenizer."""
    model, config = load_model(EMBEDDED), json.loads((EMBEDDED / "config.json").read_text())
    out = gguf.GGUFWriter(str(path), "llama")
    out.add_context_length(config["max_position_embeddings"])
    out.add_embedding_length(config["hidden_size"])
    out.add_block_count(config["num_hidden_layers"])
    out.add_feed_forward_length(config["intermediate_size"])
    out.add_head_count(config["num_attention_heads"])
    out.add_head_count_kv(config["num_key_value_heads"])
    out.add_layer_norm_rms_eps(config["rms_norm_eps"])
    out.add_rope_freq_base(config.get("rope_theta") or config["rope_parameters"]["rope_theta"])
    out.add_vocab_size(config["vocab_size"])
    bpe = json.loads((EMBEDDED / "tokenizer.json").read_text())
    special = {token["content"] for token in bpe["added_tokens"]}
    ids = bpe["model"]["vocab"] | {token["content"]: token["id"] for token in bpe["added_tokens"]}
    tokens = sorted(ids, key=ids.get)
    out.add_tokenizer_model("gpt2")
    out.add_token_list(tokens)
    out.add_token_types([gguf.TokenType.CONTROL if t in special else gguf.TokenType.NORMAL for t in tokens])
    out.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in bpe["model"]["merges"]])
    tokenizer = load_tokenizer(EMBEDDED)
    out.add_eos_token_id(tokenizer.eos_token_id)
    out.add_pad_token_id(tokenizer.pad_token_id)
    out.add_chat_template((EMBEDDED / "chat_template.jinja").read_text())
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for name, weight in model.state_dict().items():
        stem, layer = name.removesuffix(".weight"), None
        if ".layers." in stem:
            layer = stem.split(".")[2]
            stem = stem.replace(f".{layer}.", ".{}.", 1)
        if stem not in NAMES:
            continue  # the head, tied to the embedding
        theirs = NAMES[stem].format(layer)
        n = heads.get(theirs.split(".")[-1])
        out.add_tensor(theirs + ".weight", (interleaved(weight, n) if n else weight).float().numpy())
    for finish in (out.write_header_to_file, out.write_kv_data_to_file, out.write_tensors_to_file, out.close):
        finish()


def test_a_gguf_file_says_what_the_model_said_that_it_was_made_of(tmp_path, capsys):
    write(tmp_path / "tiny.gguf")
    assert (
        main(["models", "add", "tiny", str(tmp_path / "tiny.gguf"), "--data-dir", str(tmp_path / "data")])
        == 0
    )
    assert "0.8 million parameters, context 512" in capsys.readouterr().out
    folder = tmp_path / "data" / "models" / "tiny"
    assert describe(folder) == describe(EMBEDDED)
    assert list(folder.glob("*.safetensors"))
    text = "The tea is hot, isn't it? 42 — é"
    ids = [load_tokenizer(f)(text, add_special_tokens=False)["input_ids"] for f in (EMBEDDED, folder)]
    assert ids[0] == ids[1]
    logits = [load_model(f)(input_ids=torch.tensor([ids[0]])).logits for f in (EMBEDDED, folder)]
    assert torch.allclose(*logits, atol=1e-4)  # fp32; the same weights, another order of sums at most


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + bytes(100), b"not a model at all" * 10])
def test_a_broken_gguf_file_is_told_in_one_line(tmp_path, capsys, content):
    (tmp_path / "x.gguf").write_bytes(content)
    assert main(["models", "add", "x", str(tmp_path / "x.gguf"), "--data-dir", str(tmp_path / "data")]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("onprem: ")]
    assert "x.gguf could not be read as GGUF" in line
    assert not list((tmp_path / "data" / "models").iterdir())
