"""Archives of a provider's account: everything as served, on disk, verifiable, and enough to rebuild MLflow from."""
