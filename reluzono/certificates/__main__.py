"""``python -m reluzono.certificates FILE ...``: re-check certificates."""

import sys

from reluzono.certificates.check import main

sys.exit(main(sys.argv[1:]))
