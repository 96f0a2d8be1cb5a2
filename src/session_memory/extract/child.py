"""The child process that reads one document: it has the file on its stdin, limits on itself, and says what it found in JSON.

Lines on stdout: `{"done", "total"}` while it goes on, at last `{"text", "title", "pages"}` or `{"code", "what", "fix"}`.
What a library raises at a broken file ends it, and the last line on stderr is the reason.
Nothing it does can reach the home: it knows no path of it.
"""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from session_memory.extract import docx, html, pdf, plain
from session_memory.extract.limits import MOST_CPU_SECONDS, MOST_MEMORY, RefusedError

if TYPE_CHECKING:
    from typing import IO

    from session_memory.extract.reading import Progress


def _html(file: IO[bytes], progress: Progress) -> dict[str, Any]:
    return html.markdown(plain.decoded(file.read()), progress)


READERS = {"pdf": pdf.read, "docx": docx.read, "html": _html}


def main(format_: str) -> None:
    """Read stdin as `format_` (pdf, docx or html)."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a library that prints must not speak for us

    def say(told: dict[str, Any]) -> None:
        out.write(json.dumps(told) + "\n")
        out.flush()

    _limit()
    try:
        file = io.BytesIO(sys.stdin.buffer.read())
        say(READERS[format_](file, lambda done, total: say({"done": done, "total": total})))
    except RefusedError as error:
        say({"code": error.code, "what": error.what, "fix": error.fix})
    except MemoryError:
        say({"code": "too-large", "what": "Reading the document takes more memory than it may.", "fix": "Split it."})
    except RecursionError:
        say({"code": "damaged-document", "what": "The document is nested too deep.", "fix": "Save it again."})
    except ImportError as error:
        say({"code": "documents-missing", "what": str(error), "fix": ""})


def _limit() -> None:
    """Bounds the system enforces, where it has them."""
    try:
        import resource
    except ImportError:
        return  # Windows: the parent's clock and the readers' own limits stand alone
    for which, most in (("RLIMIT_AS", MOST_MEMORY), ("RLIMIT_CPU", MOST_CPU_SECONDS), ("RLIMIT_CORE", 0)):
        _soft, hard = resource.getrlimit(getattr(resource, which))
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(getattr(resource, which), (bound, hard))
        except (ValueError, OSError):
            continue  # macOS refuses some; the others hold
