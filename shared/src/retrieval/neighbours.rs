//! Which passages that were found are one piece of their document?

/// A passage at its place in a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour<Id, Document> {
    pub id: Id,
    pub document: Document,
    /// Passages of a document are numbered without gaps.
    pub ordinal: u32,
}

/// Passages that follow each other in a document, as one: groups in reading order, each at the place of
/// its best passage. Input is best first; a group has at most `n_max` passages.
pub fn joined<Id: Clone, Document: PartialEq + Clone>(
    found: &[Neighbour<Id, Document>],
    n_max: usize,
) -> Vec<Vec<Neighbour<Id, Document>>> {
    let mut groups: Vec<Vec<Neighbour<Id, Document>>> = Vec::new();
    for passage in found {
        let is_beside = |group: &Vec<Neighbour<Id, Document>>| {
            let (Some(first), Some(last)) = (group.first(), group.last()) else { return false };
            let ends_before = last.ordinal.checked_add(1) == Some(passage.ordinal);
            let begins_after = passage.ordinal.checked_add(1) == Some(first.ordinal);
            first.document == passage.document
                && group.len() < n_max
                && (ends_before || begins_after)
        };
        match groups.iter_mut().find(|group| is_beside(group)) {
            Some(group) => {
                let at = usize::from(group[0].ordinal < passage.ordinal) * group.len();
                group.insert(at, passage.clone());
            }
            None => groups.push(vec![passage.clone()]),
        }
    }
    close_gaps(groups, n_max)
}

/// A passage may have come between two groups.
fn close_gaps<Id, Document: PartialEq>(
    mut groups: Vec<Vec<Neighbour<Id, Document>>>,
    n_max: usize,
) -> Vec<Vec<Neighbour<Id, Document>>> {
    let mut at = 0;
    while at < groups.len() {
        let next = (at + 1..groups.len()).find(|&other| {
            let (a, b) = (&groups[at], &groups[other]);
            let (Some(a0), Some(a1), Some(b0), Some(b1)) =
                (a.first(), a.last(), b.first(), b.last())
            else {
                return false;
            };
            a0.document == b0.document
                && a.len() + b.len() <= n_max
                && (a1.ordinal.checked_add(1) == Some(b0.ordinal)
                    || b1.ordinal.checked_add(1) == Some(a0.ordinal))
        });
        match next {
            Some(other) => {
                let mut later = groups.remove(other);
                groups[at].append(&mut later);
                groups[at].sort_by_key(|passage| passage.ordinal);
            }
            None => at += 1,
        }
    }
    groups
}
