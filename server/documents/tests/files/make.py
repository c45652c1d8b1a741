"""Makes the sample documents beside it, each by a library that people use to write such files.

pip install python-docx python-pptx openpyxl xlwt odfpy reportlab ebooklib pypdf pillow
"""

import datetime
import email.message
import io
import pathlib

import docx
import openpyxl
import pptx
import pypdf
import xlwt
from ebooklib import epub
from odf import opendocument, style, table, text
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen import canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

HERE = pathlib.Path(__file__).parent
ROWS = [["Mitglied", "Beitrag", "Eintritt"], ["Müller, Jörg", "48,50", "03.10.2019"],
        ["Weiß, Änne", "36,00", "01.02.2021"]]
FIRST = "Der Verein führt den Namen „Grüne Höfe“ und hat seinen Sitz in Köln."
SECOND = ("Die Mitgliederversammlung wählt den Vorstand für die Dauer von zwei Jahren. "
          "Sie ist beschlussfähig, wenn mindestens ein Fünftel der Mitglieder anwesend ist.")


def write_docx():
    document = docx.Document()
    document.core_properties.title = "Satzung"
    document.add_heading("Satzung des Vereins", 1)
    document.add_heading("§ 1 Name und Sitz", 2)
    document.add_paragraph(FIRST)
    document.add_heading("§ 2 Organe", 2)
    document.add_paragraph(SECOND)
    for item in ["Vorstand", "Kassenprüfer"]:
        document.add_paragraph(item, style="List Number")
    document.add_paragraph("Öffentlichkeit", style="List Bullet")
    grid = document.add_table(rows=0, cols=3)
    for row in ROWS:
        for cell, value in zip(grid.add_row().cells, row):
            cell.text = value
    document.save(HERE / "sample.docx")


def write_pptx():
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Jahresbericht"
    slide.placeholders[1].text = "Neue Bäume gepflanzt\nBeiträge stabil"
    slide.notes_slide.notes_text_frame.text = "Hier die Spender grüßen."
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Mitglieder"
    shape = slide.shapes.add_table(3, 3, 0, 0, 4000000, 2000000)
    for y, row in enumerate(ROWS):
        for x, value in enumerate(row):
            shape.table.cell(y, x).text = value
    deck.save(HERE / "sample.pptx")


def write_xlsx():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Beiträge"
    sheet.append(["Mitglied", "Beitrag", "Eintritt"])
    sheet.append(["Müller", 48.5, datetime.date(2019, 10, 3)])
    sheet.append(["Weiß", 36, datetime.datetime(2021, 2, 1, 9, 30)])
    sheet["A6"] = "Summe aller Beiträge"
    sheet["B6"] = 84.5
    hidden = book.create_sheet("Geheim")
    hidden["A1"] = "steht nicht da"
    hidden.sheet_state = "hidden"
    book.create_sheet("Termine")["C5"] = "Sommerfest"
    book.save(HERE / "sample.xlsx")


def write_xls():
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Beiträge")
    date = xlwt.easyxf(num_format_str="DD.MM.YYYY")
    for x, value in enumerate(["Mitglied", "Beitrag", "Eintritt"]):
        sheet.write(0, x, value)
    sheet.write(1, 0, "Müller")
    sheet.write(1, 1, 48.5)
    sheet.write(1, 2, datetime.date(2019, 10, 3), date)
    book.save(str(HERE / "sample.xls"))


def odf_table(name):
    grid = table.Table(name=name)
    for row in ROWS:
        line = table.TableRow()
        for value in row:
            cell = table.TableCell(valuetype="string")
            cell.addElement(text.P(text=value))
            line.addElement(cell)
        grid.addElement(line)
    return grid


def write_odt():
    document = opendocument.OpenDocumentText()
    document.text.addElement(text.H(outlinelevel=1, text="Satzung des Vereins"))
    paragraph = text.P(text=FIRST)
    note = text.Note(noteclass="footnote")
    note.addElement(text.NoteCitation(text="1"))
    body = text.NoteBody()
    body.addElement(text.P(text="Eingetragen beim Amtsgericht Köln."))
    note.addElement(body)
    paragraph.addElement(note)
    document.text.addElement(paragraph)
    items = text.List()
    for item in ["Vorstand", "Kassenprüfer"]:
        line = text.ListItem()
        line.addElement(text.P(text=item))
        items.addElement(line)
    document.text.addElement(items)
    document.text.addElement(odf_table("Beiträge"))
    document.save(str(HERE / "sample.odt"))


def write_ods():
    document = opendocument.OpenDocumentSpreadsheet()
    document.spreadsheet.addElement(odf_table("Beiträge"))
    document.save(str(HERE / "sample.ods"))


def write_epub():
    book = epub.EpubBook()
    book.set_identifier("grüne-höfe")
    book.set_title("Das Gartenbuch")
    book.set_language("de")
    chapters = []
    for number, (title, words) in enumerate([("Boden", FIRST), ("Bäume", SECOND)], 1):
        chapter = epub.EpubHtml(title=title, file_name=f"c{number}.xhtml", lang="de")
        chapter.content = f"<h1>{title}</h1><p>{words}</p>"
        book.add_item(chapter)
        chapters.append(chapter)
    book.toc = chapters
    book.add_item(epub.EpubNcx())
    book.add_item(epub.EpubNav())
    book.spine = chapters
    epub.write_epub(str(HERE / "sample.epub"), book)


def head_and_foot(page, _document):
    page.saveState()
    page.setFont("Helvetica", 8)
    page.drawString(60, 815, "Grüne Höfe e. V.")
    page.drawString(280, 20, f"Seite {page.getPageNumber()}")
    page.restoreState()


def write_pdf():
    styles = getSampleStyleSheet()
    story = [Paragraph("Satzung des Vereins", styles["Heading1"])]
    for number in range(1, 13):
        story += [Paragraph(f"§ {number} Abschnitt {number}", styles["Heading2"]),
                  Paragraph(" ".join([FIRST, SECOND] * 3), styles["Normal"]), Spacer(1, 12)]
    story += [Table(ROWS, colWidths=150)]
    document = SimpleDocTemplate(str(HERE / "sample.pdf"), pagesize=A4, title="Satzung 2024")
    document.build(story, onFirstPage=head_and_foot, onLaterPages=head_and_foot)


def write_odd_pdfs():
    """One that is a picture, one with a password, one whose password is empty."""
    picture = io.BytesIO()
    Image.new("L", (40, 60), 200).save(picture, "PNG")
    picture.seek(0)
    from reportlab.lib.utils import ImageReader
    page = canvas.Canvas(str(HERE / "scanned.pdf"), pagesize=A4)
    page.drawImage(ImageReader(picture), 0, 0, 500, 800)
    page.save()
    for name, password in [("locked.pdf", "geheim"), ("printable.pdf", "")]:
        writer = pypdf.PdfWriter(clone_from=str(HERE / "sample.pdf"))
        writer.encrypt(user_password=password, owner_password="besitzer", algorithm="AES-256")
        writer.write(str(HERE / name))


def write_eml():
    mail = email.message.EmailMessage()
    mail["Subject"] = "Einladung zur Mitgliederversammlung"
    mail["From"] = "Jörg Müller <vorstand@example.org>"
    mail["To"] = "mitglieder@example.org"
    mail["Date"] = "Mon, 04 Mar 2024 18:30:00 +0100"
    mail["Message-ID"] = "<1@example.org>"
    mail.set_content("Liebe Mitglieder,\n\nwir laden herzlich ein. Grüße aus Köln!\n")
    mail.add_alternative("<p>Liebe <b>Mitglieder</b>, nur für HTML.</p>", subtype="html")
    mail.add_attachment((HERE / "sample.docx").read_bytes(), maintype="application",
                        subtype="octet-stream", filename="Satzung 2024.docx")
    (HERE / "sample.eml").write_bytes(mail.as_bytes())


def write_texts():
    html = (f"<html><head><meta charset='iso-8859-1'><title>Grüne Höfe</title></head><body>"
            f"<nav><a href='/'>Start</a></nav><h1>Satzung</h1><p>Straße in Köln, Größe 5.</p>"
            f"<ul><li>Vorstand</li></ul></body></html>")
    (HERE / "sample.html").write_bytes(html.encode("latin-1"))
    (HERE / "sample.md").write_text(f"# Satzung\n\n{FIRST}\n\n- Vorstand\n- Kassenprüfer\n")
    lines = "\r\n".join(";".join(f'"{value}"' for value in row) for row in ROWS)
    (HERE / "sample.csv").write_bytes(lines.encode("cp1252"))
    (HERE / "sample.txt").write_bytes(f"Satzung\n=======\n\n{SECOND}\n\n- Löschung\n- Größe\n".encode("cp850"))


for make in [write_docx, write_pptx, write_xlsx, write_xls, write_odt, write_ods, write_epub,
             write_pdf, write_odd_pdfs, write_eml, write_texts]:
    make()
