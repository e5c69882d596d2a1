"""The evidence: frozen, versioned, hashable; loaded, overlaid and validated in one place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import pandas as pd

from planner.errors import BadInput, Issue
from planner.evidence import checks
from planner.evidence.complete import completeness
from planner.evidence.dictionary import Dictionary, Table, descriptor_issues, lacking, load_dictionary
from planner.evidence.own_sheets import CASES, hospital_cases
from planner.evidence.strata import StrataIndex, rows_of
from planner.evidence.tables import read_tables, read_workbook, typed
from planner.evidence.update import as_true

Frames = dict[str, pd.DataFrame]


class Tables(Mapping):
    """Read-only mapping of name to frame (unlike a mapping proxy it can be pickled).

    A frame is handed out as a shallow copy: with pandas' copy-on-write the original stays as it is.
    """

    def __init__(self, frames: Mapping[str, pd.DataFrame]):
        self._frames = dict(frames)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self._frames[name].copy(deep=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __contains__(self, name) -> bool:
        return name in self._frames


@dataclass(frozen=True, eq=False)
class Evidence:
    """All tables with their dictionary. Equal and hashed by content (``digest``, sha256).

    ``version`` of the data package, with ``+overlay`` where rows were laid over it; ``base_year``
    of all money. Rows are in the order of the primary key, whatever the order in the files.
    """

    tables: Mapping[str, pd.DataFrame]
    dictionary: Dictionary
    version: str
    digest: str
    base_year: int
    _cache: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    def __eq__(self, other) -> bool:
        return isinstance(other, Evidence) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_cache": {}}

    def table(self, name: str) -> pd.DataFrame:
        """The typed frame of a table; changing it does not change the evidence."""
        return self.tables[name]

    def index(self, name: str) -> StrataIndex:
        """The look-up by place of a stratified table, built once."""
        if ("index", name) not in self._cache:
            keys = self.dictionary.table(name).index_key
            frame = as_true(self.tables) if name == "prevalence" else self.tables[name]
            self._cache["index", name] = StrataIndex(frame, keys, name)
        return self._cache["index", name]

    def records(self, name: str, **key) -> list[dict]:
        """Rows with exactly these values, as dictionaries with None for a missing cell."""
        return [dict(row) for row in self._grouped(name, tuple(key)).get(tuple(key.values()), ())]

    def record(self, name: str, **key) -> dict:
        """The first such row in key order, an empty dictionary where there is none."""
        found = self._grouped(name, tuple(key)).get(tuple(key.values()))
        return dict(found[0]) if found else {}

    def matches(self, name: str, **key) -> bool:
        """Whether any row has these values."""
        return tuple(key.values()) in self._grouped(name, tuple(key))

    def not_plannable(self, indication: str, biomarker: str) -> str:
        """What keeps a use case from being planned, in words; empty where nothing does."""
        if "gaps" not in self._cache:
            rows = completeness(self.tables).itertuples()
            self._cache["gaps"] = {(r.indication_id, r.biomarker_id): r.missing for r in rows}
        return self._cache["gaps"].get((indication, biomarker), "")

    def _grouped(self, name: str, columns: tuple[str, ...]) -> dict[tuple, list[dict]]:
        if ("rows", name) not in self._cache:
            self._cache["rows", name] = rows_of(self.tables[name])
        if ("by", name, columns) not in self._cache:
            groups: dict[tuple, list[dict]] = {}
            for row in self._cache["rows", name]:
                groups.setdefault(tuple(row[c] for c in columns), []).append(row)
            self._cache["by", name, columns] = groups
        return self._cache["by", name, columns]


def data_folder() -> Path:
    """The shipped data: ``planner/_data`` of an installed wheel, ``data`` of a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data", package.parent / "data"):
        if (folder / "datapackage.json").is_file():
            return folder
    raise BadInput([Issue("data", "the shipped evidence is not found", "give a path to a data package", "no_file")])


def load_evidence(path: str | Path | None = None, overlays: Iterable[str | Path] = ()) -> Evidence:
    """The evidence of a complete data package (default: the shipped one), with overlays laid over it.

    ``path``: a folder, its datapackage.json, or a workbook with all tables; without a descriptor of
    its own it is read by the shipped dictionary. An overlay is a folder or workbook with some tables:
    its rows replace those of equal primary key, others are added. Raises :class:`BadInput` with all
    faults.
    """
    overlays = [overlays] if isinstance(overlays, str | Path) else list(overlays)
    if path is None and not overlays:
        return _shipped(_stamp(data_folder()))
    return _read(path, overlays)


@lru_cache(maxsize=1)
def _shipped(stamp: tuple) -> Evidence:
    """The shipped evidence, read once for as long as its files stay as they are: it is frozen."""
    return _read(None, [])


def _stamp(folder: Path) -> tuple:
    files = sorted(p for p in folder.iterdir() if p.suffix in (".csv", ".json"))
    return (str(folder), *((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in files))


def _read(path: str | Path | None, overlays: list[str | Path]) -> Evidence:
    dictionary, frames, issues, laid = _load(_source(path), overlays)
    if issues:
        raise BadInput(issues)
    return _evidence(frames, dictionary, laid)


def validate(path: str | Path) -> list[Issue]:
    """All faults of a data package (strictly: use cases complete or with a gap, money convertible,
    descriptor to the standard), or of a folder or workbook as an overlay of the shipped evidence."""
    try:
        source = _source(path)
        if not _has_descriptor(source):
            return _load(data_folder(), [source])[2]
        dictionary, frames, issues, _ = _load(source, [])
        issues = descriptor_issues(source / "datapackage.json") + issues
    except BadInput as error:
        return list(error.issues)
    return issues or [i for check in checks.STRICT_CHECKS for i in check(frames, dictionary)]


def stated_cases(overlays: Iterable[str | Path]) -> dict[str, float]:
    """A hospital's people a year by indication, from the sheets ``cases`` of workbooks; a later workbook goes before
    an earlier one. Raises :class:`BadInput` with all faults of the overlays where such a sheet has one."""
    overlays = [Path(path) for path in overlays]
    out: dict[str, float] = {}
    for path in overlays:
        if path.suffix.lower() != ".xlsx" or not path.is_file():
            continue
        frames, issues = read_workbook(path, load_dictionary(data_folder()), only=CASES)
        cases, faults = hospital_cases(frames[CASES]) if CASES in frames else ({}, [])
        if issues or faults:
            load_evidence(overlays=overlays)  # tells these among all others
            raise BadInput([*issues, *faults])
        out |= cases
    return out


def _source(path: str | Path | None) -> Path:
    if path is None:
        return data_folder()
    path = Path(path)
    return path.parent if path.name == "datapackage.json" else path


def _has_descriptor(path: Path) -> bool:
    return (path / "datapackage.json").is_file()


def _load(base: Path, overlays: list[str | Path]) -> tuple[Dictionary, Frames, list[Issue], bool]:
    """Typed frames of a package with its overlays, every fault found on the way, and whether any row was
    laid over it (a workbook in which nothing was changed lays none)."""
    dictionary = load_dictionary(base if _has_descriptor(base) else data_folder())
    texts, issues = read_tables(base, dictionary)
    stated = [texts.pop(CASES)] if CASES in texts else []
    issues = _of_another_version(base) + issues
    issues += checks.check_tables(texts, dictionary) if texts or not issues else []
    issues += checks.check_columns(texts, dictionary) + _cell_issues(texts, dictionary)
    frames = _typed(texts, dictionary)
    laid = False
    for path in map(_source, overlays):
        if _has_descriptor(path):  # not needed for an overlay, but where there is one it must be readable
            issues += descriptor_issues(path / "datapackage.json") or _of_another_version(path)
        texts, faults = read_tables(path, dictionary)
        if not texts and not faults:
            faults = [Issue(path.name, "there is no table in it", "give CSV files or sheets named after tables",
                            "empty")]
        stated += [texts.pop(CASES)] if CASES in texts else []
        issues += faults + checks.check_overlay_columns(texts, dictionary) + _cell_issues(texts, dictionary)
        over = _labelled(_typed(texts, dictionary), path.name)
        issues += checks.check_duplicates(over, dictionary)
        laid |= any(len(frame) for frame in over.values())
        frames = {name: _merge(dictionary.table(name), frames.get(name), over.get(name))
                  for name in dictionary.tables if name in frames or name in over}
    issues += [i for check in checks.ROW_CHECKS for i in check(frames, dictionary)]
    known = frames["indications"]["indication_id"] if "indications" in frames else ()
    issues += [issue for frame in stated for issue in hospital_cases(frame, known)[1]]
    return dictionary, frames, issues, laid


def _of_another_version(path: Path) -> list[Issue]:
    """What a package with a descriptor of its own lacks of what this version reads."""
    ours = data_folder()
    if not _has_descriptor(path) or path.resolve() == ours.resolve():
        return []
    return lacking(load_dictionary(path), load_dictionary(ours))


def _cell_issues(texts: Frames, dictionary: Dictionary) -> list[Issue]:
    return [issue for check in checks.CELL_CHECKS for issue in check(texts, dictionary)]


def _typed(texts: Frames, dictionary: Dictionary) -> Frames:
    return {name: typed(frame, dictionary.table(name)) for name, frame in texts.items()}


def _labelled(frames: Frames, source: str) -> Frames:
    """Row labels that say which file a row is from, for the messages."""
    return {name: frame.set_axis([f"{source} row {n}" for n in frame.index]) for name, frame in frames.items()}


def _merge(table: Table, base: pd.DataFrame | None, over: pd.DataFrame | None) -> pd.DataFrame:
    """Rows of ``base`` without those whose key ``over`` has, then all rows of ``over``."""
    if base is None or over is None or over.empty:
        return over if base is None else base
    key = list(table.key)
    replaced = set(_keys(over[key]))
    kept = base[[k not in replaced for k in _keys(base[key])]]
    over = _instead(table, base, over)
    merged = pd.concat([kept.astype(object), over.astype(object)])
    return merged.astype(over.dtypes.to_dict())


def _instead(table: Table, base: pd.DataFrame, over: pd.DataFrame) -> pd.DataFrame:
    """Overlay rows whose note tells the number that was shipped, where they replace another one."""
    if "note" not in table.columns:
        return over
    # bounds, sizes and years belong to the value; the value is what a reader compares
    values = [f.name for f in table.fields if f.type == "number" and not f.name.endswith(("low", "high")) and f.name != "n"]
    shipped = {tuple(r[k] for k in table.key): r for r in rows_of(base)}
    notes = []
    for row in rows_of(over):
        was = shipped.get(tuple(row[k] for k in table.key), {})
        told = [f"instead of {c.replace('_', ' ')} {was[c]:.6g} shipped" for c in values
                if was.get(c) is not None and row[c] is not None and was[c] != row[c]]
        notes.append("; ".join([*filter(None, (row["note"],)), *told]) or None)
    return over.assign(note=pd.Series(notes, index=over.index, dtype=over["note"].dtype))


def _keys(frame: pd.DataFrame) -> list[tuple]:
    """Keys as tuples; a missing part is None, so that it equals itself."""
    return [tuple(row.values()) for row in rows_of(frame)]


def _evidence(frames: Frames, dictionary: Dictionary, overlaid: bool) -> Evidence:
    ordered = {name: frames[name].sort_values(list(dictionary.table(name).key), kind="stable")
               .reset_index(drop=True) for name in dictionary.tables}
    version = dictionary.version + ("+overlay" if overlaid else "")
    return Evidence(Tables(ordered), dictionary, version, _digest(ordered, dictionary), dictionary.base_year)


def _digest(frames: Frames, dictionary: Dictionary) -> str:
    """sha256 over the tables as CSV text, tables by name, rows by primary key, and the base year."""
    sha = hashlib.sha256(f"base_year,{dictionary.base_year}\n".encode())
    for name in sorted(frames):
        text = frames[name].to_csv(index=False, lineterminator="\n")
        sha.update(f"# {name}\n{text}".encode())
    return sha.hexdigest()
