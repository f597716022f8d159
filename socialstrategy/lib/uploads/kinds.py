"""What a file is by its first bytes, and what to do with those that hold no table we can read."""

import zipfile
from pathlib import Path

from .tables import UploadError

AGAIN = "In a spreadsheet, open it, choose “Save as”, then .xlsx or CSV UTF-8, and try again."
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SIGNS = (
    (b"%PDF", "This is a PDF, which holds pages and no table."),
    (b"{\\rtf", "This is a text document, which holds no table that can be read."),
    (b"\x1f\x8b", "This is a compressed file. Unpack it, then send the table that is in it."),
    (b"Rar!", "This is a compressed file. Unpack it, then send the table that is in it."),
    (b"7z\xbc\xaf", "This is a compressed file. Unpack it, then send the table that is in it."),
    (b"\x89PNG", "This is a picture, which holds no table that can be read."),
    (b"\xff\xd8\xff", "This is a picture, which holds no table that can be read."),
    (b"GIF8", "This is a picture, which holds no table that can be read."),
)
MARKUP = (b"<!doctype html", b"<html", b"<table", b"<?xml")


def is_workbook(path: Path) -> bool:
    """Whether this is XLSX; False: text.

    Raises
    ------
    UploadError : neither, with a sentence that says what it is and what to do.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip():
        raise UploadError("The file is empty.")
    if start.startswith(OLD[:4]):
        raise UploadError(
            "This workbook is protected by a password or in the format of before 2007 (.xls). "
            "Open it and save it as .xlsx without a password."
        )
    if start.startswith(b"PK"):
        _check_archive(path)
        return True
    for sign, sentence in SIGNS:
        if start.startswith(sign):
            raise UploadError(f"{sentence} {AGAIN}" if "compressed" not in sentence else sentence)
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(MARKUP):
        raise UploadError(f"This is a web page or XML, whatever its name says. {AGAIN}")
    return False


def _check_archive(path: Path) -> None:
    """A ZIP archive may be a workbook, or one of its relatives, or anything."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            mimetype = archive.read("mimetype")[:100] if _small(archive, names, "mimetype") else b""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError, KeyError) as error:
        raise UploadError("This is no workbook that can be read. Save it as .xlsx or CSV and try again.") from error
    if b"opendocument" in mimetype:
        raise UploadError(
            "This is an OpenDocument file (.ods). Open it, choose “Save as”, then .xlsx or CSV, and try again."
        )
    if "xl/workbook.bin" in names:
        raise UploadError("This is a binary workbook (.xlsb). Open it, choose “Save as”, then .xlsx, and try again.")
    if any(name.endswith(".iwa") for name in names):
        raise UploadError("This is a Numbers file. Choose “Export to”, then Excel or CSV, and try again.")
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise UploadError("This is not a workbook but a document. Save the table as .xlsx or CSV and try again.")


def _small(archive: zipfile.ZipFile, names: set[str], name: str) -> bool:
    return name in names and archive.getinfo(name).file_size < 1000
