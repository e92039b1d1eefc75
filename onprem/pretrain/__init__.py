"""How the shipped model `embedded-tiny` was made: corpus, tokenizer, training, export. Run `python -m onprem.pretrain`."""
