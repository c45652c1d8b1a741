//! Which glyphs stand where on a page? Its drawing is run, as far as it draws text.

use std::rc::Rc;

use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Object, ObjectId, decode_text_string};

use super::follow;
use super::font::{Font, Fonts};
use crate::ExtractError;

/// Drawings within drawings.
const FORMS_MAX: u32 = 12;
/// States that a drawing has put aside.
const STATES_MAX: usize = 512;
const GLYPHS_MAX: usize = 500_000;
const OPERATIONS_MAX: usize = 5_000_000;

/// A glyph, or what several say together; in points, from the page's lower left, as it is read.
#[derive(Clone, Debug)]
pub(super) struct Glyph {
    pub text: String,
    pub x0: f32,
    pub x1: f32,
    pub y: f32,
    pub size: f32,
    pub is_bold: bool,
    pub is_fixed: bool,
}

/// How much a page holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ink {
    pub n_glyphs: usize,
    /// Glyphs that no table names.
    pub n_unnamed: usize,
    pub n_images: usize,
}

impl Ink {
    pub(super) fn add(&mut self, other: &Self) {
        self.n_glyphs += other.n_glyphs;
        self.n_unnamed += other.n_unnamed;
        self.n_images += other.n_images;
    }
}

#[derive(Default)]
pub(super) struct Page {
    pub glyphs: Vec<Glyph>,
    pub ink: Ink,
}

/// `[a b c d e f]`, as PDF has it.
#[derive(Clone, Copy)]
struct Matrix([f32; 6]);

impl Matrix {
    const UNIT: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    /// First this one, then `next`.
    fn then(self, next: Self) -> Self {
        let ([a, b, c, d, e, f], [p, q, r, s, t, u]) = (self.0, next.0);
        Self([
            a * p + b * r,
            a * q + b * s,
            c * p + d * r,
            c * q + d * s,
            e * p + f * r + t,
            e * q + f * s + u,
        ])
    }

    fn moved(x: f32, y: f32) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    fn of(numbers: &[f32]) -> Option<Self> {
        let numbers: [f32; 6] = numbers.try_into().ok()?;
        numbers.iter().all(|number| number.is_finite()).then_some(Self(numbers))
    }
}

#[derive(Clone)]
struct State {
    matrix: Matrix,
    font: Option<Rc<Font>>,
    size: f32,
    char_space: f32,
    word_space: f32,
    /// 1 is the usual width.
    stretch: f32,
    leading: f32,
    rise: f32,
}

pub(super) fn read(
    document: &Document,
    id: ObjectId,
    fonts: &mut Fonts,
    bytes_left: &mut u64,
) -> Result<Page, ExtractError> {
    let Ok(page) = document.get_dictionary(id) else { return Ok(Page::default()) };
    let most = usize::try_from(*bytes_left).unwrap_or(usize::MAX);
    let content = document.get_page_content_with_limit(id, most).map_err(|error| match error {
        lopdf::Error::Decompress(_) => {
            ExtractError::TooLarge { what: "what the pages unfold to".to_owned() }
        }
        error => ExtractError::unreadable(error),
    })?;
    *bytes_left = bytes_left.saturating_sub(content.len() as u64);
    let turn = inherited(document, page, b"Rotate").and_then(|turn| turn.as_i64().ok());
    let matrix = match turn.unwrap_or(0).rem_euclid(360) {
        90 => Matrix([0.0, -1.0, 1.0, 0.0, 0.0, 0.0]),
        180 => Matrix([-1.0, 0.0, 0.0, -1.0, 0.0, 0.0]),
        270 => Matrix([0.0, 1.0, -1.0, 0.0, 0.0, 0.0]),
        _ => Matrix::UNIT,
    };
    let resources = inherited(document, page, b"Resources").and_then(|r| r.as_dict().ok());
    let mut run = Run {
        document,
        fonts,
        bytes_left,
        page: Page::default(),
        n_operations: 0,
        open_forms: Vec::new(),
    };
    let state = State {
        matrix,
        font: None,
        size: 0.0,
        char_space: 0.0,
        word_space: 0.0,
        stretch: 1.0,
        leading: 0.0,
        rise: 0.0,
    };
    run.drawing(&content, resources, state, 0);
    Ok(run.page)
}

/// A page's property, which a folder of pages above it may name.
fn inherited<'a>(document: &'a Document, page: &'a Dictionary, name: &[u8]) -> Option<&'a Object> {
    let mut node = page;
    for _ in 0..64 {
        if let Ok(object) = node.get(name) {
            return follow(document, object);
        }
        node = follow(document, node.get(b"Parent").ok()?)?.as_dict().ok()?;
    }
    None
}

struct Run<'a> {
    document: &'a Document,
    fonts: &'a mut Fonts,
    bytes_left: &'a mut u64,
    page: Page,
    n_operations: usize,
    open_forms: Vec<ObjectId>,
}

impl<'a> Run<'a> {
    fn drawing(
        &mut self,
        content: &[u8],
        resources: Option<&'a Dictionary>,
        mut state: State,
        depth: u32,
    ) {
        let document = self.document;
        let of = |kind: &[u8], name: &[u8]| {
            let kinds = follow(document, resources?.get(kind).ok()?)?.as_dict().ok()?;
            kinds.get(name).ok()
        };
        let mut aside: Vec<State> = Vec::new();
        let (mut text, mut line) = (Matrix::UNIT, Matrix::UNIT);
        // Text that stands for what is drawn, such as a ligature's letters; and how deep it is marked.
        let mut marks: Vec<bool> = Vec::new();
        let mut instead: Option<String> = None;
        // What is no drawing any more ends it; what stands is kept.
        for operation in Content::<Vec<Operation>>::decode_iter(content).flatten() {
            self.n_operations += 1;
            if self.n_operations > OPERATIONS_MAX || self.page.glyphs.len() > GLYPHS_MAX {
                return;
            }
            let operands = operation.operands.as_slice();
            let numbers: Vec<f32> =
                operands.iter().filter_map(|operand| operand.as_float().ok()).collect();
            let number = numbers.first().copied().unwrap_or(0.0);
            match operation.operator.as_str() {
                "q" if aside.len() < STATES_MAX => aside.push(state.clone()),
                "Q" => state = aside.pop().unwrap_or(state),
                "cm" => {
                    if let Some(matrix) = Matrix::of(&numbers) {
                        state.matrix = matrix.then(state.matrix);
                    }
                }
                "BT" => (text, line) = (Matrix::UNIT, Matrix::UNIT),
                "Tf" => {
                    state.size = number;
                    let name = operands.first().and_then(|name| name.as_name().ok());
                    let font = name.and_then(|name| of(b"Font", name));
                    state.font = font.and_then(|font| self.fonts.get(document, font));
                }
                "Tc" => state.char_space = number,
                "Tw" => state.word_space = number,
                "Tz" => state.stretch = number / 100.0,
                "TL" => state.leading = number,
                "Ts" => state.rise = number,
                "Td" | "TD" => {
                    if let [x, y] = numbers[..] {
                        if operation.operator == "TD" {
                            state.leading = -y;
                        }
                        line = Matrix::moved(x, y).then(line);
                        text = line;
                    }
                }
                "Tm" => {
                    if let Some(matrix) = Matrix::of(&numbers) {
                        (text, line) = (matrix, matrix);
                    }
                }
                "T*" => {
                    line = Matrix::moved(0.0, -state.leading).then(line);
                    text = line;
                }
                "Tj" | "TJ" | "'" | "\"" => {
                    if matches!(operation.operator.as_str(), "'" | "\"") {
                        if let [word, char] = numbers[..] {
                            (state.word_space, state.char_space) = (word, char);
                        }
                        line = Matrix::moved(0.0, -state.leading).then(line);
                        text = line;
                    }
                    let list = match operands.last() {
                        Some(Object::Array(list)) => list.as_slice(),
                        _ => operands,
                    };
                    for part in list {
                        match part {
                            Object::String(bytes, _) => {
                                self.show(&state, &mut text, bytes, &mut instead);
                            }
                            part if operation.operator == "TJ" => {
                                let back = part.as_float().unwrap_or(0.0) / 1000.0;
                                let x = -back * state.size * state.stretch;
                                text = Matrix::moved(x, 0.0).then(text);
                            }
                            _ => {}
                        }
                    }
                }
                "BDC" => {
                    let actual = operands.get(1).and_then(|properties| match properties {
                        Object::Name(name) => {
                            follow(document, of(b"Properties", name)?)?.as_dict().ok()
                        }
                        properties => properties.as_dict().ok(),
                    });
                    let actual = actual.and_then(|dict| dict.get(b"ActualText").ok());
                    let actual = actual.and_then(|text| decode_text_string(text).ok());
                    marks.push(actual.is_some());
                    instead = actual.or(instead);
                }
                "BMC" => marks.push(false),
                "EMC" => {
                    if marks.pop() == Some(true) {
                        instead = None;
                    }
                }
                "Do" => {
                    let name = operands.first().and_then(|name| name.as_name().ok());
                    if let Some(object) = name.and_then(|name| of(b"XObject", name)) {
                        self.object(object, resources, &state, depth);
                    }
                }
                "BI" | "sh" => self.page.ink.n_images += usize::from(operation.operator == "BI"),
                _ => {}
            }
        }
    }

    /// A picture is counted; a drawing of its own is run.
    fn object(
        &mut self,
        object: &'a Object,
        resources: Option<&'a Dictionary>,
        state: &State,
        depth: u32,
    ) {
        let document = self.document;
        let id = object.as_reference().ok();
        let Some(stream) = follow(document, object).and_then(|form| form.as_stream().ok()) else {
            return;
        };
        let dict = &stream.dict;
        if dict.get(b"Subtype").is_ok_and(|kind| kind.as_name().ok() == Some(b"Image")) {
            self.page.ink.n_images += 1;
            return;
        }
        // A form that draws itself draws nothing.
        let is_open = id.is_some_and(|id| self.open_forms.contains(&id));
        if is_open || depth >= FORMS_MAX {
            return;
        }
        let most = usize::try_from(*self.bytes_left).unwrap_or(usize::MAX);
        let Ok(content) = stream.decompressed_content_with_limit(most) else { return };
        *self.bytes_left = self.bytes_left.saturating_sub(content.len() as u64);
        let of = |name: &[u8]| dict.get(name).ok().and_then(|object| follow(document, object));
        let numbers: Option<Vec<f32>> = of(b"Matrix")
            .and_then(|matrix| matrix.as_array().ok())
            .map(|matrix| matrix.iter().filter_map(|n| n.as_float().ok()).collect());
        let mut state = state.clone();
        if let Some(matrix) = numbers.and_then(|numbers| Matrix::of(&numbers)) {
            state.matrix = matrix.then(state.matrix);
        }
        let own = of(b"Resources").and_then(|own| own.as_dict().ok());
        self.open_forms.extend(id);
        self.drawing(&content, own.or(resources), state, depth + 1);
        if id.is_some() {
            self.open_forms.pop();
        }
    }

    fn show(
        &mut self,
        state: &State,
        text: &mut Matrix,
        bytes: &[u8],
        instead: &mut Option<String>,
    ) {
        let Some(font) = state.font.as_ref() else { return };
        let Page { glyphs, ink } = &mut self.page;
        font.shown(bytes, |shown| {
            let whole = text.then(state.matrix);
            let [a, b, c, d, ..] = whole.0;
            let height = (c * c + d * d).sqrt() * state.size.abs();
            let advance = (shown.width * state.size
                + state.char_space
                + if shown.is_blank_byte { state.word_space } else { 0.0 })
                * state.stretch;
            let at = Matrix::moved(0.0, state.rise).then(whole).0;
            let end =
                Matrix::moved(shown.width * state.size * state.stretch, state.rise).then(whole).0;
            *text = Matrix::moved(advance, 0.0).then(*text);
            ink.n_glyphs += 1;
            let text = match instead {
                // Said once, by the first glyph of those that it stands for.
                Some(said) => std::mem::take(said),
                None => match shown.text {
                    Some(text) => text.to_owned(),
                    None => {
                        ink.n_unnamed += 1;
                        return;
                    }
                },
            };
            // Text that stands across the page is a stamp or an axis.
            let is_level = b.abs() <= 0.3 * a.abs() && a > 0.0;
            let is_finite = at[4].is_finite() && at[5].is_finite() && height.is_finite();
            if is_level && is_finite && height > 0.5 && !text.is_empty() {
                glyphs.push(Glyph {
                    text,
                    x0: at[4],
                    x1: end[4],
                    y: at[5],
                    size: height,
                    is_bold: font.is_bold,
                    is_fixed: font.is_fixed,
                });
            }
        });
    }
}
