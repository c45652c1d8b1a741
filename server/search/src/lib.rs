//! Which passages answer a question? Words by tantivy, meaning by Qdrant, and both together.
