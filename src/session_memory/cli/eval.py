"""`eval`: your own questions with their answers: how well search finds them, and whether that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory.cli import scope
from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import cut, one_line, when
from session_memory.ids import at_ms
from session_memory.model.amounts import plural
from session_memory.model.handoff import ID

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = 'session-memory eval add "staging port?" --expect 019aaacd0c01'
FIGURES = (("hit_at_1", "first"), ("hit_at_5", "among the first five"), ("mrr", "MRR"))


def arguments(parser: argparse.ArgumentParser) -> None:
    """One verb each; none = list."""
    import argparse

    verbs = parser.add_subparsers(dest="verb", metavar="list|add|remove|run")
    for name, text in (
        ("list", "the questions, and where their answers stood in the last run"),
        ("add", "keep a question with the event that answers it"),
        ("remove", "take a question back"),
        ("run", "ask them all, and tell what changed since the last run"),
    ):
        made = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help="the memory's home folder")
        made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="output for machines")
        if name == "add":
            made.add_argument("question")
            made.add_argument("--expect", action="append", required=True, metavar="EVENT",
                              help="the event that answers it; several times where any of them does")  # fmt: skip
        elif name == "remove":
            made.add_argument("id", help="the first digits of its id, as many as tell it from the others")
        else:
            scope.arguments(made)
    parser.set_defaults(all=False, project=None)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do one of them; 1 where there is no question."""
    with open_memory(args) as memory:
        if args.verb == "add":
            found = memory.golden.add(args.question, args.expect)
            terminal.json(found)
            terminal.line(f"Kept as {found['id'][:ID]}: {one_line(found['question'])}")
            return 0
        if args.verb == "remove":
            gone = memory.golden.remove(args.id)
            terminal.json(gone)
            terminal.line(
                f"Removed: {one_line(gone['question'])}. Its words stay in the log until: session-memory forget"
            )
            return 0
        if args.verb in (None, "list"):
            listed = memory.golden.listed(**scope.chosen(args))
            terminal.json(listed)
            for each in listed:
                stood = {None: "not asked yet", 0: "not found"}.get(each.get("rank"), f"rank {each.get('rank')}")
                said = f"{each['id'][:ID]}  {stood:<13}  {one_line(each['question'])}"
                terminal.line(f"{said}  {terminal.style('-> ' + ', '.join(id_[:ID] for id_ in each['expect']), 'dim')}")
        else:
            listed = memory.golden.listed(**scope.chosen(args))
            told = memory.golden.run(**scope.chosen(args))
            terminal.json(told)
            show(terminal, told)
    if not listed:
        terminal.line(f"No golden question {scope.place(args)}: session-memory eval add QUESTION --expect EVENT")
    return 0 if listed else 1


def show(terminal: Terminal, told: dict[str, Any]) -> None:
    """What a run measured, and what changed."""
    for each in told["gone"]:
        terminal.line(terminal.style(f"The answer is gone: {one_line(each['question'])}  {each['id'][:ID]}", "yellow"))
    now, before = told["figures"], told["before"]
    if now is None:
        return
    missed = [each for each in told["results"] if not 0 < each["rank"] <= 5]
    shares = ", ".join(f"{words} {now[name]:.2f}" for name, words in FIGURES)
    terminal.line(f"{plural(now['questions'], 'question')}: {shares}; p95 {now['p95_ms']:.0f} ms; {told['model']}")
    for each in missed:
        stood = f"rank {each['rank']}" if each["rank"] else "not found"
        terminal.line(
            f"  {stood:<9}  {cut(one_line(each['question']), terminal.width - 34)}  {terminal.style(each['id'][:ID], 'dim')}"
        )
    if before is None:
        terminal.line(terminal.style("The first run: the next one tells what changed.", "dim"))
        return
    changes = ", ".join(f"{words} {told['difference'][name]:+.2f}" for name, words in FIGURES)
    since = f"since {when(at_ms(before['at']))}: {changes}; p95 {told['difference']['p95_ms']:+.0f} ms"
    other = f"; the model was {before['model']}" if before["model"] != told["model"] else ""
    if told["lower"]:
        terminal.line(terminal.style(f"Lower {since}{other}", "red"))
    elif any(told["difference"][name] for name, _words in FIGURES):
        terminal.line(terminal.style(f"Better {since}{other}", "green"))
    else:
        terminal.line(terminal.style(f"Nothing changed {since}{other}", "dim"))
    for each in told["moved"]:
        ranks = (str(rank or "not found") for rank in (each["before"], each["rank"]))
        terminal.line(f"  {' -> '.join(ranks)}  {cut(one_line(each['question']), terminal.width - 40)}")
