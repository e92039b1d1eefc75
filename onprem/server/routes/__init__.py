"""OpenAI's routes, one file per resource."""
