"""The parser of the command line: argparse, but that what is wrong is said in a sentence, also for machines."""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import re
import sys
from typing import NoReturn

CHOICE = re.compile(
    r"argument (.*?): invalid choice: ('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\") \(choose from (.*)\)", re.DOTALL
)
NAME = re.compile(r"[\w.-]+")
MANY = 12  # choices beyond which they are not listed


class Parser(argparse.ArgumentParser):
    """A parser whose errors end the process with 2, as argparse's do. as_json: they are one JSON object on stdout."""

    as_json = False

    def error(self, message: str) -> NoReturn:
        """Say what was used wrongly and how it is meant, and exit."""
        what, fix = said(message)
        fix = fix or f"See: {self.prog} --help"
        if self.as_json:
            told = {"error": {"code": "bad-argument", "what": what, "fix": fix}}
            sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        else:
            self.print_usage(sys.stderr)
            sys.stderr.write(f"{self.prog}: error: {what} {fix}\n")
        self.exit(2)


def said(message: str) -> tuple[str, str]:
    """(what is wrong, what to do) of one of argparse's messages; nothing to do where it knows no better."""
    found = CHOICE.match(message)
    if found is None:
        return message[:1].upper() + message[1:] + ("" if message.endswith(".") else "."), ""
    name, quoted, rest = found.groups()
    given = str(ast.literal_eval(quoted))
    choices = NAME.findall(rest)
    near = difflib.get_close_matches(given, choices, n=2)
    what = f"{given[:40]!r} is no {'command' if name == 'COMMAND' else 'choice here'}."
    if near:
        return what, f"Did you mean: {' or '.join(near)}?"
    return what, f"There are: {', '.join(choices)}." if len(choices) <= MANY else ""
