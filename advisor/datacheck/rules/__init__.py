"""The data rules: one symptom, one file. `advisor.datacheck.catalogue` lists them all."""
