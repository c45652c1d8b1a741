//! What do the page and the shelf's worker say to each other? JSON, and bytes beside it.

use portico_shared::documents::{Chunk, Extracted};
use portico_shared::error::ApiError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{PageText, QueryVector};
use crate::api::{Document, DocumentText, Passage, SearchRequest, SearchResponse};

/// A file that is to be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewFile {
    pub name: String,
    pub media_type: String,
    /// Of its last change, in seconds since 1970.
    pub date_s: i64,
}

/// From the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToShelf {
    List,
    /// The bytes beside it are the file's. `pages`: what pdf.js read of a PDF.
    Add {
        file: NewFile,
        pages: Option<Vec<PageText>>,
    },
    Delete {
        id: Uuid,
    },
    Text {
        id: Uuid,
    },
    Passage {
        id: Uuid,
        passage: Uuid,
    },
    /// Answered by the document's own bytes, beside; empty where they are not kept.
    File {
        id: Uuid,
    },
    Search {
        request: SearchRequest,
        vector: Option<QueryVector>,
    },
    /// Documents that `embedder` has not embedded.
    WithoutVectors {
        embedder: String,
    },
    /// What is to be embedded of a document.
    ContextTexts {
        id: Uuid,
    },
    /// The bytes beside it are the vectors, f32 in little-endian.
    Vectors {
        id: Uuid,
        embedder: String,
        dims: usize,
    },
    /// Reads a file and keeps nothing: for a collection of the server.
    Prepare {
        file: NewFile,
        pages: Option<Vec<PageText>>,
    },
}

/// To the page; each message is answered once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromShelf {
    Listed { documents: Vec<Document> },
    Added { document: Document },
    Done,
    Text { text: Box<DocumentText> },
    Passage { passage: Passage },
    File,
    Found { response: SearchResponse },
    Ids { ids: Vec<Uuid> },
    ContextTexts { texts: Vec<String> },
    Prepared { extracted: Box<Extracted>, chunks: Vec<Chunk>, texts: Vec<String> },
    Failed { error: ApiError },
}
