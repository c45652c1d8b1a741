//! Which fields has the index?

use tantivy::schema::{
    BytesOptions, FAST, Field, IndexRecordOption, NumericOptions, STRING, Schema,
    TextFieldIndexing, TextOptions,
};

/// Another number: what an older program wrote is made anew from the texts.
pub(crate) const VERSION: u32 = 1;

pub(super) const ID_HIGH: &str = "id_high";
pub(super) const ID_LOW: &str = "id_low";
pub(super) const COLLECTION: &str = "collection";
pub(super) const MEDIA_TYPE: &str = "media_type";
pub(super) const LANG: &str = "lang";
pub(super) const DATE: &str = "date";

/// The fields of a passage. Nothing is stored: the id's halves are read from columns.
pub(super) struct Fields {
    /// To remove by.
    pub id: Field,
    pub id_high: Field,
    pub id_low: Field,
    pub document: Field,
    pub collection: Field,
    pub media_type: Field,
    pub lang: Field,
    pub date: Field,
    /// Stems in the passage's language.
    pub stemmed: Field,
    /// Words in their plain spelling, with positions: for phrases, beginnings of words and typing errors.
    pub spelled: Field,
    /// German stems, compounds as their parts.
    pub parts: Field,
    /// Words of the document's name and of the headings, in all three forms.
    pub heads: Field,
}

impl Fields {
    pub fn schema() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let label = STRING | FAST;
        let terms = |option| {
            // The terms come made: no tokenizer of tantivy's sees the text.
            let indexing = TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_fieldnorms(true)
                .set_index_option(option);
            TextOptions::default().set_indexing_options(indexing)
        };
        let fields = Self {
            id: schema.add_bytes_field("id", BytesOptions::default().set_indexed()),
            id_high: schema.add_u64_field(ID_HIGH, FAST),
            id_low: schema.add_u64_field(ID_LOW, FAST),
            document: schema.add_bytes_field("document", BytesOptions::default().set_indexed()),
            collection: schema.add_text_field(COLLECTION, label.clone()),
            media_type: schema.add_text_field(MEDIA_TYPE, label.clone()),
            lang: schema.add_text_field(LANG, label),
            date: schema.add_i64_field(DATE, NumericOptions::default().set_fast().set_indexed()),
            stemmed: schema.add_text_field("stemmed", terms(IndexRecordOption::WithFreqs)),
            spelled: schema
                .add_text_field("spelled", terms(IndexRecordOption::WithFreqsAndPositions)),
            parts: schema.add_text_field("parts", terms(IndexRecordOption::WithFreqs)),
            heads: schema.add_text_field("heads", terms(IndexRecordOption::WithFreqs)),
        };
        (schema.build(), fields)
    }
}
