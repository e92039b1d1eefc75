"""`python -m experiments` is the `experiments` command."""

import sys

from experiments.cli import main

sys.exit(main())
