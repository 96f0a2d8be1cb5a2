"""`python -m session_memory` is the command line."""

from __future__ import annotations

import sys

from session_memory.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
