"""`session-memory`: one command a file; this one only finds it, opens its arguments and turns errors into sentences."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

# name -> one line of help; each is a module of this package with `arguments`, `run` and EXAMPLE
COMMANDS: dict[str, str] = {
    "serve": "run the MCP server on stdin and stdout",
    "demo": "watch a server record, die and come back, in a temporary home",
    "status": "what is remembered, where, and whether all is well",
    "sessions": "the newest sessions",
    "show": "one event, session, checkpoint, learning, entity or document in full",
    "search": "find events by plain words",
    "query": "find events by category, type, tag and time",
    "how": "how a command was really run here, and how each run ended",
    "fix": "where an error was met before, and what was done next when it did not come back",
    "blame": "which decisions, findings, edits, commits and prompts shaped a file",
    "timeline": "what stood beside an event or a time, a line each",
    "eval": "your own questions with their answers: how well search finds them, and whether that changed",
    "mark": "say of a fact that it is accepted, rejected, superseded or wrong",
    "graph": "what lies around a file, symbol, command or concept",
    "ingest": "take a file or folder of documents in, to be searched",
    "checkpoint": "name this position to resume from",
    "checkpoints": "list checkpoints",
    "resume": "where things stand and what changed since",
    "handoff": "write what the next session must know",
    "context": "what a session is told by itself, and why",
    "compactions": "what each compaction kept and lost",
    "questions": "what was asked and is not answered yet",
    "answer": "answer a question that a session left open",
    "learn": "lessons that can be used again",
    "import": "bring existing history in",
    "verify": "prove that log, chain and index agree",
    "rebuild": "make the index again from the log",
    "embed": "make the vectors that search by meaning lacks",
    "doctor": "look at everything a memory stands on, and repair what can be repaired",
    "backup": "copy a memory into one file, and prove the copy by restoring it",
    "restore": "make a home from a backup",
    "projects": "every project with what is remembered of it",
    "forget": "take something out of every file, with proof",
    "scan": "look for secrets that were recorded before a rule for them was there",
    "sync": "exchange with other devices, encrypted",
    "pause": "record nothing, for a while or until unpause",
    "unpause": "record again",
    "install": "make a client start the server and its hooks",
    "uninstall": "take that back, exactly",
    "trust": "let a project's .env set the documented variables",
    "config": "every setting and where it came from",
    "plugins": "plugins that are loaded, and those that failed; write and try your own",
}
OK, FAILED, USAGE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 failed or not found, 2 used wrongly."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["serve"] or (not arguments and not sys.stdin.isatty()):
        from session_memory.cli import serve  # before argparse: the client waits for the first answer

        plain, home = serve.home_of(arguments[1:])
        if plain:
            return serve.start(home)
    return _command(arguments)


def _command(arguments: list[str]) -> int:
    from session_memory.cli.terminal import Terminal
    from session_memory.errors import InvalidInput, SessionMemoryError

    args = parser(arguments).parse_args(arguments)
    terminal = Terminal(as_json=bool(getattr(args, "json", False)))
    name = args.command or "greet"
    module = importlib.import_module(f"session_memory.cli.{_module(name)}")
    try:
        return int(module.run(args, terminal))
    except SessionMemoryError as error:
        terminal.error(error)
        return FAILED
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:  # a file the person named, or a disk that fails outside the log and the index
        terminal.error(InvalidInput("bad-path", f"{error.filename or 'A file'}: {error.strerror or error}."))
        return FAILED
    except (KeyboardInterrupt, EOFError):  # Ctrl-C, or Ctrl-D at a question
        print(file=sys.stderr)
        return 130


def _module(name: str) -> str:
    return "import_" if name == "import" else name


def parser(arguments: list[str]) -> argparse.ArgumentParser:
    """The parser, with the arguments of the command that `arguments` name."""
    import argparse

    from session_memory.cli.parsing import Parser
    from session_memory.version import VERSION

    def always(one: argparse.ArgumentParser) -> None:
        one.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help="the memory's home folder")
        one.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="output for machines")

    whole = Parser(
        prog="session-memory", description="A memory for coding agents that survives crashes and compaction.",
        epilog="Without a command, on a terminal: what is remembered, and what to do next.",
    )  # fmt: skip
    Parser.as_json = "--json" in arguments
    whole.add_argument("--version", action="version", version=f"session-memory {VERSION}")
    always(whole)
    commands = whole.add_subparsers(dest="command", metavar="COMMAND")
    wanted = next((word for word in arguments if word in COMMANDS), None)
    for name, text in COMMANDS.items():
        child = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".",
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
        if name == wanted:  # only the command that runs is loaded
            module = importlib.import_module(f"session_memory.cli.{_module(name)}")
            child.epilog = f"example:\n  {module.EXAMPLE}"
            module.arguments(child)
        always(child)
    return whole


def wide_help(prog: str) -> argparse.HelpFormatter:
    """Help of one width everywhere: for the reference page."""
    import argparse

    return argparse.RawDescriptionHelpFormatter(prog, width=100)
