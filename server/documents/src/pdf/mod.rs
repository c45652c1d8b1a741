//! What does a PDF say?

use portico_shared::documents::Builder;

use crate::{ExtractError, Limits};

pub(crate) fn extract(
    _builder: &mut Builder,
    _bytes: &[u8],
    _limits: &Limits,
) -> Result<(), ExtractError> {
    Err(ExtractError::unreadable("not yet"))
}
