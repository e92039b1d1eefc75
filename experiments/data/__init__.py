"""The data sets that ship with the project, and the scripts that make them again: `chat` and `commands`."""
