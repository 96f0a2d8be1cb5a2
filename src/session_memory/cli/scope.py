"""Where a command looks: in the project of this folder, in another one, or in all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """--all or --project."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--all", action="store_true", help="in every project, not only this folder's")
    where.add_argument("--project", metavar="NAME", help="in this project: its name, key or folder")


def chosen(args: argparse.Namespace) -> dict[str, Any]:
    """What was chosen, as the rooms of the memory take it."""
    return {"everywhere": args.all, "project": args.project}


def place(args: argparse.Namespace) -> str:
    """The same in words, to stand behind what was looked for."""
    return "in any project" if args.all else f"in the project {args.project}" if args.project else "in this project"
