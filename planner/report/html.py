"""A paper as one HTML file: nothing is loaded from anywhere, it reads on a phone, prints on A4.

Every text is escaped; a policy in the head forbids scripts and foreign resources besides.
"""

from __future__ import annotations

import re
from html import escape

from planner.report.drawing import svg
from planner.report.paper import Block, Grid, Heading, Paper, Picture, Points, Text

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:#1f2328;font:16px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:54rem;margin:0 auto;padding:2rem 1.25rem 3rem}
h1{font-size:1.8rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.2rem;margin:2.2rem 0 .5rem;padding-top:.6rem;border-top:1px solid #d8dce1}
h3{font-size:1rem;margin:1.4rem 0 .3rem}
p,ul{margin:.4rem 0 .8rem}
ul{padding-left:1.2rem}
li{margin:.2rem 0}
.sub{color:#5b626b;margin:0 0 1.2rem}
.lead{font-size:1.12rem;background:#f1f6fa;border-left:4px solid #0072b2;padding:.8rem 1rem}
.small,.note{font-size:.85rem;color:#4a5159;overflow-wrap:anywhere}
figure{margin:1.2rem 0}
figcaption{margin-bottom:.5rem}
figcaption b{display:block}
figcaption span{font-size:.85rem;color:#4a5159}
svg{display:block;font-family:inherit}
table{border-collapse:collapse;width:100%;margin:1rem 0 .3rem;font-size:.85rem;line-height:1.35}
caption{text-align:left;font-weight:600;font-size:.95rem;padding-bottom:.35rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .35rem;border-bottom:1px solid #e3e6ea;font-weight:400}
thead th{font-weight:600;border-bottom:2px solid #b9c0c8;vertical-align:bottom}
tbody th{font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums}
table{table-layout:fixed}
th,td{overflow-wrap:break-word}
td.n{white-space:nowrap}
footer{margin-top:2.5rem;border-top:1px solid #d8dce1;padding-top:.8rem;font-size:.85rem;color:#4a5159;overflow-wrap:anywhere}
@media (max-width:640px){
main{padding:1.25rem 1rem 2rem}
h1{font-size:1.45rem}
.c thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.c colgroup{display:none}
.c,.c tbody,.c caption{display:block}
.c tr{display:block;border-bottom:1px solid #b9c0c8;padding:.5rem 0}
.c tbody th{display:block;border:0;padding:0 0 .2rem}
.c td,.c td.n{display:flex;justify-content:space-between;gap:1rem;border:0;padding:.1rem 0;text-align:right;white-space:normal}
.c td:empty{display:none}
.c td::before{content:attr(data-of);color:#5b626b;text-align:left;flex:0 1 auto}
.c td.w{display:block;text-align:left}
.c td.w::before{content:attr(data-of) ": "}
}
@media print{
@page{size:A4;margin:12mm}
main{max-width:none;padding:0}
body{font-size:9pt;line-height:1.3}
h1{font-size:18pt}
h2{font-size:11.5pt;margin:.6rem 0 .2rem;padding-top:.25rem}
p,ul{margin:.2rem 0 .4rem}
.lead{font-size:11pt;padding:.4rem .7rem}
figure{margin:.35rem 0}
svg{zoom:.56}
table{margin:.35rem 0 .15rem;font-size:7.5pt;line-height:1.2}
caption{font-size:9pt}
th,td{padding:.05rem .3rem}
footer{margin-top:1rem}
h2,h3,caption,figcaption{break-after:avoid}
tr,figure{break-inside:avoid}
}
"""
NARROW = 3  # columns of a table that fits a phone as it is
LONG = 28  # characters of a text from which it stands beneath its label on a phone


def page(paper: Paper) -> str:
    """The paper as an HTML page."""
    body = "\n".join(_block(b) for b in paper.blocks)
    return (f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{_safe(paper.title)}: {_safe(paper.subtitle)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
            f'<h1>{_safe(paper.title)}</h1>\n<p class="sub">{_safe(paper.subtitle)}</p>\n{body}\n'
            f"<footer>{_safe(paper.foot)}</footer>\n</main>\n</body>\n</html>\n")


def _safe(text: str) -> str:
    return escape(CONTROL.sub("", text))


def _bold(text: str) -> str:
    """Escaped, with every second stretch between double asterisks bold."""
    parts = [_safe(p) for p in text.split("**")]
    return "".join(f"<strong>{p}</strong>" if n % 2 and n < len(parts) - 1 else p for n, p in enumerate(parts))


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_safe(block.text)}</h{block.level}>"
    if isinstance(block, Text):
        text = _bold(block.text) if block.style == "lead" else _safe(block.text)
        return f"<p>{text}</p>" if block.style == "body" else f'<p class="{block.style}">{text}</p>'
    if isinstance(block, Points):
        style = "" if block.style == "body" else f' class="{block.style}"'
        return f"<ul{style}>{''.join(f'<li>{_safe(i)}</li>' for i in block.items)}</ul>"
    return _figure(block) if isinstance(block, Picture) else _table(block)


def _figure(picture: Picture) -> str:
    under = f"<span>{_safe(picture.subtitle)}</span>" if picture.subtitle else ""
    drawn = CONTROL.sub("", svg(picture.drawing, picture.alt))
    return f"<figure><figcaption><b>{_safe(picture.title)}</b>{under}</figcaption>{drawn}</figure>"


def _table(table: Grid) -> str:
    head = "".join(f'<th scope="col" role="columnheader"{_class(table, n)}>{_safe(h)}</th>' for n, h in enumerate(table.head))
    rows = "".join(f'<tr role="row">{_row(table, row)}</tr>' for row in table.rows)
    note = f'<p class="note">{_safe(table.note)}</p>' if table.note else ""
    cards = ' class="c"' if len(table.head) > NARROW else ""  # on a phone each row is a card
    return (f'<table role="table"{cards}><caption>{_safe(table.caption)}</caption>{_widths(table)}'
            f'<thead><tr role="row">{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table>{note}")


def _widths(table: Grid) -> str:
    weights = table.widths or (1.0,) * len(table.head)
    return "<colgroup>" + "".join(f'<col style="width:{100 * w / sum(weights):.1f}%">' for w in weights) + "</colgroup>"


def _row(table: Grid, row: tuple[str, ...]) -> str:
    first = f'<th scope="row" role="rowheader">{_safe(row[0])}</th>'
    return first + "".join(f'<td role="cell"{_class(table, n, cell)} data-of="{_safe(table.head[n])}">{_safe(cell)}</td>'
                           for n, cell in enumerate(row[1:], 1))


def _class(table: Grid, n: int, cell: str = "") -> str:
    return ' class="n"' if n in table.numbers else ' class="w"' if len(cell) > LONG else ""
