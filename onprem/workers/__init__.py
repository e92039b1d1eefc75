"""The processes beside the server: training workers and one for inference, and the supervisor that owns them.

The supervisor runs in the server and never imports torch; the workers do, and die with the server.
"""
