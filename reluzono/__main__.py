"""``python -m reluzono`` is the command ``reluzono``."""

import sys

from reluzono.cli import main

sys.exit(main())
