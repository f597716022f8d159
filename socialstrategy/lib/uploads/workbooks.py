"""XLSX: which sheets a workbook has, which of them holds the table, and its rows.

A workbook is a ZIP archive of XML written by a stranger: it is read piece by piece, and what it says of its own size is
not believed. Cover sheets, hidden sheets, titles above the table and rows that are only formatted are passed over.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from posixpath import join, normpath

from .headings import LOOKED_AT, choose
from .sheets import MOST_MERGED, Sheet, Stream, Strings, Styles
from .tables import About, Choices, Flaw, Limits, Row, UploadError

MOST_SHEETS = 50
REF = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})$")


class Workbook:
    """An open workbook. ``rows`` may be gone through several times; ``flaws`` is known after the last of them."""

    def __init__(self, path: Path, choices: Choices, limits: Limits):
        self.archive = zipfile.ZipFile(path)
        self.stream, self.limits = Stream(), limits
        self.names = {name.lower().lstrip("/"): name for name in self.archive.namelist()}
        self.about = About("workbook")
        self.is_1904 = False
        self.parts: dict[str, str] = {}
        self.targets: dict[str, str] = {}
        self._survey()
        self.strings, self.styles = Strings(limits.cell), Styles()
        self._read_part("sharedStrings", self.strings)
        self._read_part("styles", self.styles)
        self.merged: list[str] = []
        self.merged_count = 0
        self.about.sheet = choices.sheet or self._likely(choices)
        if self.about.sheet not in self.parts:
            raise UploadError("The workbook has no sheet of this name. Choose another one.")

    def expect(self, width: int) -> None:
        """A worksheet's rows need no help."""

    def rows(self, sheet: str = "") -> Iterator[Row]:
        """Rows of the chosen sheet that hold something, with the numbers that the spreadsheet shows."""
        gathered = Sheet(self.strings.texts, self.styles.formats, self.limits.cell, is_1904=self.is_1904)
        with self.archive.open(self.parts[sheet or self.about.sheet]) as file:
            for _ in self.stream.pieces(file, gathered.start, gathered.end, gathered.text):
                yield from gathered.take()
        self.merged, self.merged_count = gathered.merged, gathered.merged_count

    def flaws(self) -> list[Flaw]:
        """What is wrong with which rows: merged cells belong to nobody or to several.

        Raises
        ------
        UploadError : more merged cells than any table of people has.
        """
        found = []
        for ref in self.merged:
            match = REF.match(ref)
            if match:
                sentence = f"The cells {ref} are merged. Unmerge them, so that each row has cells of its own."
                found.append((int(match[2]), int(match[4]), sentence))
        if found and self.merged_count > MOST_MERGED:
            raise UploadError(
                f"The sheet holds {self.merged_count:,} merged cells. Unmerge them, so that each row has its own cells."
            )
        return found

    def _survey(self) -> None:
        """Names and states of the sheets, and where the parts lie."""
        main = self._main_part()
        folder = main.rpartition("/")[0]
        self._read_relations(f"{folder}/_rels/{main.rpartition('/')[2]}.rels".lstrip("/"), folder)
        listed: list[tuple[str, str, str]] = []

        def start(name: str, attributes: dict) -> None:
            if name == "sheet" and len(listed) < MOST_SHEETS:
                relation = next((value for key, value in attributes.items() if key.endswith(" id")), "")
                listed.append((attributes.get("name", "")[:80], attributes.get("state", "visible"), relation))
            elif name == "workbookPr":
                self.is_1904 = attributes.get("date1904", "0") in {"1", "true"}

        with self.archive.open(self._entry(main)) as file:
            self.stream.through(file, start, lambda name: None)
        for name, state, relation in listed:
            target = self.targets.get(relation, "")
            if target.lower() in self.names and "chartsheet" not in target.lower():
                self.parts[name] = self._entry(target)
                self.about.sheets.append({"name": name, "hidden": state != "visible"})
        if not self.parts:
            raise UploadError("The workbook holds no table.")

    def _main_part(self) -> str:
        if "_rels/.rels" in self.names:
            self._read_relations("_rels/.rels", "")
        main = self.targets.get("officeDocument", "xl/workbook.xml")
        if main.lower() not in self.names:
            raise UploadError("This is not a workbook. Save the table as .xlsx or CSV and try again.")
        return main

    def _entry(self, part: str) -> str:
        return self.names[part.lower()]

    def _read_relations(self, part: str, folder: str) -> None:
        """Where related parts lie: by their number, and by what they are."""
        if part.lower() not in self.names:
            return

        def start(name: str, attributes: dict) -> None:
            if name == "Relationship" and len(self.targets) < 10_000 and attributes.get("TargetMode") != "External":
                target = attributes.get("Target", "")
                path = normpath(target.lstrip("/") if target.startswith("/") else join(folder, target))
                self.targets[attributes.get("Id", "")] = path
                self.targets[attributes.get("Type", "").rpartition("/")[2]] = path

        with self.archive.open(self._entry(part)) as file:
            self.stream.through(file, start, lambda name: None)

    def _read_part(self, kind: str, handler: Strings | Styles) -> None:
        target = self.targets.get(kind, "")
        if target.lower() in self.names:
            with self.archive.open(self._entry(target)) as file:
                text = handler.text if isinstance(handler, Strings) else None
                self.stream.through(file, handler.start, handler.end, text)

    def _likely(self, choices: Choices) -> str:
        """The first visible sheet with most known headings; without any, the first with a table."""
        best, best_score = "", (-1, False)
        shown = [one["name"] for one in self.about.sheets if not one["hidden"]]
        if len(shown) == 1:
            return str(shown[0])
        for name in shown or list(self.parts):
            rows = []
            for row in self.rows(name):
                rows.append(row)
                if len(rows) >= LOOKED_AT:
                    break
            _, known = choose(rows, choices.wanted)
            is_table = len(rows) > 1 and sum(1 for _, cells in rows if sum(map(bool, cells)) > 1) > 1
            if (known if known >= 2 else 0, is_table) > best_score:
                best, best_score = name, (known if known >= 2 else 0, is_table)
        return best
