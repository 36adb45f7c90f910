"""`python -m tuckpoint` is the command line."""

import sys

from tuckpoint.cli import main

if __name__ == "__main__":
    sys.exit(main())
