"""Tables that strangers upload: every dialect reads back as it was written, and no file costs more than it may."""

import csv
import io
import re
import subprocess
import threading
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from openpyxl.styles import PatternFill

from socialstrategy.lib.uploads import delimited, headings
from socialstrategy.lib.uploads.reading import TooSlowError, read
from socialstrategy.lib.uploads.tables import Choices, Limits, UploadError

WANTED = ("name", "email", "location", "fullname", "mail")


def table(data: bytes, limits=None, **choices):
    with read(data, Choices(**{"wanted": WANTED, **choices}), limits) as found:
        return found.header, [cells for _, cells in found.rows()], found


def refused(data: bytes, limits=None, **choices) -> str:
    with pytest.raises(UploadError) as caught:
        table(data, limits, **choices)
    return str(caught.value)


def written(rows, *, separator=",", encoding="utf-8", ends="\r\n", quoting=csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=ends, quoting=quoting).writerows(rows)
    return out.getvalue().encode(encoding)


HEAD = ["Name", "E-mail", "Location"]
ADA = ["Ada", "ada@example.org", "Lyon"]
BEN = ["Ben", "ben@example.org", "Oslo"]


@pytest.mark.parametrize("separator", delimited.SEPARATORS)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_every_dialect_is_found_by_itself(separator, ends, encoding):
    rows = [HEAD, ["Zoë", "zoe@example.org", f"a{separator}b"], BEN]
    header, body, found = table(written(rows, separator=separator, ends=ends, encoding=encoding))
    assert [header, *body] == rows
    assert found.about.separator == separator
    assert found.about.is_encoding_guessed == (encoding in {"cp1252", "utf-16-le", "utf-16-be"})


CELLS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029\ufeff")
    | st.sampled_from('\n",;|\t '),
    max_size=12,
)


@given(
    body=st.integers(2, 5).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6)),
    separator=st.sampled_from(list(delimited.SEPARATORS)),
    encoding=st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@example(body=[['a"b', "c"]], separator=",", encoding="utf-16", ends="\r", quoting=csv.QUOTE_ALL)
def test_any_even_table_reads_back_as_it_was_written(tmp_path_factory, body, separator, encoding, ends, quoting):
    width = len(body[0]) if body else 2
    rows = [["Name", "E-mail", "Location", "Site", "Note"][:width], *body]
    path = tmp_path_factory.mktemp("even") / "table"
    path.write_bytes(written(rows, separator=separator, encoding=encoding, ends=ends, quoting=quoting))
    source = delimited.Delimited(path, Choices(separator=separator, wanted=WANTED), Limits())
    source.expect(width)
    read_back = [cells + [""] * (width - len(cells)) for _, cells in source.rows()]
    # Blank rows and empty cells at the end of a row say nothing.
    assert [[c if any(map(str.strip, row[n:])) else "" for n, c in enumerate(row)] for row in read_back] == [
        [c if any(map(str.strip, row[n:])) else "" for n, c in enumerate(row)]
        for row in rows
        if any(map(str.strip, row))
    ]


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("sep=;\nName;E-mail;Location\nAda;ada@example.org;Lyon\n", [ADA]),
        ('"sep=|"\nName|E-mail|Location\nAda|ada@example.org|Lyon\n', [ADA]),
        ("Name^E-mail^Location\nAda^ada@example.org^Lyon\n".replace("Name", "sep=^\nName", 1), [ADA]),
        ('"Name","E-mail","Location"\nAda,ada@example.org,"Lyon, France"\n', [[*ADA[:2], "Lyon, France"]]),
        # Cells over several lines, also where the last cells are empty.
        (
            'Name,Location,Site\nAda,"Main Street 5, 2nd floor\nLyon",\nBo,"A, b\nc",\n',
            [["Ada", "Main Street 5, 2nd floor\nLyon"], ["Bo", "A, b\nc"]],
        ),
        # A mark that is never closed costs no other row.
        ('Name,E-mail,Location\n"Ada,ada@example.org,Lyon\nBen,ben@example.org,Oslo\n', [['"Ada', *ADA[1:]], BEN]),
        ('Name,E-mail,Location\n"Ada,ada@example.org,Lyon\n"Ben",ben@example.org,"Oslo"\n', [['"Ada', *ADA[1:]], BEN]),
        # Marks within a cell are part of it.
        ('Name,E-mail,Location\nAda "Ace" L,ada@example.org,6" pipe\n', [['Ada "Ace" L', ADA[1], '6" pipe']]),
        ('Name,E-mail,Location\n"Ada "Ace" L",ada@example.org,Lyon\n', [['Ada "Ace" L', *ADA[1:]]]),
        ('Name,E-mail,Location\n"Ada \\"Ace\\" L",ada@example.org,Lyon\n', [['Ada "Ace" L', *ADA[1:]]]),
        (
            'Name, E-mail, Location\nAda, ada@example.org, "Lyon, France"\n',
            [["Ada", " ada@example.org", "Lyon, France"]],
        ),
        ('Name,E-mail,Location\n"Ada\nLovelace",ada@example.org,Lyon\n', [["Ada\nLovelace", *ADA[1:]]]),
        ("Name,E-mail,Location,,\nAda,ada@example.org,Lyon,,,,,\n", [ADA]),
        (
            "Name;E-mail;Location\nAda;ada@example.org;1,5\nBen;ben@example.org;2,5\n",
            [[*ADA[:2], "1,5"], [*BEN[:2], "2,5"]],
        ),
        ("List of people\n\nName,E-mail,Location\nAda,ada@example.org,Lyon\n", [ADA]),
        # Where the marks tell nothing, that reading is right which gives as many cells as the heading has.
        ('Name,E-mail\n"Ada,"a@b.example"\n', [['"Ada', "a@b.example"]]),
        ('Name,E-mail,Location\n"Ada,"ada@example.org",Lyon\n', [['"Ada', *ADA[1:]]]),
        (
            'Name,E-mail,Location\n"Ada,ada@example.org,Lyon\nBen,ben@example.org,Oslo"\n',
            [['"Ada', *ADA[1:]], [*BEN[:2], 'Oslo"']],
        ),
        # One column, whatever stands in its cells.
        ("Name\nLovelace, Ada\nBerg, Ben\n", [["Lovelace, Ada"], ["Berg, Ben"]]),
        ('"Full name"\nLovelace, Ada\nCher\n', [["Lovelace, Ada"], ["Cher"]]),
        ("Staff\n\nName\nLovelace; Ada, Lady\nBerg; Ben, Sir\n", [["Lovelace; Ada, Lady"], ["Berg; Ben, Sir"]]),
        # A word above the table does not make it one column.
        ("Name\n\nE-mail;Site\na@b.example;Oslo\nc@d.example;1,5\n", [["a@b.example", "Oslo"], ["c@d.example", "1,5"]]),
    ],
)
def test_what_does_not_follow_the_rules_is_read_as_it_was_meant(text, body):
    assert table(text.encode())[1] == body


def test_the_reader_s_choice_goes_before_our_guess():
    data = "Name,E-mail;x\nAda,a@example.org;y\n".encode("cp1252")
    assert table(data, separator=";")[0] == ["Name,E-mail", "x"]
    greek = "Name,E-mail\nΆννα,a@example.org\n".encode("cp1253")
    assert table(greek)[1] != [["Άννα", "a@example.org"]]
    assert table(greek, encoding="cp1253")[1] == [["Άννα", "a@example.org"]]
    assert "Choose another encoding" in refused(greek, encoding="utf-8-sig")
    assert "not known" in refused(greek, encoding="rot13")
    assert table(b"Old heading,x\nName,E-mail\nAda,a@b.example\n", heading=1)[0] == ["Old heading", "x"]


def book(*sheets, change=None) -> bytes:
    """A workbook of (title, rows) pairs; ``change`` gets it before it is saved."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets:
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    if change:
        change(made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def rewritten(data: bytes, change, part="xl/worksheets/sheet1.xml") -> bytes:
    """The same archive with one part's XML changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return out.getvalue()


PLAIN = book(("People", [HEAD, ADA, BEN]))


def hide_first(made):
    made.worksheets[0].sheet_state = "hidden"


def merge_title(made):
    made.active.merge_cells("A1:C1")


def paint(made):
    for row in range(4, 1_300):
        for column in range(1, 6):
            made.active.cell(row, column).fill = PatternFill("solid", start_color="FFFF00")


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        book(("Cover", [["People of Example"], ["Made on", date(2026, 1, 2)]]), ("People", [HEAD, ADA, BEN])),
        book(("Lists", [HEAD, ["x", "y", "z"]]), ("People", [HEAD, ADA, BEN]), change=hide_first),
        book(("People", [["All people of Example"], [], HEAD, ADA, BEN]), change=merge_title),
        book(("People", [HEAD, ADA, BEN]), change=paint),
        book(("Pivot", [["Site", "Count"], ["Lyon", 1]]), ("People", [["Report"], ["by", "HR"], HEAD, ADA, BEN])),
    ],
)
def test_the_table_is_found_wherever_it_stands(data):
    header, body, _ = table(data)
    assert (header, body) == (HEAD, [ADA, BEN])


def test_blank_columns_at_the_left_and_rows_between_do_no_harm():
    header, body, _ = table(book(("P", [[], [None, *HEAD], [], [None, *ADA], [], [None, *BEN]])))
    assert header == ["", *HEAD]
    assert body == [["", *ADA], ["", *BEN]]
    with read(book(("P", [[], HEAD, [], ADA])), Choices(wanted=WANTED)) as found:
        assert list(found.rows()) == [(4, ADA)]
        assert found.about.heading == 2


def test_a_sheet_is_chosen_by_name():
    data = book(("Old", [HEAD, ADA]), ("New", [HEAD, BEN]))
    assert table(data)[1] == [ADA]
    assert table(data, sheet="New")[1] == [BEN]
    assert [one["name"] for one in table(data)[2].about.sheets] == ["Old", "New"]
    assert "no sheet of this name" in refused(data, sheet="Other")


def formatted(made):
    made.active["A2"].number_format = "00000"
    made.active["B2"].number_format = "dd/mm/yyyy"
    made.active["C2"].number_format = '[Red]0.00" m"'
    made.active["D2"].number_format = "[h]:mm"


def test_cells_come_as_one_would_type_them():
    head = ["a", "b", "c", "d", "e", "f", "g"]
    rows = [[123, date(2026, 3, 1), 1.5, 0.5, "00123", True, datetime(2026, 3, 1, 9, 30)], [12.0, None, 0.1 + 0.2]]
    _, body, _ = table(book(("P", [head, *rows]), change=formatted))
    assert body[0] == ["00123", "2026-03-01", "1.5", "12:00:00", "00123", "yes", "2026-03-01T09:30:00"]
    assert body[1] == ["12", "", "0.3"]


def test_formulas_count_as_their_results_and_errors_as_themselves():
    data = book(("P", [HEAD, ["=A9", "ada@example.org", "=1/0"], BEN]))
    assert table(data)[1][0] == ["=A9", "ada@example.org", "=1/0"]
    kept = rewritten(
        data,
        lambda text: (
            text.replace(b'<c r="A2"><f>A9</f><v></v>', b'<c r="A2" t="str"><f>A9</f><v>Ada</v>')
            .replace(b'<c r="A2"><f>A9</f><v />', b'<c r="A2" t="str"><f>A9</f><v>Ada</v>')
            .replace(b'<c r="C2"><f>1/0</f><v></v>', b'<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v>')
            .replace(b'<c r="C2"><f>1/0</f><v />', b'<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v>')
        ),
    )
    assert table(kept)[1][0] == ["Ada", "ada@example.org", "#DIV/0!"]


def test_texts_that_cells_refer_to_are_put_together_from_their_parts():
    parts = b"<si><r><t>Ca</t></r><r><t>rl</t></r><rPh><t>karu</t></rPh></si><si><t>c@example.org</t></si>"
    cells = b'<row r="4"><c r="A4" t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>99</v></c></row>'
    assert table(shared(parts, cells))[1][-1] == ["Carl", "c@example.org"]


def test_merged_cells_below_the_heading_are_told_by_row():
    def merge(made):
        made.active.merge_cells("C2:C3")

    with read(book(("P", [HEAD, ADA, [*BEN[:2], None]]), change=merge), Choices(wanted=WANTED)) as found:
        assert set(found.flaws) == {2, 3}
        assert "C2:C3 are merged" in found.flaws[2]


def test_every_row_of_a_long_merge_is_told_and_no_other():
    def merge(made):
        for cells in ("C3:C10009", "C10010:C12002", "B5:B6", "A20000:A20001"):
            made.active.merge_cells(cells)

    rows = [[f"P{n}", f"p{n}@example.org"] for n in range(12_010)]
    with read(book(("P", [HEAD, *rows]), change=merge), Choices(wanted=WANTED)) as found:
        assert sorted(found.flaws) == list(range(3, 12_003))
        assert "C3:C10009 are merged" in found.flaws[10_009]
        assert "C10010:C12002 are merged" in found.flaws[12_002]


# What a stranger may send.


def with_rows(xml: bytes) -> bytes:
    return rewritten(PLAIN, lambda text: text.replace(b"</sheetData>", xml + b"</sheetData>"))


def wide_rows() -> bytes:
    cell = '<c r="{1}{0}" t="inlineStr"><is><t>x</t></is></c>'
    row = '<row r="{0}">' + cell.replace("{1}", "A") + cell.replace("{1}", "XFD") + "</row>"
    return with_rows("".join(row.format(n) for n in range(4, 90_004)).encode())


def painted_row() -> bytes:
    cells = "".join(f'<c r="{openpyxl.utils.get_column_letter(n)}4" s="0"/>' for n in range(1, 16_385))
    return with_rows(f'<row r="4">{cells}</row>'.encode())


def shared(texts: bytes, cells: bytes = b"") -> bytes:
    """A workbook with texts that its cells refer to by number, as office programs write them."""
    start = b'<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    relation = b'<Relationship Type="http://x/sharedStrings" Target="sharedStrings.xml" Id="rId9"/></Relationships>'
    data = rewritten(
        with_rows(cells), lambda text: text.replace(b"</Relationships>", relation), "xl/_rels/workbook.xml.rels"
    )
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", start + texts + b"</sst>")
    return out.getvalue()


def merged_cells(count: int) -> bytes:
    merges = b"<mergeCells>" + b'<mergeCell ref="A2:B2"/>' * count + b"</mergeCells>"
    return rewritten(PLAIN, lambda text: text.replace(b"</sheetData>", b"</sheetData>" + merges))


def deep(levels: int) -> bytes:
    return with_rows(b"<a>" * levels + b"</a>" * levels)


def giant_cell(size: int) -> bytes:
    return with_rows(b'<row r="4"><c r="A4" t="inlineStr"><is><t>' + b"x" * size + b"</t></is></c></row>")


def giant_attribute(size: int) -> bytes:
    return with_rows(b'<row r="4" x="' + b"x" * size + b'"></row>')


def far_row() -> bytes:
    data = rewritten(PLAIN, lambda text: text.replace(b'ref="A1:C3"', b'ref="A1:XFD4000000000"'))
    return rewritten(data, lambda text: text.replace(b"</sheetData>", b'<row r="4000000000"/></sheetData>'))


def unpacks_to(size: int) -> bytes:
    return rewritten(PLAIN, lambda text: text + b" " * size)


def many_entries(count: int) -> bytes:
    out = io.BytesIO(PLAIN)
    with zipfile.ZipFile(out, "a") as archive:
        for n in range(count):
            archive.writestr(f"x/{n}", b"")
    return out.getvalue()


def entities(text: bytes) -> bytes:
    return b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + text.partition(b"?>")[2]


READ, MEMORY = "", "memory"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (wide_rows, READ),
        (painted_row, READ),
        (lambda: shared(b"<si><t>a</t></si>" * 2_100_000), "too much text"),
        (lambda: shared(b"<si><t>" + b"y" * 100_000_000 + b"</t></si>"), READ),
        (lambda: merged_cells(1_000_000), "1,000,000 merged cells"),
        (lambda: deep(4_000_000), MEMORY),
        (lambda: giant_cell(200_000_000), READ),
        (lambda: giant_attribute(20_000_000), READ),
        (far_row, READ),
        (lambda: unpacks_to(500_000_000), "unpacks to far more"),
        (lambda: with_rows(b'<row r="4"><c r="A4" s="0"/></row>' * 300_000), READ),
        (lambda: rewritten(PLAIN, entities), "declares entities"),
        (lambda: rewritten(PLAIN, lambda text: entities(text).decode().encode("utf-16")), "declares entities"),
        (lambda: rewritten(shared(b""), entities, "xl/sharedStrings.xml"), "declares entities"),
        (lambda: many_entries(3_000), READ),
        (lambda: b"Name,E-mail\n" + b"x" * 8_000_000, "longer than"),
        (lambda: b"," * 1_500_000 + b"x\nName\n", "more than 300 columns"),
        (lambda: b'Name,E-mail\n"' + b"Ada,a@b.example\n" * 500_000, "more than 100,000 rows"),
        (lambda: b"Name,E-mail\n" + b'"Ada,"a@b.example\n' * 90_000, READ),
        (lambda: b'Name,E-mail\nAda,"' + b'""' * 900_000 + b'"\n', READ),
    ],
)
def test_no_file_takes_the_reader_over_its_limits(make, said, monkeypatch):
    """The system ends a child that takes more than 300 MiB or 10 s of a processor; then there is a sentence, too."""
    data, spent, run = make(), [], subprocess.run

    def measured(words, **options):
        """The same child, which at its end tells the most memory that it has had."""
        words = [*words[:-1], f"{words[-1]}; print(open('/proc/self/status').read())"]
        done = run(words, **options | {"stdout": subprocess.PIPE})
        spent.append(int(re.search(rb"VmHWM:\s+(\d+) kB", done.stdout)[1]))
        return done

    monkeypatch.setattr(subprocess, "run", measured)
    if said == READ:
        assert table(data)[2].count
    else:
        assert said in refused(data)
    (peak,) = spent
    assert peak <= 300 * 1024


def test_a_reader_that_needs_longer_is_ended():
    rows = b'<row r="4"><c r="A4" s="0"/></row>' * 3_000_000
    with pytest.raises(TooSlowError):
        table(with_rows(rows), Limits(seconds=1))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, ".xls"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"<html><table><tr><td>Name</td></tr></table></html>", "web page"),
        (b'<?xml version="1.0"?><Workbook/>', "XML"),
        (b"\x1f\x8b\x08 packed", "Unpack it"),
        (b"Name,E-mail\n\x00\x00\x00", "neither CSV nor XLSX"),
        (bytes(range(1, 256)) * 20, "neither CSV nor XLSX"),
        (b"PK\x03\x04 and then nothing", "no workbook that can be read"),
        (rewritten(PLAIN, lambda text: text[: len(text) // 2]), "no workbook that can be read"),
        (book(("P", [])), "empty"),
        (book(("P", [HEAD])), "no rows below"),
        (b"Name,E-mail\n", "no rows below"),
        (book(("P", [[f"c{n}" for n in range(70)], ["y"] * 70])), "70 columns"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(data, said):
    assert said in refused(data)


def test_relatives_of_a_workbook_are_told_apart():
    def archive(**parts):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            for name, text in parts.items():
                made.writestr(name.replace("__", "/").replace("_dot_", "."), text)
        return out.getvalue()

    assert ".ods" in refused(archive(mimetype="application/vnd.oasis.opendocument.spreadsheet"))
    assert ".xlsb" in refused(archive(xl__workbook_dot_bin="x"))
    assert "Numbers" in refused(archive(Index__Document_dot_iwa="x"))
    assert "document" in refused(archive(word__document_dot_xml="x"))
    assert "not a workbook" in refused(archive(other="x"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_no_text(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "bytes"
    path.write_bytes(data)
    assume(data.strip())
    try:
        rows = list(delimited.Delimited(path, Choices(), Limits()).rows())
    except UploadError:
        return  # refused in words, which is one of the two right answers
    assert all(cells for _, cells in rows)


def test_the_child_knows_no_secret(monkeypatch, tmp_path):
    seen = {}

    def look(*arguments, **options):
        seen.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr("subprocess.run", look)
    with pytest.raises(KeyboardInterrupt):
        table(PLAIN)
    assert set(seen["env"]) == {"LC_ALL"}


def test_headings_are_compared_without_accents_and_signs():
    assert headings.key("E-Mail") == headings.key("e_mail ") == "email"
    assert headings.key("Prénom") == "prenom"


def test_two_files_are_read_at_once():
    found = []
    threads = [threading.Thread(target=lambda: found.append(table(PLAIN)[1])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[ADA, BEN]] * 2
