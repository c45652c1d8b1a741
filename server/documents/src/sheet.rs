//! What stands in a workbook? Each sheet a section, each island of cells a table.

use std::io::Cursor;

use calamine::{Data, DataRef, ExcelDateTime, Ods, Range, Reader, Sheet, SheetType, SheetVisible};
use calamine::{Xls, Xlsb, Xlsx};
use portico_shared::documents::{BlockKind, Builder, ExtractWarning, table_text};

use crate::archive::Archive;
use crate::{ExtractError, Kind, Limits};

pub(crate) fn extract(
    builder: &mut Builder,
    bytes: &[u8],
    kind: Kind,
    limits: &Limits,
) -> Result<(), ExtractError> {
    if kind != Kind::Xls {
        check_archive(bytes, kind, limits)?;
    }
    let source = Cursor::new(bytes);
    let broken = |error: calamine::Error| ExtractError::unreadable(error);
    match kind {
        Kind::Xlsx => {
            let mut book = Xlsx::new(source).map_err(|error| broken(error.into()))?;
            for sheet in visible(book.sheets_metadata()) {
                let read = xlsx_sheet(builder, &mut book, &sheet, limits);
                told(builder, &sheet, read);
            }
        }
        Kind::Xlsb => {
            let book = Xlsb::new(source).map_err(|error| broken(error.into()))?;
            sheets(builder, book, limits);
        }
        Kind::Xls => {
            let book = Xls::new(source).map_err(|error| match error {
                calamine::XlsError::Password => ExtractError::Encrypted,
                error => broken(error.into()),
            })?;
            sheets(builder, book, limits);
        }
        _ => {
            let book = Ods::new(source).map_err(|error| match error {
                calamine::OdsError::Password => ExtractError::Encrypted,
                error => broken(error.into()),
            })?;
            sheets(builder, book, limits);
        }
    }
    Ok(())
}

/// The library unfolds parts as it needs them: what they are together is looked at first.
fn check_archive(bytes: &[u8], kind: Kind, limits: &Limits) -> Result<(), ExtractError> {
    let archive = Archive::open(bytes, limits)?;
    let n_bytes = archive.unfolded_bytes();
    if n_bytes > limits.unfolded_bytes {
        return Err(ExtractError::TooLarge { what: format!("{n_bytes} bytes unfolded") });
    }
    if kind == Kind::Ods {
        // Sizes that an archive tells can be lies; this is the part that is read.
        archive.read("content.xml")?;
    }
    Ok(())
}

fn visible(sheets: &[Sheet]) -> Vec<String> {
    let is_read = |sheet: &&Sheet| {
        sheet.visible == SheetVisible::Visible
            && matches!(sheet.typ, SheetType::WorkSheet | SheetType::DialogSheet)
    };
    sheets.iter().filter(is_read).map(|sheet| sheet.name.clone()).collect()
}

fn told(builder: &mut Builder, sheet: &str, read: Result<(), String>) {
    if let Err(reason) = read {
        builder.warn(ExtractWarning::PartLeftOut { part: sheet.to_owned(), reason });
    }
}

fn sheets<'a, R>(builder: &mut Builder, mut book: R, limits: &Limits)
where
    R: Reader<Cursor<&'a [u8]>>,
    R::Error: std::fmt::Display,
{
    for sheet in visible(book.sheets_metadata()) {
        let read = book.worksheet_range(&sheet).map_err(|error| error.to_string());
        let read = read.map(|range| push_range(builder, &sheet, &range, limits));
        told(builder, &sheet, read);
    }
}

fn push_range(builder: &mut Builder, sheet: &str, range: &Range<Data>, limits: &Limits) {
    let mut table = Islands::new(sheet, limits);
    for row in range.rows() {
        let cells = row.iter().map(shown).collect();
        if !table.row(builder, cells) {
            break;
        }
    }
    table.finish(builder);
}

/// Cell by cell: a sheet whose last cell is far away costs nothing.
fn xlsx_sheet(
    builder: &mut Builder,
    book: &mut Xlsx<Cursor<&[u8]>>,
    sheet: &str,
    limits: &Limits,
) -> Result<(), String> {
    let mut cells = book.worksheet_cells_reader(sheet).map_err(|error| error.to_string())?;
    let mut table = Islands::new(sheet, limits);
    let mut row: Vec<String> = Vec::new();
    let mut at: Option<u32> = None;
    let read = loop {
        let cell = match cells.next_cell() {
            Ok(Some(cell)) => cell,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.to_string()),
        };
        let (number, column) = cell.get_position();
        let text = shown_ref(cell.get_value());
        if text.is_empty() {
            continue;
        }
        if at != Some(number) {
            if !table.row(builder, std::mem::take(&mut row)) {
                break Ok(());
            }
            // A gap parts islands, however high it is.
            if at.is_some_and(|at| number > at + 1) && !table.row(builder, Vec::new()) {
                break Ok(());
            }
            at = Some(number);
        }
        // The widest sheet there is has 16,384 columns.
        let column = (column as usize).min(16_383);
        row.resize(row.len().max(column), String::new());
        row.push(text);
    };
    table.row(builder, row);
    table.finish(builder);
    read
}

/// Rows between blank rows: each island is a table of its own, with a first row of its own.
struct Islands<'a> {
    sheet: &'a str,
    rows: Vec<Vec<String>>,
    n_rows: u32,
    n_rows_max: u32,
}

impl<'a> Islands<'a> {
    fn new(sheet: &'a str, limits: &Limits) -> Self {
        Self { sheet, rows: Vec::new(), n_rows: 0, n_rows_max: limits.n_rows }
    }

    /// Whether more rows are wanted.
    fn row(&mut self, builder: &mut Builder, cells: Vec<String>) -> bool {
        if cells.iter().all(String::is_empty) {
            self.flush(builder);
            return true;
        }
        self.n_rows += 1;
        if self.n_rows > self.n_rows_max {
            builder.warn(ExtractWarning::RowsLeftOut {
                section: self.sheet.to_owned(),
                n_rows: self.n_rows_max,
            });
            return false;
        }
        self.rows.push(cells);
        !builder.is_over()
    }

    fn flush(&mut self, builder: &mut Builder) {
        let mut rows = std::mem::take(&mut self.rows);
        let blank = |row: &Vec<String>| row.iter().take_while(|cell| cell.is_empty()).count();
        let margin = rows.iter().map(blank).min().unwrap_or(0);
        for row in &mut rows {
            row.drain(..margin.min(row.len()));
        }
        let is_line = rows.iter().all(|row| row.len() == 1);
        let kind = if is_line { BlockKind::Paragraph } else { BlockKind::Table };
        builder.section(Some(self.sheet));
        builder.push(kind, &table_text(rows));
    }

    fn finish(mut self, builder: &mut Builder) {
        self.flush(builder);
        builder.section(None);
    }
}

fn shown(cell: &Data) -> String {
    match cell {
        Data::Int(number) => number.to_string(),
        Data::Float(number) => float(*number),
        Data::String(text) => text.clone(),
        Data::Bool(is_true) => is_true.to_string(),
        Data::DateTime(date) => date_time(date),
        Data::DateTimeIso(text) => text.trim_end_matches("T00:00:00").replace('T', " "),
        Data::DurationIso(text) => text.clone(),
        Data::Error(error) => error.to_string(),
        Data::Empty => String::new(),
        // What a later version of the library knows.
        #[allow(unreachable_patterns, reason = "the enum may grow")]
        other => other.to_string(),
    }
}

fn shown_ref(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::SharedString(text) => (*text).to_owned(),
        other => shown(&Data::from(other.clone())),
    }
}

/// As people write numbers: without what counting in binary adds.
fn float(number: f64) -> String {
    let rounded = format!("{number:.10}");
    let short = rounded.trim_end_matches('0').trim_end_matches('.');
    if number.abs() >= 1e15 { format!("{number:e}") } else { short.to_owned() }
}

fn date_time(date: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
    let value = date.as_f64();
    if date.is_duration() || value < 1.0 {
        let seconds = (value * 86_400.0).round() as i64;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        return format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    }
    let day = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second) {
        (0, 0, 0) => day,
        (hour, minute, 0) => format!("{day} {hour:02}:{minute:02}"),
        (hour, minute, second) => format!("{day} {hour:02}:{minute:02}:{second:02}"),
    }
}
