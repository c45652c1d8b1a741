//! What is indexed, and what is asked?

use portico_shared::documents::DocLang;
use portico_shared::retrieval::Fusion;
use uuid::Uuid;

/// A passage of a document, as it is indexed.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    pub id: Uuid,
    pub document: Uuid,
    /// The collection's id.
    pub collection: String,
    /// The document's.
    pub name: String,
    /// From the outermost heading to the one above the text.
    pub heading_path: Vec<String>,
    pub text: String,
    pub lang: DocLang,
    pub media_type: String,
    /// Of the document, in seconds since 1970.
    pub date_s: i64,
}

/// Which passages may be found. An empty list is no limit, but for `collections`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Those that the asker may read and asked for: an empty list finds nothing.
    pub collections: Vec<String>,
    pub media_types: Vec<String>,
    pub langs: Vec<DocLang>,
    /// Both ends belong to it.
    pub from_s: Option<i64>,
    pub to_s: Option<i64>,
    pub documents: Vec<Uuid>,
}

impl Filter {
    /// Everything in these collections.
    pub fn collections<S: Into<String>>(ids: impl IntoIterator<Item = S>) -> Self {
        Self { collections: ids.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// A question to the index. An empty text is not searched for, nor is an absent vector.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub text: String,
    /// Of the index's embedder, of length one.
    pub vector: Option<Vec<f32>>,
    pub filter: Filter,
    pub limit: usize,
    pub fusion: Fusion,
}

/// A passage that was found, best first.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub id: Uuid,
    /// Comparable within one answer only.
    pub score: f32,
    /// Its place in each list, from 1.
    pub full_text_rank: Option<u32>,
    pub vector_rank: Option<u32>,
    /// The share of what was asked for that its words hold, 0 to 1.
    pub full_text_match: Option<f32>,
    /// The cosine between question and passage.
    pub cosine: Option<f32>,
}
