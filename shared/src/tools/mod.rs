//! How does a model call tools? As its template taught it: the calls are found in what it writes, and
//! where one must come, a grammar sees to it.

mod form;
mod reader;
mod scan;
mod style;

#[cfg(test)]
mod tests;

pub use form::grammar;
pub use reader::{CallDelta, CallReader, Piece, ToolReading};
pub use style::{ToolFormat, ToolStyle};
