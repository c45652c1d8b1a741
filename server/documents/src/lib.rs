//! What does a file say? Its text, with structure and pages, whatever its format.
