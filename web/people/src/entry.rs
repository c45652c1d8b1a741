//! What is wrong with what was written into a form? The server says it of a field, in English, for programs;
//! people are told in the page's language, as far as they can cause it here.

use portico_shared::error::{ApiError, ErrorCode};

use crate::texts::Text;

/// The sentence for an entry that the server refused; none where its own is all that there is.
pub fn refused(error: &ApiError) -> Option<Text> {
    if error.code != ErrorCode::InvalidRequest {
        return None;
    }
    let text = match error.params.get("param")?.as_str() {
        "name" => Text::WrongSignInName,
        "display_name" => Text::WrongDisplayName,
        "email" => Text::WrongEmail,
        "note" => Text::WrongNote,
        "until_s" => Text::WrongUntil,
        "price" => Text::WrongPrice,
        "price.currency" => Text::WrongCurrency,
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_can_get_wrong_has_a_sentence_and_the_rest_keeps_its_own() {
        let refused_for = |code, param: &str| refused(&ApiError::new(code).with("param", param));
        assert_eq!(refused_for(ErrorCode::InvalidRequest, "name"), Some(Text::WrongSignInName));
        assert_eq!(refused_for(ErrorCode::InvalidRequest, "price"), Some(Text::WrongPrice));
        assert_eq!(refused_for(ErrorCode::InvalidRequest, "models"), None);
        assert_eq!(refused_for(ErrorCode::PasswordWeak, "name"), None);
        assert_eq!(refused(&ApiError::new(ErrorCode::InvalidRequest)), None);
    }
}
