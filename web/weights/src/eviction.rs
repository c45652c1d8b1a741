//! Which models must leave so that a new one fits?

/// A model's file in the browser's storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// SHA-256 of the whole file, hex: its name in the store.
    pub sha256: String,
    pub stored_bytes: u64,
    /// Milliseconds since 1970.
    pub last_used_ms: u64,
    /// On the GPU or being loaded: never evicted.
    pub in_use: bool,
}

/// Free bytes that are always left: conversations and the page itself live in the same quota.
pub const RESERVE_BYTES: u64 = 64 * 1024 * 1024;

/// The least-used files that must go so that `need_bytes` more fit under `quota_bytes`, of which
/// `used_bytes` are used. None: not even without all of them. Browsers round both figures, so that
/// the answer is a good guess; a write may still be refused.
pub fn files_to_evict(
    files: &[StoredFile],
    need_bytes: u64,
    used_bytes: u64,
    quota_bytes: u64,
) -> Option<Vec<StoredFile>> {
    let allowed_bytes = quota_bytes.saturating_sub(RESERVE_BYTES.min(quota_bytes / 10));
    let mut over_bytes = used_bytes.saturating_add(need_bytes).saturating_sub(allowed_bytes);
    let mut candidates: Vec<&StoredFile> = files.iter().filter(|file| !file.in_use).collect();
    candidates.sort_by_key(|file| file.last_used_ms);
    let mut evicted = Vec::new();
    for file in candidates {
        if over_bytes == 0 {
            break;
        }
        over_bytes = over_bytes.saturating_sub(file.stored_bytes);
        evicted.push(file.clone());
    }
    (over_bytes == 0).then_some(evicted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn file(name: &str, mib: u64, last_used_ms: u64, in_use: bool) -> StoredFile {
        StoredFile { sha256: name.into(), stored_bytes: mib * MIB, last_used_ms, in_use }
    }

    fn evicted(need_mib: u64, used_mib: u64, quota_mib: u64) -> Option<Vec<String>> {
        let files =
            [file("new", 100, 30, false), file("used", 100, 1, true), file("old", 100, 10, false)];
        files_to_evict(&files, need_mib * MIB, used_mib * MIB, quota_mib * MIB)
            .map(|files| files.into_iter().map(|file| file.sha256).collect())
    }

    #[test]
    fn the_least_used_go_first_and_what_is_in_use_stays() {
        assert_eq!(evicted(100, 300, 1_000), Some(vec![]));
        assert_eq!(evicted(100, 300, 440), Some(vec!["old".into()]));
        assert_eq!(evicted(170, 300, 400), Some(vec!["old".into(), "new".into()]));
        assert_eq!(evicted(350, 300, 400), None);
    }

    proptest! {
        #[test]
        fn what_is_evicted_makes_room(
            sizes in prop::collection::vec((1..500u64, 0..100u64, any::<bool>()), 0..8),
            need in 0..2_000u64,
            quota in 100..5_000u64,
        ) {
            let files: Vec<StoredFile> =
                sizes.iter().map(|&(mib, at, in_use)| file("f", mib, at, in_use)).collect();
            let used: u64 = files.iter().map(|file| file.stored_bytes).sum();
            if let Some(out) = files_to_evict(&files, need * MIB, used, quota * MIB) {
                let freed: u64 = out.iter().map(|file| file.stored_bytes).sum();
                prop_assert!(used - freed + need * MIB <= quota * MIB);
                prop_assert!(out.iter().all(|file| !file.in_use));
            }
        }
    }
}
