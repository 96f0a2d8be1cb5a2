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
FORBIDS = ("never", "don't", "dont", "do not", "must not", "mustn't", "must never", "avoid", "refrain from")
ORDERS = ("always", "prefer", "preserve", "make sure", "ensure", "ask me before", "check with me", "i'd rather you", "i never want",
          "i don't want", "i do not want", "whatever you do", "you are not allowed to", "you're not allowed to")  # fmt: skip
ANYWHERE = ("from now on", "off limits", "off-limits", "under any circumstances", "under no circumstances")
# what people do to a code base: behind a weak word (`only`, `we never`) one of these makes an order of it
ACTIONS = frozenset(
    "touch use change edit modify write add delete remove run commit push deploy create rename move refactor reformat format"
    " install import call mock log print update upgrade fix merge rebase release publish send store ship skip disable enable"
    " bump break drop alter migrate mention cache expose introduce rewrite squash amend force implement build make put set"
    " generate squash support keep work do look read go".split()
)
# behind `don't` and `never`: what somebody feels or found, nothing he asks for
FELT = frozenset(
    "know think thing mind worry care get got see saw seen understand believe need want like feel say said seem have had has be"
    " been was were did done came went knew made ran found told thought took gave heard again before that the this it a my"
    " you i we they bother stop".split()
)
ADVERBS = frozenset("ever just even really directly simply please".split())
# a clause that begins with `no`: what was seen, rather than what is wanted; the first are so right behind it
POINTING = frozenset("that it i we you he she they this there the".split())
SEEN = frozenset(
    "problem problems worries idea need sure yet longer one way really bad is are was were"
    " does doesn't did ran found now anymore more luck such all far change changes difference rush matter wonder thanks response"
    " reply output error errors warning warnings failure failures crash crashes result results match matches issue issues sign"
    " trace clue news answer effect progress entries logs works worked".split()
)
WANTED = frozenset(
    "in for without unless please ever new extra additional other beyond outside anywhere allowed under on".split()
)
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
# whoever speaks of what is, not of what shall be: "it must be the cache"
SPEAKERS = frozenset("i we they he she it this that there who which why what".split())
PASSED = (
    "definition of done", "source ref", "reference", "output file", "target area", "target file", "children",
    "blocks", "depends on", "parent", "files", "comments", "related", "notes", "history",
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
# of ADDRESSING, what files are named after all day: `post-tool-capture.sh`, `user_password_reset_form.py`
NAMED = frozenset(
    ("post ", "send ", "upload ", "secret", "password", "credential", "override", "instruction", "assistant", "http")
)
NAME_WORDS = 6  # a name of fewer words is a name
MOST_FOUND = 256
_found: dict[str, tuple[tuple[str, bool], ...]] = {}  # several facts of one brief ask of the same words
SILENCED = "(its words speak to whoever reads them: left out)"


def of_user(text: str) -> tuple[tuple[str, bool], ...]:
    """(sentence, whether it stands for good) for every rule in what somebody typed, in its order."""
    if len(text) > MOST_PASTED:
        return ()
    known = _found.get(text)
    if known is None:
        known = tuple((each, stands(each)) for each, listed in sentences(text) if _orders(each, listed=listed))
        if len(_found) >= MOST_FOUND:
            _found.clear()
        _found[text] = known
    return known


def stands(sentence: str) -> bool:
    """Whether a rule is meant for later sessions too, not just for what is being done now."""
    low = f" {_low(sentence)} "
    return any(f" {word} " in low for word in STANDING)


def forbids(sentence: str) -> bool:
    """Whether it says what must not be, rather than what must."""
    low = f" {_low(sentence)} "
    return low.startswith((" no ", " avoid ")) or any(f" {each} " in low for each in FORBIDDING)


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
        said = _unticked(line.lstrip("-*•0123456789.) ").strip())
        if not SHORTEST <= len(said) <= LONGEST or addresses(said):
            continue
        binding = any(word in heading for word in BINDING)
        rank = _rank(said, binding)
        if "acceptance" in heading and not _low(said).startswith(FORBIDS):
            continue  # what shall be true in the end; of it only what is forbidden is a rule
        if rank == 2 and heading.startswith(("out of scope", "non-goal")):
            said, rank = f"{heading.capitalize()}: {said}", 1
        if rank and leads_out(said):
            continue
        if rank is not None and (bullet or rank == 0):
            found.append((said, rank))
    found.sort(key=lambda each: each[1])
    return found


def _unticked(said: str) -> str:
    """An item without the box of a checklist."""
    return said[3:].strip() if said[:3].lower() in ("[ ]", "[x]") else said


def addresses(sentence: str, but: frozenset[str] = frozenset()) -> bool:
    """Whether a sentence of a text that a tool showed speaks to its reader, names a way out, or carries markup."""
    low = folded(sentence)
    return any(word in low for word in ADDRESSING if word not in but)


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
    return len(said.split()) >= NAME_WORDS and (speaks(f" {said} ") or addresses(said, but=NAMED))


def silenced(title: str) -> str:
    """A title; of one that speaks to its reader, that it does."""
    return SILENCED if speaks(title) else title


def sentences(text: str) -> list[tuple[str, bool]]:
    """(sentence, whether it is an item of a list) of a message, without quoted lines and fenced code."""
    found: list[tuple[str, bool]] = []
    fenced = False
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        if fenced or not line or line[0] in ">`|":
            continue
        found += [(each, line[0] in "-*•") for each in _cut(line.lstrip("-*•").strip())]
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


def _orders(sentence: str, *, listed: bool) -> bool:
    if not SHORTEST <= len(sentence) <= LONGEST or sentence.endswith(("?", "？")):
        return False
    low = _low(sentence)
    padded = f" {low} "
    if any(f" {each} " in padded for each in ANYWHERE):
        return True
    return any(_order(words, padded, listed=listed) for words in map(_begun, _clauses(low)) if len(words) > 1)


def _begun(clause: str) -> list[str]:
    """The words of a clause, without what only joins it to the one before."""
    words = clause.split()
    while words and words[0] in JOINTS and not (words[0] == "no" and len(words) > 1 and words[1] not in JOINTS):
        words = words[1:]
    if words[:3] in (["it's", "important", "that"], ["remember", "that", "you"]):
        words = words[4:] if words[3:4] == ["you"] else words[3:]
    return words


def _order(words: list[str], sentence: str, *, listed: bool) -> bool:
    """Whether a clause forbids something, or asks for it once and for all."""
    clause = " ".join(words)
    for each in (*FORBIDS, *ORDERS):
        if clause.startswith(f"{each} "):
            return _asks(each, clause[len(each) :].split())
    first = words[0]
    if first in ("only", "we", "let's", "you"):
        return _weak(words)
    if first == "use":
        return any(f" {each} " in sentence for each in ("instead", "not", "only", "always", "rather", "everywhere"))
    if first == "no":
        return (
            words[1] not in POINTING
            and not SEEN & frozenset(words)
            and (listed or bool(WANTED & frozenset(sentence.split())))
        )
    if first == "keep":
        return not words[1].endswith("ing") and words[-1] != "going" and words[1] not in ("up", "in", "on", "at")
    if first == "leave":
        return clause.endswith((" alone", " as is", " as it is", " as they are", " untouched", " unchanged", " out"))
    if first == "stop":
        return words[1].endswith("ing") and len(words) > 2
    if first == "without":
        return words[1] == "my"
    return _binds(words)


def _asks(how: str, rest: list[str]) -> bool:
    """Whether something is asked for behind `never`, `always` and their like: a verb as one uses it to ask."""
    while rest and rest[0] in ADVERBS:
        rest = rest[1:]
    if not rest:
        return False
    verb = rest[0]
    if how in ("i don't want", "i do not want"):
        return verb != "to" or rest[1:2] == ["see"]
    if how in ("never", "always", "don't", "dont", "do not"):
        tells = verb.endswith("ed") and verb not in (
            "need",
            "embed",
            "feed",
            "seed",
            "speed",
            "shed",
            "exceed",
            "proceed",
        )
        return not (tells or verb in FELT or (verb.endswith("s") and not verb.endswith("ss")))
    return True


def _weak(words: list[str]) -> bool:
    """`only touch …`, `we never commit …`, `let's not change …`, `you must …`."""
    first, rest = words[0], words[1:]
    if first == "you":
        return _binds(words)
    if first == "we" and rest[:1] in (["never"], ["always"], ["don't"], ["only"]):
        rest = rest[1:]
    elif first == "we" and rest[:2] == ["do", "not"]:
        rest = rest[2:]
    elif first == "let's" and rest[:1] in (["not"], ["never"], ["only"], ["always"]):
        rest = rest[1:]
    elif first != "only":
        return _binds(words)
    return bool(rest) and rest[0] in ACTIONS


def _binds(words: list[str]) -> bool:
    """Whether a clause says what must or must not be: not what must have been, or must be the case."""
    for n, word in enumerate(words[:-1]):
        after = words[n + 1 :]
        if word in ("must", "mustn't", "should", "shouldn't", "may") and n:
            denied = word.endswith("n't") or after[0] in ("not", "never", "always")
            verb = after[1:2] if after[0] in ("not", "never", "always") else after[:1]
            if not verb or verb[0] in ("have", "happen") or (verb == ["be"] and not _wholly(words[:n])):
                return False
            if word == "may" or (word == "should" and after[0] == "not"):
                return words[0] == "nothing" or (denied and words[0] not in SPEAKERS and word == "may")
            if word.startswith("should"):
                return words[0] == "nothing" or (denied and words[0] not in SPEAKERS - {"we"})
            return denied or words[0] not in SPEAKERS
        if word == "has" and after[:1] == ["to"] and n:
            return after[1:2] not in (["be"], ["have"], []) and words[0] not in SPEAKERS
    return False


def _wholly(subject: list[str]) -> bool:
    """Whether a subject stands for a whole class: `all commits`, `commits`, `nothing under vendor`; not `the cache`."""
    return subject[0] in ("all", "every", "each", "any", "nothing", "everything", "no") or (
        subject[0] not in SPEAKERS
        and subject[0] not in ("the", "a", "an", "my", "your", "you")
        and subject[-1].endswith("s")
    )


def _clauses(low: str) -> list[str]:
    for mark in (",", ":", " - ", " – ", " — ", "(", ")"):
        low = low.replace(mark, "\n")
    found: list[str] = []
    for clause in (each.strip() for each in low.split("\n")):
        # an order may go on without a comma: `fix the bug but don't touch billing`
        joint = next((each for each in (" but ", " and ") if each in clause), "")
        if joint and clause.split()[0] in ACTIONS:
            found += [each.strip() for each in clause.split(joint)]
        elif clause:
            found.append(clause)
    return [each for each in found if each]


def _rank(said: str, binding: bool) -> int | None:
    low = f" {_low(said)} "
    if forbids(said) or any(each in low for each in NEGATED):
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
