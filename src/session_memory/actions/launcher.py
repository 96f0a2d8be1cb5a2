"""The launcher in the home: `python3 ~/.claude/session-memory/server.py` starts the server, wherever it is installed."""

from __future__ import annotations

import os
import sys

from session_memory import paths

TEXT = '''#!/usr/bin/env python3
"""Starts the Session Memory server. Written by session-memory itself, anew whenever it runs from another place."""

import os
import subprocess
import sys

PYTHON = {python!r}
SOURCE = {source!r}

if not os.path.exists(PYTHON) or not os.path.isdir(SOURCE):
    sys.exit("session-memory has moved: run it once from its new place, and this file is written again.")
home = os.path.dirname(os.path.abspath(__file__))
# `-m` would look in the current folder first, and that is somebody's project: its modules must not stand in for ours
run = "import sys; sys.path[:] = [place for place in sys.path if place]; sys.path.insert(0, %r)\\n" % SOURCE
run += "from session_memory.cli.main import main; sys.exit(main())"
words = [PYTHON, "-c", run, "serve", "--home", home]
if os.name == "nt":
    sys.exit(subprocess.call(words))
os.execv(PYTHON, words)
'''
OURS = b"Written by session-memory itself"
KEPT = ".before"


def write(home: paths.Home) -> None:
    """Write the launcher if it is missing or names another place. A read-only home goes without."""
    path = os.path.join(home.root, "server.py")
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    text = TEXT.format(python=sys.executable, source=source).encode("utf-8")
    try:
        with open(path, "rb") as file:
            stands = file.read()
    except FileNotFoundError:
        stands = b""  # the first run
    except OSError:
        return
    if stands == text:
        return
    try:
        if stands and OURS not in stands and not os.path.lexists(path + KEPT):
            paths.move(path, path + KEPT)  # the server of an older product, or the user's own
        paths.write_whole(path, text)
    except OSError:
        return  # the log's first write says what is wrong with the home
