"""What sessions are told, measured on labelled ones: tokens, precision and recall of facts, and what is used again.

    PYTHONPATH=src:. python benchmarks/context/measure.py            figures
    PYTHONPATH=src:. python benchmarks/context/measure.py --unjudged told lines without a verdict in verdicts.tsv
    PYTHONPATH=src:. python benchmarks/context/measure.py --show     the texts themselves

Strict precision goes by the labels: true but unlabelled counts as wrong. Judged precision goes by verdicts.tsv: a person read
every line against the transcript; `noise` (true, of no use) counts as wrong too.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from benchmarks.context import cut, match
from benchmarks.context.cut import COMPACTION, END, Session

from session_memory.model import brief
from session_memory.model.compaction import Summary
from session_memory.model.context import PASSING
from session_memory.model.tasks import Tasks

VERDICTS = Path(__file__).with_name("verdicts.tsv")
TOLD = ((COMPACTION, "startup"), (COMPACTION, "compact"), (END, "startup"))  # the texts whose lines are judged
SOURCES = ("startup", "compact", "clear", "resume")


def verdicts() -> dict[str, str]:
    """Name of a line -> right, noise or wrong."""
    found = {}
    for row in VERDICTS.read_text().splitlines()[1:]:
        name, verdict, _why = row.split("\t")
        found[name] = verdict
    return found


def tokens(session: Session) -> None:
    print("  tokens (estimated) and facts of a text:")
    for moment in (COMPACTION, END):
        for source in SOURCES:
            made = session.told(moment, source)
            count = Counter(line["section"] for line in made.lines)
            each = ", ".join(f"{name} {number}" for name, number in count.items())
            print(f"    {moment:10} {source:8} {made.tokens:5} tokens {len(made.lines):3} facts: {each or 'nothing'}")


def precision(sessions: list[Session]) -> None:
    known = verdicts()
    total: Counter[str] = Counter()
    for moment, source in TOLD:
        counts: Counter[tuple[str, str]] = Counter()
        for session in sessions:
            held = session.held(moment)
            for line in session.told(moment, source).lines:
                at = session.lines.get(line["ids"][0], 0)
                counts[line["section"], "told"] += 1
                counts[line["section"], "strict"] += any(match.answers(line, label, at) for label in held)
                counts[line["section"], known.get(cut.key(session, moment, line), "unjudged")] += 1
        print(f"\nprecision, {source} at {moment} (both sessions): right judged / told, strict by the labels")
        for section in dict.fromkeys(name for name, _what in counts):
            _row(
                section,
                {what: counts[section, what] for what in ("told", "strict", "right", "noise", "wrong", "unjudged")},
            )
        whole = {
            what: sum(n for (_s, w), n in counts.items() if w == what)
            for what in ("told", "strict", "right", "noise", "wrong", "unjudged")
        }
        _row("all", whole)
        _row("all but files", {what: number - counts["files", what] for what, number in whole.items()})
        total.update(whole)
    print("\nover the three:")
    _row("all", dict(total))


def _row(name: str, n: dict[str, int]) -> None:
    rest = ", ".join(f"{n[what]} {what}" for what in ("noise", "wrong", "unjudged") if n.get(what))
    told = n["told"] or 1
    print(
        f"    {name:14} {n['right']:3}/{n['told']:<3} {n['right'] / told:5.2f}   strict {n['strict'] / told:5.2f}   {rest}"
    )


def recall(sessions: list[Session]) -> None:
    print(
        "\nrecall: labels that hold, by kind, and how many of them are told (importance 2 and 3; in brackets importance 3)"
    )
    for moment, source in TOLD:
        counts: Counter[tuple[str, str]] = Counter()
        for session in sessions:
            lines = session.told(moment, source).lines
            for label in session.held(moment):
                if label["importance"] >= 2:
                    told = match.held_by(label, lines, session.lines)
                    kind = label["type"] + (f" by {label['by']}" if label["type"] == "constraint" else "")
                    counts[kind, "held"] += 1
                    counts[kind, "told"] += told
                    counts[kind, "held3"] += label["importance"] == 3
                    counts[kind, "told3"] += told and label["importance"] == 3
        print(f"  {source} at {moment}: " + "; ".join(
            f"{kind} {counts[kind, 'told']}/{counts[kind, 'held']} ({counts[kind, 'told3']}/{counts[kind, 'held3']})"
            for kind in dict.fromkeys(name for name, _what in counts)))  # fmt: skip


def after(session: Session) -> None:
    """The goals of the text after a compaction."""
    made = session.told(COMPACTION, "compact")
    print(f"  the text after the compaction: {made.tokens} tokens")
    held = session.held(COMPACTION)
    working = Tasks(session.notes(COMPACTION)).in_progress()
    shown = {session.lines[note["id"]] for note in session.notes(COMPACTION) if note["what"] == "task" and note.get("rules")
             and note["task"] in working}  # fmt: skip
    # the evidence is the tracker's answer, one or a few lines behind the call that the rules' notes name
    near = {line + ahead for line in shown for ahead in range(9)}
    groups = {
        "constraints of the user": [each for each in held if each["type"] == "constraint" and each["by"] == "user"],
        "importance-3 constraints of the task in progress": [
            each for each in held if each["type"] == "constraint" and each["by"] != "user" and each["importance"] == 3
            and any(proof["line"] in near for proof in each["evidence"])
        ],
        "questions stated by tool or put to the user": [each for each in held if each["type"] == "question" and each["by"] == "user"],
    }  # fmt: skip
    print(f"    in progress: {', '.join(working)}")
    for name, labels in groups.items():
        told = [each["id"][9:] for each in labels if match.held_by(each, made.lines, session.lines)]
        print(f"    {name}: {len(told)} of {len(labels)} ({', '.join(told)})")
    before, later = session.until(COMPACTION), session.after()
    named = {
        line["text"].replace(": ", "").removesuffix(" (gone)").rstrip("*")
        for line in made.lines
        if line["section"] == "files"
    }
    for name, files in (("edited before", cut.edited(before)), ("edited or read before", cut.files_of(before))):
        again = {each for each in files & cut.files_of(later) if not each.startswith(PASSING)}
        found = {each for each in again if any(each.endswith(f"/{one}") for one in named)}
        print(f"    files used again, {name}: {_share(found, again)}")
    ran = [line["text"].split("`")[1].split() for line in made.lines if line["section"] == "commands"]
    ran += [
        line["text"].removeprefix("- ").partition(": failed")[0].split()
        for line in made.lines
        if line["section"] == "failing"
    ]
    for name, said in (("as worded", " ".join), ("by program and subcommand", cut.program)):
        again = {said(each) for each in cut.commands_of(session, before)} & {
            said(each) for each in cut.commands_of(session, later)
        }
        print(f"    commands used again, {name}: {_share(again & {said(each) for each in ran}, again)}")


def _share(found: set[str], wanted: set[str]) -> str:
    missing = ", ".join(sorted(each.rsplit("/", 1)[-1] for each in wanted - found))
    share = len(found) / len(wanted) if wanted else 1
    return f"{len(found)} of {len(wanted)} ({share:.2f})" + (f"; not: {missing}" if missing else "")


def lost(session: Session) -> None:
    """What the summary kept, by kind, as the compaction report counts it; of labels too, to compare with what was judged by hand."""
    summary = Summary(session.summary)
    facts = brief.facts([note for note in session.notes(COMPACTION) if note["what"] != "summary"])
    for name, sections in (("rules", (brief.RULES, brief.TASKS)), ("files", (brief.FILES,)), ("commands", (brief.COMMANDS,)),
                           ("questions", (brief.QUESTIONS,)), ("decisions", (brief.DECISIONS,))):  # fmt: skip
        those = [fact for fact in facts if fact.section in sections]
        print(f"    {name}: kept {sum(map(summary.holds, those))} of {len(those)}")
    for name, chosen in (
        ("files", [each for each in session.held(COMPACTION) if each["type"] == "file"]),
        ("constraints of importance 3 by issue or hook", [each for each in session.held(COMPACTION) if each["type"] == "constraint"
                                                          and each["by"] != "user" and each["importance"] == 3]),
    ):  # fmt: skip
        kept = []
        for label in chosen:
            note = {"id": "", "at": "", "session": ""}
            file = label["type"] == "file"
            quote = label["text"].rsplit("/", 1)[-1] if file else label["evidence"][0]["quote"]
            if summary.holds(brief.Fact(brief.FILES if file else brief.TASKS, quote, note, "")):
                kept.append(label["id"][9:])
        print(
            f"    labels, {name}: kept {len(kept)} of {len(chosen)}"
            + ("" if name == "files" else f" ({', '.join(kept)})")
        )


def unjudged(sessions: list[Session]) -> None:
    known, seen = verdicts(), set()
    for session in sessions:
        for moment, source in TOLD:
            for line in session.told(moment, source).lines:
                name = cut.key(session, moment, line)
                if name not in known and name not in seen:
                    seen.add(name)
                    print(f"{name}\t{line['text'][:170]} | {line['why']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--unjudged", action="store_true")
    parser.add_argument("--show", action="store_true")
    asked = parser.parse_args()
    sessions = cut.sessions()
    if not sessions:
        sys.exit(
            "Skipped: no labelled sessions here. Set SESSION_MEMORY_SHARED to a folder with labels/dev and transcripts."
        )
    if asked.unjudged:
        unjudged(sessions)
        return
    for session in sessions:
        print(f"\nsession {session.name}")
        if asked.show:
            for moment, source in TOLD:
                print(f"\n--- {source} at {moment}\n{session.told(moment, source).text}")
            continue
        tokens(session)
        after(session)
        print("  what the summary kept:")
        lost(session)
    if not asked.show:
        precision(sessions)
        recall(sessions)


if __name__ == "__main__":
    main()
