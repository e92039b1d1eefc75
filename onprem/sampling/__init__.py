"""Text from a model: prompts to tokens, tokens drawn one by one, pieces of text out.

It knows models and tokenizers; it does not know HTTP or the store. Importing its modules imports torch.
"""
