"""Using tuned models: evaluate, chat, list, promote and compare. Everything here starts from what MLflow holds."""
