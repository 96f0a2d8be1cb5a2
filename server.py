#!/usr/bin/env python3
"""Start the MCP server from a checkout: `python3 server.py`, for configurations that name this file."""

import os
import sys


def main():
    """Run `serve` with the package beside this file; one sentence when that cannot be."""
    if sys.version_info < (3, 10):
        sys.exit("session-memory needs Python 3.10 or newer; this is Python %d.%d." % sys.version_info[:2])
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "src"))
    from session_memory.cli.main import main as command

    return command(["serve"] + sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
