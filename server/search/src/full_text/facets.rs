//! How many of the passages are of each kind?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId, Score, SegmentReader};

use super::schema;

/// Counts of passages by what they may be filtered by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facets {
    pub n_passages: u64,
    pub collections: BTreeMap<String, u64>,
    pub media_types: BTreeMap<String, u64>,
    pub langs: BTreeMap<String, u64>,
    /// By year of the document's date.
    pub years: BTreeMap<i32, u64>,
}

pub(super) struct Counting;

pub(super) struct SegmentCounting {
    n_passages: u64,
    /// Collection, media type, language.
    labels: [Label; 3],
    dates: Column<i64>,
    years: BTreeMap<i32, u64>,
}

/// Counts by the place of a text in the segment's dictionary.
struct Label {
    column: Option<StrColumn>,
    counts: Vec<u64>,
}

impl Label {
    fn new(segment: &SegmentReader, name: &str) -> tantivy::Result<Self> {
        let column = segment.fast_fields().str(name)?;
        let n_terms = column.as_ref().map_or(0, |column| column.num_terms());
        Ok(Self { column, counts: vec![0; n_terms] })
    }

    fn count(&mut self, doc: DocId) {
        let Some(column) = &self.column else { return };
        for ord in column.term_ords(doc) {
            if let Some(count) = self.counts.get_mut(ord as usize) {
                *count += 1;
            }
        }
    }

    fn named(self) -> BTreeMap<String, u64> {
        let Some(column) = self.column else { return BTreeMap::new() };
        let mut named = BTreeMap::new();
        for (ord, count) in self.counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            let mut name = String::new();
            // A segment whose dictionary cannot be read has no name for it.
            if column.ord_to_str(ord as u64, &mut name).unwrap_or(false) {
                named.insert(name, count);
            }
        }
        named
    }
}

impl Collector for Counting {
    type Fruit = Facets;
    type Child = SegmentCounting;

    fn for_segment(&self, _: u32, segment: &SegmentReader) -> tantivy::Result<SegmentCounting> {
        Ok(SegmentCounting {
            n_passages: 0,
            labels: [
                Label::new(segment, schema::COLLECTION)?,
                Label::new(segment, schema::MEDIA_TYPE)?,
                Label::new(segment, schema::LANG)?,
            ],
            dates: segment.fast_fields().i64(schema::DATE)?,
            years: BTreeMap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Facets>) -> tantivy::Result<Facets> {
        fn add<K: Ord>(all: &mut BTreeMap<K, u64>, some: BTreeMap<K, u64>) {
            for (key, count) in some {
                *all.entry(key).or_default() += count;
            }
        }
        let mut all = Facets::default();
        for some in fruits {
            all.n_passages += some.n_passages;
            add(&mut all.collections, some.collections);
            add(&mut all.media_types, some.media_types);
            add(&mut all.langs, some.langs);
            add(&mut all.years, some.years);
        }
        Ok(all)
    }
}

impl SegmentCollector for SegmentCounting {
    type Fruit = Facets;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.n_passages += 1;
        for label in &mut self.labels {
            label.count(doc);
        }
        if let Some(date_s) = self.dates.first(doc) {
            *self.years.entry(year_of(date_s)).or_default() += 1;
        }
    }

    fn harvest(self) -> Facets {
        let [collections, media_types, langs] = self.labels.map(Label::named);
        Facets { n_passages: self.n_passages, collections, media_types, langs, years: self.years }
    }
}

/// The year, in UTC, of a time in seconds since 1970 (Howard Hinnant's `civil_from_days`).
fn year_of(date_s: i64) -> i32 {
    let days = date_s.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Its years begin in March.
    let is_next = day_of_year >= 306;
    i32::try_from(year_of_era + era * 400 + i64::from(is_next)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::year_of;

    #[test]
    fn years_begin_on_the_first_of_january() {
        assert_eq!(year_of(0), 1970);
        assert_eq!(year_of(-1), 1969);
        assert_eq!(year_of(1_704_067_199), 2023);
        assert_eq!(year_of(1_704_067_200), 2024);
        assert_eq!(year_of(951_782_400), 2000);
    }
}
