"""What the client runs: `python3 -I -S run.py record [HOME]` (or `context`); small, because Python compiles it at every start."""

import gc
import os
import sys


def main() -> None:
    """Run the hook that is named, then end at once."""
    gc.disable()  # this process ends before it has made anything worth collecting
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    home = sys.argv[2] if len(sys.argv) > 2 else None
    if sys.argv[1:2] == ["context"]:
        from session_memory.hooks import context

        context.main(home)
    else:
        from session_memory.hooks import record

        record.main(home)
    os._exit(0)  # nothing is left to be done, and taking an interpreter down in order costs as much as all of the above


if __name__ == "__main__":
    main()
