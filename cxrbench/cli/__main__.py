"""``python -m cxrbench.cli``."""

import sys

from cxrbench.cli.parser import main

if __name__ == "__main__":
    sys.exit(main())
