"""Write mcp_server/snapshot.json anew; `--check` says whether it is what the server answers."""

from __future__ import annotations

import sys
from pathlib import Path

from session_memory.mcp_server import snapshot, stdio

if __name__ == "__main__":
    new, path = snapshot.text(snapshot.make()), Path(stdio.SNAPSHOT)
    if "--check" in sys.argv:
        sys.exit(
            0
            if path.exists() and path.read_text(encoding="utf-8") == new
            else "snapshot.json is stale: run scripts/snapshot.py"
        )
    path.write_text(new, encoding="utf-8")
