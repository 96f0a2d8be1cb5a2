"""Shell commands as people think of them: what was run, whatever file, task or output filter it was run with.

Standard library only, no regular expressions.
"""

from __future__ import annotations

BEFORE = ("time", "sudo", "nice", "nohup", "command", "exec", "timeout")  # what runs another command
FILE, TASK, TEXT = "FILE", "ID", "…"
LONGEST = 80  # characters of a command that is worth knowing again
# programs that look, move about or print: everybody knows them
PLAIN = frozenset(
    "ls cat cd echo pwd head tail sed awk grep rg find fd which wc rm mkdir rmdir cp mv touch sleep kill pkill"
    " export source chmod chown true false test [ for while if do done printf env set unset read tree stat file"
    " diff sort uniq xargs tr cut tee date ps jq git less more man type command history clear exit eval bash sh"
    " zsh python3 python node ruby perl curl wget open".split()
)
# programs whose failing is an answer ("not found", "differs"), or that are run to look
LOOKING = PLAIN - frozenset("git python python3 node ruby perl bash sh zsh curl source".split())
TRACKERS = frozenset("bd beads br gh glab jira linear tea hub trk task todo issue issues ticket tk".split())
SHOWS, CLOSES, STARTS = (
    ("show", "view", "describe"),
    ("close", "done", "finish", "resolve", "complete"),
    ("start", "claim", "begin", "take"),
)
UNDER_WAY = ("in_progress", "in-progress", "inprogress", "doing", "started", "wip")
DONE = ("closed", "done", "completed", "resolved")
NO_TASK = frozenset("issue issues task tasks ticket pr mr list ready".split())


def parts(command: str) -> list[list[str]]:
    """The commands of a line in their order, as words; `cd`, variables, redirections and filters behind a pipe are left out."""
    found = []
    for piece in _pieces(command):
        words = _words(piece)
        while words and "=" in words[0] and words[0].split("=")[0].replace("_", "").isalnum():
            words = words[1:]
        while words and words[0] in BEFORE:
            words = words[2 if words[0] == "timeout" else 1 :]
        words = [each for each in words if not _redirects(each)]
        if words and words[0] not in ("", "cd"):
            found.append(words)
    return found


def steps(command: str) -> list[tuple[str, list[str], str]]:
    """Every command of a line, filters too: (as typed, its words, the sign behind it: `&&`, `||`, `;`, `|` or none)."""
    found = []
    for piece, sign in _cut(_without_documents(command)):
        words = _words(piece)
        kept = [
            each
            for n, each in enumerate(words)
            if not _redirects(each) and (not n or words[n - 1] not in (">", ">>", "<"))
        ]
        if kept:
            found.append((piece, kept, sign))
    return found


def usual(words: list[str], tasks: frozenset[str] = frozenset()) -> str:
    """A command without what changes from call to call (see `wording`); "" when it is not worth knowing."""
    if not words or words[0] in PLAIN or words[0].startswith(("/", "./", "#", "(", "{")) or not words[0][0].isalpha():
        return ""
    text = wording(words, tasks)
    return text if len(text) <= LONGEST else ""


def wording(words: list[str], tasks: frozenset[str] = frozenset()) -> str:
    """A command with a sign in place of what changes from call to call: files, ids of tasks, quoted text."""
    shown: list[str] = []
    for each in words:
        if each == TEXT or (each.startswith("--") and "=" in each and TEXT in each):
            word = each.partition("=")[0] if "=" in each else TEXT
        elif each in tasks or (shown and words[0] in TRACKERS and _names_task(each)):
            word = TASK
        elif shown and _is_file(each):
            word = FILE
        else:
            word = each
        if not (shown and word == shown[-1] and word in (FILE, TASK, TEXT)):
            shown.append(word)
    return " ".join(shown)


def task_change(words: list[str]) -> tuple[str, list[str]] | None:
    """(`show`, `open` or `closed`; ids) of a call of an issue tracker; None for any other command."""
    if len(words) < 3 or words[0] not in TRACKERS:
        return None
    verbs = [each for each in words[1:4] if each in (*SHOWS, *CLOSES, *STARTS, "update", "edit", "move", "transition")]
    if not verbs:
        return None
    named = words[words.index(verbs[0]) + 1 :]
    ids = []
    for each in named:
        if each.startswith("-"):
            break
        if each not in NO_TASK and each not in UNDER_WAY and _names_task(each):
            ids.append(each.lstrip("#"))
    if not ids:
        return None
    verb = verbs[0]
    if verb in SHOWS:
        return "show", ids
    if verb in CLOSES:
        return "closed", ids
    said = " ".join(named).lower()
    if verb in STARTS or any(each in said for each in UNDER_WAY):
        return "open", ids
    return ("closed", ids) if any(each in said for each in DONE) else None


def _names_task(word: str) -> bool:
    plain = word.lstrip("#")
    return (
        bool(plain)
        and plain[0].isalnum()
        and len(plain) <= 40
        and (plain.isdigit() or "-" in plain)
        and "/" not in plain
    )


def _is_file(word: str) -> bool:
    if word.startswith("-") or "=" in word:
        return False
    stem, dot, ending = word.rpartition(".")
    return "/" in word.strip("./") or bool(
        dot and stem and 1 <= len(ending) <= 5 and ending[0].isalpha() and stem[-1].isalnum()
    )


def _redirects(word: str) -> bool:
    return word.startswith((">", "<", "2>", "1>", "&>")) or word == "&"


def _pieces(command: str) -> list[str]:
    """Cut at `&&`, `;`, `||` and newlines outside quotes; of a pipe only what comes before the first filter."""
    found, before = [], ""
    for piece, sign in _cut(_without_documents(command)):
        if before != "|":
            found.append(piece)
        before = sign
    return [each for each in found if each]


def _cut(text: str) -> list[tuple[str, str]]:
    """Pieces with the sign behind each: `&&`, `||`, `;` (also for a newline), `|`, and nothing behind the last."""
    found, piece, quote, n = [], "", "", 0
    while n < len(text):
        letter, two = text[n], text[n : n + 2]
        sign = ""
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif two in ("&&", "||"):
            sign = two
        elif letter in ";\n|":
            sign = "|" if letter == "|" else ";"
        if sign:
            found.append((piece.strip(), sign))
            piece = ""
        else:
            piece += letter
        n += len(sign) or 1
    return [*found, (piece.strip(), "")]


def _without_documents(command: str) -> str:
    """The command without its here-documents: what stands between `<<TAG` and the line TAG."""
    if "<<" not in command:
        return command
    kept, tag = [], ""
    for line in command.split("\n"):
        if tag:
            tag = "" if line.strip() == tag else tag
            continue
        head, sign, rest = line.partition("<<")
        word = rest.lstrip("-<").split()[0].strip("'\";)&|") if sign and rest.lstrip("-<").split() else ""
        tag = word if sign and not rest.startswith("<") else ""
        kept.append(f"{head} {TEXT}" if tag and '"' in head and head.count('"') % 2 else head if tag else line)
    return "\n".join(kept)


def _words(piece: str) -> list[str]:
    """Words as a shell sees them; what was quoted and has spaces becomes `…`."""
    words: list[str] = []
    word, quote, quoted = "", "", False
    for letter in piece + " ":
        if quote:
            if letter == quote:
                quote = ""
            else:
                word += letter
        elif letter in "'\"":
            quote, quoted = letter, True
        elif letter in " \t":
            if word or quoted:
                words.append(_shown(word, quoted))
            word, quoted = "", False
        else:
            word += letter
    if word or quote:
        words.append(TEXT)  # a quote that is not closed: a here-document or a cut line
    return words


def _shown(word: str, quoted: bool) -> str:
    if word.lower() == "in progress":
        return "in-progress"  # as trackers call it
    if quoted and any(letter in word for letter in " \t$(){}\n"):
        head, sign, _rest = word.partition("=")
        return f"{head}={TEXT}" if sign and head.startswith("--") and " " not in head else TEXT
    return word
