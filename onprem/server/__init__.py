"""The HTTP side: OpenAI's routes over the store and the workers. It never imports torch."""
