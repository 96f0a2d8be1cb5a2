"""Which events a command looks at: the filters of `session_query`, the same words for every command that finds events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.actions.events import SCOPES, Query

if TYPE_CHECKING:
    import argparse

TIME = "ISO 8601, a date, yesterday, last week, 3 days ago, or checkpoint NAME; UTC where no zone stands"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Category, type, tag, time, file, branch, session and scope."""
    parser.add_argument("--category", action="append", help="may be given several times")
    parser.add_argument("--type")
    parser.add_argument("--tag", action="append", help="any of these; may be given several times")
    parser.add_argument("--after", help=TIME)
    parser.add_argument("--before")
    parser.add_argument("--file", help="of this file: a path or the end of one")
    parser.add_argument("--branch")
    parser.add_argument("--session", help="of this session only")
    parser.add_argument("--scope", choices=SCOPES)


def asked(args: argparse.Namespace, keyword: str | None, *, everywhere: bool = False, order: str | None = None,
          cursor: str | None = None) -> Query:  # fmt: skip
    """What was asked for, as the memory takes it."""
    return Query(
        categories=args.category, type=args.type, keyword=keyword, tags=args.tag, after=args.after, before=args.before,
        session_id=args.session, scope="all" if everywhere else args.scope, limit=args.limit, cursor=cursor, order=order,
        file=args.file, branch=args.branch,
    )  # fmt: skip
