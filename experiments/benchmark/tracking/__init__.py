"""How fast the tracker is, always against something measured in the same run on the same machine."""
