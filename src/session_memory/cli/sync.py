"""`sync`: exchange with other devices: set up, push, pull, how it stands, carry the key over."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Any

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line
from session_memory.errors import InvalidInput
from session_memory.model.amounts import plural, size
from session_memory.model.handoff import ID
from session_memory.settings import environment

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal
    from session_memory.memory import Memory

EXAMPLE = "session-memory sync init file:///media/stick/memory && session-memory sync push"


def arguments(parser: argparse.ArgumentParser) -> None:
    """One verb each; none = status."""
    import argparse

    verbs = parser.add_subparsers(dest="verb", metavar="init|status|push|pull|devices|conflicts|export-key|import-key")

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        child = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        child.add_argument("--home", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        child.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="output for machines")
        return child

    init = verb("init", "choose the remote, make the key, switch sync on")
    init.add_argument("url", nargs="?", help="file:///path/of/a/folder or d1:// (absent: what config.json says)")
    verb("status", "how far every device's log goes here and there; no call is made")
    for name, text in (
        ("push", "pull, then send what the remote lacks"),
        ("pull", "take what the remote has; send nothing"),
    ):
        child = verb(name, text)
        child.add_argument("--dry-run", action="store_true", help="only say what would go which way")
        child.add_argument(
            "--force", action="store_true", help="trust no note; send long texts again that the remote lost"
        )
    verb("devices", "every device whose log lies here")
    verb("conflicts", "what two devices said otherwise of the same thing")
    verb("export-key", "write the key for another device, under a passphrase").add_argument("file", metavar="FILE")
    verb("import-key", "join the devices whose key this is").add_argument("file", metavar="FILE")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the verb says."""
    with open_memory(args) as memory:
        if args.verb in ("push", "pull"):
            return _exchanged(memory, args, terminal)
        if args.verb == "init":
            return _begun(memory, args, terminal)
        if args.verb == "devices":
            return _devices(memory, terminal)
        if args.verb == "conflicts":
            return _conflicts(memory, terminal)
        if args.verb == "export-key":
            memory.sync.may_export(args.file)  # before anybody types a passphrase
            done = memory.sync.export_key(args.file, _passphrase(terminal, twice=True))
            terminal.json(done)
            terminal.line(f"Wrote {done['file']}. Whoever has it and the passphrase reads everything on the remote.")
            terminal.line("On the other device: session-memory sync import-key FILE")
            return 0
        if args.verb == "import-key":
            done = memory.sync.import_key(args.file, _passphrase(terminal, twice=False))
            terminal.json(done)
            terminal.line(
                f"This home {'has joined' if done['joined'] else 'already had the key of'} space {done['space']}."
            )
            terminal.line(f"The remote is {done['url']}. Next: session-memory sync push")
            return 0
        return _status(memory, terminal)


def _begun(memory: Memory, args: argparse.Namespace, terminal: Terminal) -> int:
    done = memory.sync.init(args.url)
    terminal.json(done)
    terminal.line(
        f"The remote is {done['url']}; the key of space {done['space']} was {done['key']}: {done['key_file']}"
    )
    terminal.line("Without that key nobody reads what lies on the remote, you included. Carry it to another device:")
    terminal.line("  session-memory sync export-key FILE    there: session-memory sync import-key FILE")
    terminal.line("Next: session-memory sync push")
    return 0


def _exchanged(memory: Memory, args: argparse.Namespace, terminal: Terminal) -> int:
    verb = memory.sync.push if args.verb == "push" else memory.sync.pull
    try:
        done = verb(
            force=args.force, dry_run=args.dry_run,
            progress=lambda label, done, total: terminal.progress(label, done, total, plural(total, "record")),
        )  # fmt: skip
    finally:
        terminal.progress_done()
    terminal.json(done)
    would = "would be " if args.dry_run else ""
    terminal.line(
        f"{plural(done['pushed'], 'record')} {would}pushed, {plural(done['pulled'], 'record')} {would}pulled."
    )
    for name, text in (("forgotten_here", "body went here: forgotten on another device"),
                       ("forgotten_there", "segment was rewritten there without what is forgotten"),
                       ("moved", "record moved to a new device id: this home was copied")):  # fmt: skip
        if done[name]:
            terminal.line(f"{done[name]:,} x {text}.")
    terminal.line(
        f"{plural(done['calls'], 'call')}, {size(done['bytes_sent'])} sent, {size(done['bytes_received'])} received."
    )
    stopped = [each for each in done["origins"] if "last_error" in each]
    for each in stopped:
        terminal.line(terminal.style(f"{each['origin']}: {one_line(each['last_error'])}", "red"))
    if "note" in done:
        terminal.line(done["note"])
    return 1 if stopped else 0


def _status(memory: Memory, terminal: Terminal) -> int:
    told = memory.sync.status()
    terminal.json(told)
    terminal.line(f"Sync is {'on' if told['enabled'] else 'off'}; the remote is {one_line(told['url'])}; "
                  f"this home has {'its' if told['key'] else 'no'} key.")  # fmt: skip
    _table(told["origins"], terminal)
    if "at" in told:
        terminal.line(f"Last exchange {told['at']}: {plural(told['calls'], 'call')}, {size(told['bytes_sent'])} sent,"
                      f" {size(told['bytes_received'])} received.")  # fmt: skip
    if "last_error" in told:
        terminal.line(terminal.style(f"It failed: {one_line(told['last_error']['what'])}", "red"))
    return 1 if "last_error" in told else 0


def _table(origins: list[dict[str, Any]], terminal: Terminal) -> None:
    terminal.table(
        ("device", "pending", "pushed", "pulled", "last error"),
        [(each["origin"] + (" (this one)" if each["own"] else ""), each["pending"], each["pushed"], each["pulled"],
          each.get("last_error", "")) for each in origins],
    )  # fmt: skip


def _devices(memory: Memory, terminal: Terminal) -> int:
    found = memory.sync.devices()
    terminal.json(found)
    terminal.table(
        ("device", "since", "last record", "records", "began as"),
        [(each["origin"] + (" (this one)" if each["own"] else ""), each["since"][:10], each["last"][:16],
          each["pending"] + each["pushed"], each["why"] + (f" of {each['from']}" if each["from"] else "")) for each in found],
    )  # fmt: skip
    return 0


def _conflicts(memory: Memory, terminal: Terminal) -> int:
    found = memory.conflicts.listed()
    terminal.json(found)
    if not found:
        terminal.line("No two devices said otherwise of the same thing.")
    for each in found:
        named = one_line(each["name"]) or each["id"][:ID]
        terminal.line(
            f"{each['thing']} {named}, {each['field']}: {one_line(str(each['value']))} ({each['origin'][:8]}, {each['at'][:16]})"
        )
        for lost in each["lost"]:
            terminal.line(
                f"  lost: {one_line(str(lost['value']))} ({lost['origin'][:8]}, {lost['at'][:16]}; show {lost['record'][:ID]})"
            )
    return 0


def _passphrase(terminal: Terminal, *, twice: bool) -> str:
    """From SESSION_MEMORY_SYNC_PASSPHRASE, else asked for. Raises InvalidInput."""
    given = environment().passphrase
    if given:
        return given
    if terminal.as_json or not sys.stdin.isatty():
        raise InvalidInput(
            "missing-argument",
            "A passphrase is needed.",
            "Set SESSION_MEMORY_SYNC_PASSPHRASE, or run this in a terminal.",
        )
    first = getpass.getpass("Passphrase of the key file: ")
    if twice and getpass.getpass("Again: ") != first:
        raise InvalidInput("bad-argument", "The two are not the same.", "Try it again.")
    return first
