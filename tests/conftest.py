"""What holds for every test."""

import signal

# A shell that starts the tests in the background has them ignore Ctrl-C, and with them every command that they start
# and interrupt. A signal that is caught here is at its default in what is started from here.
signal.signal(signal.SIGINT, signal.default_int_handler)
