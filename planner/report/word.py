"""A paper as a Word document: headings, tables whose head repeats, pictures with alternative text; no clock."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from planner.errors import BadInput, Issue
from planner.report.drawing import png
from planner.report.html import CONTROL
from planner.report.paper import Block, Grid, Heading, Paper, Picture, Points, Text

EPOCH = datetime(2000, 1, 1)
MADE_BY = "Essential Biomarker Planner"
PAGE, MARGIN = (21.0, 29.7), 1.8  # centimetres
ROOM = PAGE[0] - 2 * MARGIN
INK, PALE = RGBColor(0x1F, 0x23, 0x28), RGBColor(0x4A, 0x51, 0x59)
PICTURE = 11.5  # centimetres: text in it is then about as large as in the tables
FONT = "Calibri"
SIZES = {"Normal": 10, "Title": 20, "Heading 1": 13, "Heading 2": 11, "List Bullet": 10}
LINE, STRONG = "D8DCE1", "8A8F98"


def write(paper: Paper, target: str | Path | BytesIO) -> None:
    """Write the paper as .docx. Raises BadInput where the file cannot be written."""
    content = document(paper)
    if isinstance(target, BytesIO):
        target.write(content)
        return
    try:
        Path(target).write_bytes(content)
    except OSError as error:
        raise BadInput([Issue(str(target), f"it cannot be written ({error.strerror})", "choose another place, "
                              "and close the file if it is open", "no_file")]) from error


def document(paper: Paper) -> bytes:
    """The bytes of the document; the same paper gives the same bytes."""
    doc = Document()
    _styles(doc)
    _properties(doc, paper)
    _said(doc.add_paragraph(style="Title"), paper.title)
    _said(doc.add_paragraph(), paper.subtitle, colour=PALE)
    for n, block in enumerate(paper.blocks):
        _block(doc, block, n + 1)
    _foot(doc, paper)
    raw = BytesIO()
    doc.save(raw)
    return undated(raw.getvalue())


def undated(content: bytes) -> bytes:
    """An Office file without the time of saving."""
    fixed = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(fixed, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(ZipInfo(name, EPOCH.timetuple()[:6]), old.read(name), ZIP_DEFLATED)
    return fixed.getvalue()


def _safe(text: str) -> str:
    return CONTROL.sub("", text)


# -- the frame --------------------------------------------------------------------------------------------

def _styles(doc) -> None:
    section = doc.sections[0]
    section.page_width, section.page_height = Cm(PAGE[0]), Cm(PAGE[1])
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(MARGIN)
    for name, size in SIZES.items():
        style = doc.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = FONT, Pt(size), INK
        style.font.bold = name.startswith(("Title", "Heading"))
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        style.paragraph_format.space_after = Pt(3)
        style.paragraph_format.space_before = Pt(10 if name.startswith("Heading") else 0)
    for border in doc.styles["Title"].element.xpath(".//w:pBdr"):
        border.getparent().remove(border)
    for lang in doc.styles.element.xpath("//w:lang"):
        lang.set(qn("w:val"), "en-GB")


def _properties(doc, paper: Paper) -> None:
    about = doc.core_properties
    about.title, about.subject = _safe(paper.title)[:255], _safe(paper.subtitle)[:255]
    about.author, about.last_modified_by, about.language = MADE_BY, MADE_BY, "en-GB"
    about.comments, about.keywords, about.revision = "", "", 1
    about.created = about.modified = EPOCH


def _foot(doc, paper: Paper) -> None:
    paragraph = doc.sections[0].footer.paragraphs[0]
    _said(paragraph, f"{paper.foot}  Page ", size=8, colour=PALE)
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)


def _said(paragraph, text: str, size: float | None = None, colour=None, bold: bool = False):
    run = paragraph.add_run(_safe(text))
    run.bold = bold or None
    if size:
        run.font.size = Pt(size)
    if colour is not None:
        run.font.color.rgb = colour
    return paragraph


# -- blocks ------------------------------------------------------------------------------------------------

def _block(doc, block: Block, number: int) -> None:
    if isinstance(block, Heading):
        _said(doc.add_paragraph(style=f"Heading {block.level - 1}"), block.text)
    elif isinstance(block, Text):
        _text(doc, block)
    elif isinstance(block, Points):
        for item in block.items:
            small = block.style == "small"
            paragraph = _said(doc.add_paragraph(style="List Bullet"), item, size=8.5 if small else None,
                              colour=PALE if small else None)
            paragraph.paragraph_format.space_after = Pt(1)
    elif isinstance(block, Grid):
        _table(doc, block)
    else:
        _picture(doc, block, number)


def _text(doc, block: Text) -> None:
    paragraph = doc.add_paragraph()
    if block.style == "lead":
        parts = block.text.split("**")
        for n, part in enumerate(parts):
            _said(paragraph, part, size=12, bold=bool(n % 2 and n < len(parts) - 1))
        _shade(paragraph._p.get_or_add_pPr(), "F1F6FA")
    else:
        small = block.style == "small"
        _said(paragraph, block.text, size=8.5 if small else None, colour=PALE if small else None)


def _shade(properties, colour: str) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        shade.set(qn(f"w:{name}"), value)
    properties.append(shade)


def _picture(doc, block: Picture, number: int) -> None:
    head = _said(doc.add_paragraph(), block.title, bold=True)
    head.paragraph_format.keep_with_next = True
    if block.subtitle:
        under = _said(doc.add_paragraph(), block.subtitle, size=8.5, colour=PALE)
        under.paragraph_format.keep_with_next = True
    shape = doc.add_picture(BytesIO(png(block.drawing)), width=Cm(PICTURE))
    about = shape._inline.docPr
    about.set("id", str(number))
    about.set("name", f"Picture {number}")
    about.set("descr", _safe(block.alt))


def _table(doc, block: Grid) -> None:
    head = _said(doc.add_paragraph(), block.caption, size=9.5, bold=True)
    head.paragraph_format.keep_with_next = True
    head.paragraph_format.space_before = Pt(6)
    table = doc.add_table(rows=1, cols=len(block.head))
    table.autofit = False
    _borders(table)
    weights = block.widths or (1.0,) * len(block.head)
    widths = [Cm(ROOM * w / sum(weights)) for w in weights]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    _cells(table.rows[0], block.head, widths, block, bold=True)
    repeat = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeat)
    for row in block.rows:
        made = table.add_row()
        made._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        _cells(made, row, widths, block)
    _said(doc.add_paragraph(), block.note, size=8, colour=PALE)


def _cells(row, texts, widths, block: Grid, bold: bool = False) -> None:
    for n, (cell, text, width) in enumerate(zip(row.cells, texts, widths, strict=True)):
        cell.width = width
        paragraph = _said(cell.paragraphs[0], text, size=8, bold=bold)
        paragraph.paragraph_format.space_after = Pt(0)
        if n in block.numbers:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _borders(table) -> None:
    """Light lines between the rows, none between the columns; narrow margins in the cells."""
    properties = table._tbl.tblPr
    borders = OxmlElement("w:tblBorders")
    for side, colour in (("top", STRONG), ("bottom", STRONG), ("insideH", LINE)):
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", colour)):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    margins = OxmlElement("w:tblCellMar")
    for side, width in (("top", "15"), ("left", "60"), ("bottom", "15"), ("right", "60")):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), width)
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    for made, follower in ((borders, "tblLayout"), (margins, "tblLook")):  # the order that the format wants
        place = properties.find(qn(f"w:{follower}"))
        properties.append(made) if place is None else place.addprevious(made)
