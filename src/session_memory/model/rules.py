"""Rules in plain words: sentences by which a person, or the text of a task, says what must or must not be done.

Standard library only, no regular expressions: the hook that answers at a session's start uses it too. What counts as a rule
was tuned on labelled sessions (benchmarks/context); when in doubt a sentence is none, because a wrong rule costs more than
a missing one.
"""

from __future__ import annotations

from session_memory.model.plain import folded

LONGEST, SHORTEST = 260, 8  # characters of a sentence that can be a rule
MOST_PASTED = 4_000  # characters of a message: longer ones are pasted documents, whose rules are not the user's words
# how a clause begins that forbids or orders something
FORBIDS = ("never", "don't", "dont", "do not", "avoid", "no", "not", "without", "must not", "mustn't", "stop")
ORDERS = ("always", "only", "keep", "prefer", "preserve", "make sure", "ensure", "from now on", "must", "leave", "use")
# words that make a rule wherever they stand
FORBIDDING = (
    "must not", "must never", "mustn't", "should never", "may not", "not allowed", "forbidden", "off limits",
    "off-limits", "do not", "don't", "never", "cannot", "must stay",
)  # fmt: skip
NEGATED = ("; no ", ", no ", " and no ")
ORDERING = (
    "must", "from now on", "should always", "always", "only", "required", "exactly", "strict", "at most", "at least",
)  # fmt: skip
STANDING = ("never", "always", "from now on", "in this project", "in this repo", "whenever", "every time", "must")
JOINTS = (
    "please", "and", "but", "then", "so", "also", "just", "again", "ok", "okay", "yes", "no", "sure", "good",
    "great",
)  # fmt: skip
# whoever speaks of what is, not of what shall be: "I don't know", "it never works"
SPEAKERS = frozenset("i we you they he she it this that there who which tests test users people why".split())
PASSED = (
    "definition of done", "source ref", "reference", "output file", "target area", "target file", "children",
    "blocks", "depends on", "parent", "acceptance", "files", "comments", "related", "notes", "history",
)  # fmt: skip
BINDING = ("constraint", "requirement", "rule", "must", "non-goal", "out of scope", "architecture", "security")
# a sentence that speaks to whoever reads it, rather than about the work, is no rule of a task: see the safety tests
ADDRESSING = (
    "ignore ", "disregard", "instruction", "system prompt", "assistant", "you are ", "as an ai", "execute ", "curl ",
    "wget ", "base64", "://", "password", "credential", "api key", "exfiltrat", "sudo ", "rm -rf", "eval(", "<",
    "`!", "secret", "token to ", "send ", "upload ", "post ", "reveal", "print your", "override", "jailbreak",
    "developer mode", "session-memory", "human:", "system:", "user:", "approved by", "the user ", "do whatever",
    "no restrictions", "chmod ", "| sh", "|sh", "bash -c", "powershell", "http", "www.", "javascript:", "data:",
    "without asking", "without confirm", "without permission", "without review", "never ask", "not ask", "n't ask", "not tell",
    "never tell", "n't tell", "not mention", "never mention", "n't mention", "hesitat", "pre-approved", "preapproved",
    "authorized", "authorised", "claude, ", "claude: ", " llm", "the model", "the agent", "ai agent", " ai ", "~/", "id_rsa",
    ".ssh", ".netrc", ".aws", "$(", "&&", "netcat", "pastebin", "ngrok", "printenv", "--no-verify", "[inst", "tool_use",
    "function_call",
)  # fmt: skip
# what an order of a task may not be about either: it leads out of the work, or takes a guard away (to forbid it is a rule)
LEADING_OUT = (
    "install ", "download", "fetch ", "clone ", "ssh ", "scp ", "rsync", "git push", "push to ", "publish", "disable ", "skip ",
    "bypass", "delete ", "remove all", "email", "webhook", "./", "allowlist", "allow-list", "environment variable",
)  # fmt: skip
# what a name or a title does not say unless it is meant for whoever reads it
SPEAKING = (
    "ignore all", "ignore any", "ignore previous", "ignore prior", "ignore the above", "ignore your", "disregard",
    "previous instruction", "new instruction", "system prompt", " you are ", " you must", " you should", "as an ai",
    " curl ", " wget ", "base64", "exfiltrat", " sudo ", "rm -rf", "eval(", "print your", "jailbreak", "developer mode",
    " human:", " assistant:", " system:", " user:", "approved by", "the user ", "do whatever", "no restrictions", "| sh", "|sh",
    "bash -c", "powershell", "without asking", "never ask", "not ask", "n't ask", "do not tell", "don't tell", "claude, ",
)  # fmt: skip
NAME_WORDS = 6  # a name of fewer words is a name
SILENCED = "(its words speak to whoever reads them: left out)"


def of_user(text: str) -> list[tuple[str, bool]]:
    """(sentence, whether it stands for good) for every rule in what somebody typed, in its order."""
    if len(text) > MOST_PASTED:
        return []
    return [(each, stands(each)) for each in sentences(text) if _orders(each)]


def stands(sentence: str) -> bool:
    """Whether a rule is meant for later sessions too, not just for what is being done now."""
    low = f" {_low(sentence)} "
    return any(f" {word} " in low for word in STANDING)


def of_task(text: str) -> list[tuple[str, int]]:
    """(line, rank) for every rule in the text of a task, the most binding first: 0 forbids; 1 orders, under a heading that
    binds; 2 stands under such a heading; 3 orders elsewhere."""
    found: list[tuple[str, int]] = []
    heading = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line:
            continue
        if line.startswith("#") or (line.endswith(":") and len(line) < 60) or (line.isupper() and len(line) < 40):
            heading = line.strip("# :*").lower()
            continue
        if any(word in heading for word in PASSED):
            continue
        bullet = line[0] in "-*•" or (line[0].isdigit() and line[1:3].strip()[:1] in (".", ")"))
        said = line.lstrip("-*•0123456789.) ").strip()
        if not SHORTEST <= len(said) <= LONGEST or addresses(said):
            continue
        binding = any(word in heading for word in BINDING)
        rank = _rank(said, binding)
        if rank and leads_out(said):
            continue
        if rank is not None and (bullet or rank == 0):
            found.append((said, rank))
    found.sort(key=lambda each: each[1])
    return found


def addresses(sentence: str) -> bool:
    """Whether a sentence of a text that a tool showed speaks to its reader, names a way out, or carries markup."""
    low = folded(sentence)
    return any(word in low for word in ADDRESSING)


def leads_out(sentence: str) -> bool:
    """Whether an order leads out of the work, or takes a guard away."""
    low = folded(sentence)
    return any(word in low for word in LEADING_OUT)


def speaks(title: str) -> bool:
    """Whether a title (of a commit, a task, a branch) speaks to its reader."""
    low = folded(title)
    return any(word in low or word in low.replace("-", " ").replace("_", " ") for word in SPEAKING)


def sentence_as_name(path: str) -> bool:
    """Whether the last two parts of a path are a sentence that speaks to its reader."""
    said = "".join(c if c.isalnum() or c in ":|'" else " " for c in folded(" ".join(path.rsplit("/", 2)[-2:])))
    return len(said.split()) >= NAME_WORDS and speaks(said)


def silenced(title: str) -> str:
    """A title; of one that speaks to its reader, that it does."""
    return SILENCED if speaks(title) else title


def sentences(text: str) -> list[str]:
    """The sentences of a message, without quoted lines and fenced code."""
    found: list[str] = []
    fenced = False
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        if fenced or not line or line[0] in ">`|":
            continue
        found += _cut(line.lstrip("-*•").strip())
    return found


def _cut(line: str) -> list[str]:
    """One line cut behind each full stop, question or exclamation mark that ends a sentence."""
    found, begin = [], 0
    for n, letter in enumerate(line):
        if letter in ".!?;。！？" and (n + 1 == len(line) or line[n + 1] in " \t)\"'" or letter in "。！？"):
            found.append(line[begin : n + 1].strip())
            begin = n + 1
    found.append(line[begin:].strip())
    return [each for each in found if each]


def _orders(sentence: str) -> bool:
    if not SHORTEST <= len(sentence) <= LONGEST or sentence.endswith(("?", "？")):
        return False
    for clause in _clauses(_low(sentence)):
        words = clause.split()
        while words and words[0] in JOINTS and not (words[0] == "no" and len(words) > 1 and words[1] not in JOINTS):
            words = words[1:]
        rest = " ".join(words)
        if not words or len(words) < 2:
            continue
        if any(rest.startswith(f"{each} ") for each in (*FORBIDS, *ORDERS)):
            if words[0] in ("no", "not", "without", "only", "use", "leave", "stop") and not _whole(rest, words):
                continue
            return True
        if words[0] not in SPEAKERS and any(
            f" {each} " in f" {rest} " for each in ("must", "mustn't", "must not", "from now on")
        ):
            return True
    return False


def _whole(rest: str, words: list[str]) -> bool:
    """Whether a clause with a weak beginning is an order all the same: `no mocks in tests`, `use X, not Y`."""
    if words[0] == "use":
        return any(f" {each} " in f" {rest} " for each in ("instead", "not", "only", "always", "rather"))
    if words[0] in ("no", "not"):
        return words[1] not in (
            "problem",
            "worries",
            "idea",
            "need",
            "sure",
            "yet",
            "longer",
            "one",
            "way",
            "that",
            "really",
            "bad",
        )
    return len(words) > 2


def _clauses(low: str) -> list[str]:
    for mark in (",", ":", " - ", " – ", " — ", "(", ")"):
        low = low.replace(mark, "\n")
    return [each.strip() for each in low.split("\n") if each.strip()]


def _rank(said: str, binding: bool) -> int | None:
    low = f" {_low(said)} "
    if (
        low.startswith((" no ", " avoid "))
        or any(f" {each} " in low for each in FORBIDDING)
        or any(each in low for each in NEGATED)
    ):
        return 0
    orders = low.startswith((" keep ", " preserve ", " ensure ", " leave ")) or any(
        f" {each} " in low for each in ORDERING
    )
    if binding:
        return 1 if orders else 2
    return 3 if orders else None


def _low(text: str) -> str:
    return " ".join(
        text.lower().replace("’", "'").replace("`", " ").replace("*", " ").replace(".", " ").replace("!", " ").split()
    )
