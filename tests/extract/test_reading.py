"""Documents are read whole or refused with a reason, and hostile ones cost next to nothing."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory.errors import InvalidInput
from session_memory.extract import html, reading
from session_memory.extract.reading import format_of, read

SECONDS = 20.0  # for what takes less than 2 on a quiet machine
MOST_MEMORY = 200_000_000


def pdf(pages: list[str], *, trailer: str = "", stream: bytes | None = None) -> bytes:
    """A PDF written by hand: one line of Helvetica a sentence."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, 2)
    places = []

    def add(content: bytes) -> None:
        places.append(out.tell())
        out.write(f"{len(places)} 0 obj\n".encode() + content + b"\nendobj\n")

    for each in objects:
        add(each.encode())
    for n, text in enumerate(pages):
        add(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * n} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>".encode())  # fmt: skip
        lines = " 0 -14 Td ".join(f"({line}) Tj" for line in text.split("\n"))
        content = stream or zlib.compress(f"BT /F1 12 Tf 72 720 Td {lines} ET".encode("latin-1"))
        add(f"<< /Length {len(content)} /Filter /FlateDecode >>\nstream\n".encode() + content + b"\nendstream")
    start = out.tell()
    out.write(f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{place:010} 00000 n \n" for place in places).encode())
    out.write(f"trailer\n<< /Size {len(places) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
    "</Relationships>"
)
STYLES = f'<?xml version="1.0"?><w:styles {W}><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style></w:styles>'
LINKS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>'
)


def paragraph(text: str, style: str = "") -> str:
    about = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{about}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def docx(body: str, *, before: str = "", **more: bytes) -> bytes:
    """A DOCX with the parts a reader needs."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", TYPES)
        made.writestr("_rels/.rels", RELATIONS)
        made.writestr("word/_rels/document.xml.rels", LINKS)
        made.writestr("word/styles.xml", STYLES)
        made.writestr(
            "word/document.xml", f'<?xml version="1.0"?>{before}<w:document {W}><w:body>{body}</w:body></w:document>'
        )
        for name, content in more.items():
            made.writestr(f"word/media/{name}", content)
    return out.getvalue()


def bomb() -> bytes:
    """A picture of 300 MB of nothing in 300 KB."""
    return docx(paragraph("x"), picture=b"\0" * 95_000_000)


LAUGHS = '<!DOCTYPE z [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)
HOSTILE: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "a zip bomb": (bomb, "docx", "too-large"),
    "an external entity": (
        lambda: docx(paragraph("&e;"), before='<!DOCTYPE w [<!ENTITY e SYSTEM "file:///etc/hostname">]>'), "docx", "hostile-document",
    ),
    "a billion laughs": (lambda: docx(paragraph("&j;"), before=LAUGHS + "]>"), "docx", "hostile-document"),
    "XML of many megabytes": (lambda: docx(paragraph("x") * 300_000), "docx", "too-large"),
    "a zip that is no document": (lambda: docx("").replace(b"word/document", b"word/dokument"), "docx", "damaged-document"),
    "half a DOCX": (lambda: docx(paragraph("x"))[:900], "docx", "damaged-document"),
    "an older Word file": (lambda: b"\xd0\xcf\x11\xe0" + b"\0" * 5_000, "docx", "encrypted-document"),
    "an encrypted PDF": (
        lambda: pdf(["x"], trailer="/Encrypt << /Filter /Standard /V 1 /R 2 /O (01234567890123456789012345678901)"
                    " /U (01234567890123456789012345678901) /P -44 >> /ID [(a) (a)]"), "pdf", "encrypted-document",
    ),
    "half a PDF": (lambda: pdf(["x"] * 40)[:700], "pdf", "damaged-document"),
    "a PDF whose page unpacks to 200 MB": (lambda: pdf(["x"], stream=zlib.compress(b" " * 200_000_000)), "pdf", "damaged-document"),
    "a PDF of too many pages": (lambda: pdf([""] * 2_001), "pdf", "too-large"),
    "a picture called PDF": (lambda: b"\x89PNG\r\n\x1a\n" + os.urandom(5_000), "pdf", "damaged-document"),
    "junk called Markdown": (lambda: os.urandom(50_000), "markdown", "not-a-document"),
    "junk called HTML": (lambda: os.urandom(50_000), "html", "not-a-document"),
    "broken UTF-16": (lambda: b"\xff\xfea\0b\0\0\xd8a", "text", "not-a-document"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_its_reason(name: str) -> None:
    make, format_, code = HOSTILE[name]
    content = make()
    began = time.monotonic()
    with pytest.raises(InvalidInput) as refused:
        read(content, format_)
    assert refused.value.code == code, refused.value
    assert refused.value.what.endswith((".", ". ")) and "Traceback" not in str(refused.value)
    assert time.monotonic() - began < SECONDS


USED = """
import resource, sys
from session_memory.errors import InvalidInput
from session_memory.extract.reading import read
content = sys.stdin.buffer.read()
try:
    print(len(read(content, sys.argv[1]).text))
except InvalidInput as error:
    print(error.code)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.parametrize("name", [*(name for name, each in HOSTILE.items() if each[1] in ("pdf", "docx")), "300 pages"])
def test_reading_takes_little_memory_whatever_the_file(name: str) -> None:
    make, format_, told = HOSTILE.get(name) or (lambda: long_pdf(), "pdf", None)
    done = subprocess.run(
        [sys.executable, "-c", USED, format_], input=make(), stdout=subprocess.PIPE, check=True, timeout=120
    )
    said, most = done.stdout.decode().split()
    assert said == told or (told is None and int(said) > 300 * 1_000)
    assert int(most) < MOST_MEMORY


def long_pdf(pages: int = 300) -> bytes:
    return pdf(
        [
            f"Page {n} begins\n" + "\n".join(f"the {n}th page says line {line} of it" for line in range(45))
            for n in range(pages)
        ]
    )


def test_a_long_pdf_is_read_page_by_page_with_progress() -> None:
    seen: list[tuple[int, int]] = []
    found = read(long_pdf(), "pdf", lambda done, total: seen.append((done, total)))
    assert (found.kind, found.pages) == ("pages", 300)
    assert seen == [(n, 300) for n in range(1, 301)]
    pages = found.text.split("\f")
    assert len(pages) == 300 and "the 217th page says line 3" in pages[217]


def test_a_word_document_keeps_headings_and_paragraphs() -> None:
    made = docx(
        paragraph("Design", "Heading1") + paragraph("One log, many views.") + paragraph("Second."),
        photo=os.urandom(1_000),
    )
    found = read(made, "docx")
    assert (found.kind, found.pages) == ("markdown", None)
    assert found.text == "# Design\n\nOne log, many views.\n\nSecond."


def test_a_page_keeps_headings_lists_tables_and_code_and_loses_scripts() -> None:
    page = """<!doctype html><html><head><title>Limits  of
    it</title><style>p {}</style><script>steal()</script></head><body><nav>Home</nav><h1>Rate <i>limits</i></h1>
    <p>First   paragraph<br>goes on.</p><ul><li>one<li>two</ul><pre>if x:
    return 1 &lt; 2</pre><table><tr><td>a<td>b</table><p># no heading</p><svg><text>drawn</text></svg></body>"""
    found = read(page.encode(), "html")
    assert found.title == "Limits of it"
    assert found.text.split("\n\n") == [
        "Home", "# Rate limits", "First paragraph goes on.", "- one", "- two", "```\nif x:\n    return 1 < 2\n```", "a | b",
        "\\# no heading",
    ]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("<>/abp&;\"'= \n-!hd1prescit"), max_size=300))
def test_any_page_gives_a_text(page: str) -> None:
    assert isinstance(html.markdown(page, lambda done, total: None)["text"], str)


@pytest.mark.parametrize(
    ("content", "text"),
    [("café\r\nbar".encode(), "café\nbar"), ("é".encode("utf-16"), "é"), (b"\xef\xbb\xbfx", "x"), (b"caf\xe9", "café"), (b"", "")],
)  # fmt: skip
def test_a_text_is_decoded_as_it_was_written(content: bytes, text: str) -> None:
    assert read(content, "text").text == text


@pytest.mark.parametrize(
    ("path", "format_"),
    [("a.PDF", "pdf"), ("b.docx", "docx"), ("c.htm", "html"), ("d.md", "markdown"), ("e.py", "code"), ("Makefile", "text"), ("f.log", "text")],
)  # fmt: skip
def test_the_ending_says_how_a_file_is_read(path: str, format_: str) -> None:
    assert format_of(path) == format_


@pytest.mark.parametrize(("format_", "module"), [("pdf", "pypdf"), ("docx", "mammoth")])
def test_without_the_packages_the_message_says_how_this_installation_gets_them(
    monkeypatch: pytest.MonkeyPatch, format_: str, module: str
) -> None:
    real = reading.find_spec
    monkeypatch.setattr(reading, "find_spec", lambda name: None if name in reading.NEEDS[format_] else real(name))
    with pytest.raises(InvalidInput) as refused:
        read(pdf(["x"]) if format_ == "pdf" else docx(""), format_)
    assert refused.value.code == "documents-missing"
    assert sys.executable in refused.value.fix and module in refused.value.fix
    assert read(b"<p>x</p>", "html").text == "x"  # what needs none still works


@pytest.mark.parametrize(
    ("prefix", "begins"),
    [("/home/a/.local/pipx/venvs/x", "pipx inject"), ("/home/a/.local/share/uv/tools/x", "uv tool install"), ("/venv", sys.executable)],
)  # fmt: skip
def test_each_kind_of_installation_has_its_command(monkeypatch: pytest.MonkeyPatch, prefix: str, begins: str) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    assert reading.install_command(["pypdf>=7,<8"]).startswith(begins)


def test_the_extra_names_what_the_message_names() -> None:
    from pathlib import Path

    project = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    extra = next(line for line in project.splitlines() if line.startswith("documents = "))
    assert all(f'"{name}"' in extra for names in reading.NEEDS.values() for name in names.values())


def test_a_reader_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHILD", "import time; time.sleep(600)")
    monkeypatch.setattr(reading, "STALLED_SECONDS", 0.5)
    with pytest.raises(InvalidInput, match=r"0 seconds|1 seconds"):
        read(pdf(["x"]), "pdf")
