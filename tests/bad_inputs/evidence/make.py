"""Writes the bad files of this folder (run once; the files are kept beside it).

Each is laid over a valid package; ``expected.json`` says as which table (prevalence where it names none), and the
issue's code and place.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from datetime import date
from pathlib import Path

from openpyxl import Workbook

HERE = Path(__file__).parent
HEADER = "indication_id,biomarker_id,stratum_type,stratum,share,low,high,n,basis,definition,source_id,quality,note"
ROW = "lung_adv,egfr,world,world,{},,,,true,,study_a,B,"


def csv_files() -> dict[str, tuple[bytes, str, str]]:
    """File -> (content, code, place)."""
    good = f"{HEADER}\n{ROW.format('0.3')}\n"
    return {
        "empty.csv": (b"", "empty", "prevalence.csv"),
        "blank_lines.csv": (b"\n\n\n", "empty", "prevalence.csv"),
        "binary.csv": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\xff", "binary", "prevalence.csv"),
        "utf16.csv": (good.encode("utf-16"), "binary", "prevalence.csv"),
        "latin1.csv": (good.replace("B,\n", "B,r\xe9sum\xe9\n").encode("latin-1"), "encoding", "prevalence.csv, line 2"),
        "semicolons.csv": (good.replace(",", ";").encode(), "separator", "prevalence.csv"),
        "open_quote.csv": (good.replace("0.3", '"0.3').encode(), "csv", "prevalence.csv"),
        "long_row.csv": (good.replace("0.3", "0,3").encode(), "ragged", "prevalence, row 2"),
        "short_row.csv": (good.replace(",B,", "").encode(), "ragged", "prevalence, row 2"),
        "twice.csv": (good.replace("low,", "high,").encode(), "column_twice", "prevalence, row 1"),
        "one_huge_cell.csv": (good.replace("0.3", "9" * 140_000).encode(), "csv", "prevalence.csv"),
    }


PATHWAYS = "service_id,step,assay_id,biomarker_id,on,sample"
RUNS = "assay_id,platform_id,samples_per_run,minimum_samples,source_id,quality,note"
REAGENTS = ("assay_id,stratum_type,stratum,reagent_per_sample,reagent_per_run,currency,year,basis,traded_share,source_id,"
            "share_source_id,quality,run_quality,note")


def laboratory_files() -> dict[str, tuple[bytes, str, str, str]]:
    """File -> (content, code, place, table)."""
    def rows(header: str, *lines: str) -> bytes:
        return "\n".join((header, *lines, "")).encode()

    first = "egfr_single,1,egfr_pcr,egfr,all,first"
    return {
        "pathway_no_start.csv": (rows(PATHWAYS, "egfr_single,1,egfr_pcr,*,negative,first"), "never_reached",
                                 "pathways, row 2, on", "pathways"),
        "pathway_unanswered.csv": (rows(PATHWAYS, first, "egfr_single,2,egfr_pcr,met,positive,first"), "unanswered",
                                   "pathways, row 3, on", "pathways"),
        "pathway_number_twice.csv": (rows(PATHWAYS, first, "egfr_single,1,egfr_pcr,met,failed,first"), "step_number",
                                     "pathways, row 3, step", "pathways"),
        "pathway_step_again.csv": (rows(PATHWAYS, first, "egfr_single,2,egfr_pcr,egfr,failed,first"), "step_again",
                                   "pathways, row 3, assay_id", "pathways"),
        "no_platform.csv": (rows(REAGENTS, "egfr_pcr,world,world,50,100,USD,2020,variable,1,study_a,,B,D,"), "no_platform",
                            "assay_variable_costs, row 2, assay_id", "assay_variable_costs"),
        "run_waits_for_too_many.csv": (rows(RUNS, "egfr_pcr,realtime_pcr,10,30,study_a,B,"), "volume",
                                       "assay_platforms, row 2, minimum_samples", "assay_platforms"),
        "run_of_nobody.csv": (rows(RUNS, "egfr_pcr,realtime_pcr,0,1,study_a,B,"), "range",
                              "assay_platforms, row 2, samples_per_run", "assay_platforms"),
    }


def sheet(cell) -> bytes:
    """A workbook with one prevalence row, ``cell`` in its column share."""
    book = Workbook()
    page = book.active
    page.title = "prevalence"
    page.append(HEADER.split(","))
    page.append([v or None for v in ROW.format("").split(",")])
    page["E2"] = cell
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def archive(parts: dict[str, bytes], base: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with the parts of ``base``, replaced or joined by ``parts``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as new:
        if base:
            with zipfile.ZipFile(io.BytesIO(base)) as old:
                for name in old.namelist():
                    if name not in parts:
                        new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


def workbooks() -> dict[str, tuple[bytes, str, str]]:
    good = sheet(0.3)
    entity = (b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
              b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
              b'<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>')
    return {
        "formula.xlsx": (sheet("=1/3"), "formula", "prevalence, row 2, share"),
        "error_cell.xlsx": (sheet("#N/A"), "cell_error", "prevalence, row 2, share"),
        "date.xlsx": (sheet(date(2026, 3, 1)), "excel_date", "prevalence, row 2, share"),
        "text.xlsx": (b"share,0.3\n", "workbook", "text.xlsx"),
        "truncated.xlsx": (good[: len(good) // 2], "workbook", "truncated.xlsx"),
        "no_parts.xlsx": (archive({"hello.txt": b"hello"}), "workbook", "no_parts.xlsx"),
        "entity.xlsx": (archive({"xl/worksheets/sheet1.xml": entity}, good), "workbook", "entity.xlsx"),
        "bomb.xlsx": (archive({"xl/media/zero.bin": b"\0" * 200_000_001}, method=zipfile.ZIP_BZIP2),
                      "too_large", "bomb.xlsx"),
    }


def main() -> None:
    expected = {}
    for name, (content, code, where, *table) in {**csv_files(), **laboratory_files(), **workbooks()}.items():
        (HERE / name).write_bytes(content)
        expected[name] = {"code": code, "where": where} | ({"table": table[0]} if table else {})
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
