//! Which pages of keys and values belong to whom, and which may serve again?
//!
//! A full page is known by the tokens in it and the page before it, so that a prompt that begins as
//! another did finds that one's pages. Pages that nobody holds are kept until room is needed, the
//! longest unused go first.

use std::collections::{BTreeMap, HashMap};

use portico_kernels::PAGE_TOKENS;

/// A page by its place in the pool.
pub type PageId = usize;

type Block = [u32; PAGE_TOKENS];

/// Serial of what stands before a sequence's first page.
const ROOT: u64 = 0;

#[derive(Debug, Default)]
struct Owner {
    n_holders: u32,
    /// Its name among the known pages; a new one whenever a page is filled anew, so that what
    /// followed its last content is not found any more.
    known: Option<(u64, (u64, Block))>,
    /// Among those that nobody holds.
    unused_since: Option<u64>,
}

/// All pages of a model.
pub struct PagePool {
    max_pages: usize,
    owners: Vec<Owner>,
    free: Vec<PageId>,
    /// (serial of the page before, tokens) → page
    known: HashMap<(u64, Block), PageId>,
    /// Known pages that nobody holds, the longest unused first.
    unused: BTreeMap<u64, PageId>,
    n_serials: u64,
    clock: u64,
}

/// A sequence's pages. It must be given back to its pool.
#[derive(Debug, Default)]
pub struct PageTable {
    pub pages: Vec<PageId>,
    /// Tokens whose keys and values stand in the pages.
    pub n_tokens: usize,
    /// Full pages that are known, and the serial of the last of them.
    n_known: usize,
    last_serial: u64,
}

impl PagePool {
    /// A pool that grows up to `max_pages`.
    pub fn new(max_pages: usize) -> Self {
        Self {
            max_pages,
            owners: Vec::new(),
            free: Vec::new(),
            known: HashMap::new(),
            unused: BTreeMap::new(),
            n_serials: ROOT,
            clock: 0,
        }
    }

    /// A table that begins with what is known of `tokens`; at least the last one is left to compute.
    pub fn open(&mut self, tokens: &[u32]) -> PageTable {
        let mut table = PageTable::default();
        let n_reusable = tokens.len().saturating_sub(1) / PAGE_TOKENS;
        for block in tokens.chunks_exact(PAGE_TOKENS).take(n_reusable) {
            let Ok(block) = Block::try_from(block) else { break };
            let Some(&page) = self.known.get(&(table.last_serial, block)) else { break };
            self.hold(page);
            table.pages.push(page);
            table.n_tokens += PAGE_TOKENS;
            table.n_known += 1;
            table.last_serial = self.serial(page);
        }
        table
    }

    /// Makes room for `n_tokens` tokens altogether; false when the pool is used up. What was added
    /// stays.
    pub fn reserve(&mut self, table: &mut PageTable, n_tokens: usize) -> bool {
        while table.pages.len() * PAGE_TOKENS < n_tokens {
            match self.take() {
                Some(page) => table.pages.push(page),
                None => return false,
            }
        }
        true
    }

    /// Notes that `tokens`, the sequence from its beginning, now stand in the pages.
    pub fn filled(&mut self, table: &mut PageTable, tokens: &[u32]) {
        table.n_tokens = tokens.len();
        let full = tokens.chunks_exact(PAGE_TOKENS).skip(table.n_known);
        for block in full.take(table.pages.len().saturating_sub(table.n_known)) {
            let Ok(block) = Block::try_from(block) else { return };
            let page = table.pages[table.n_known];
            let key = (table.last_serial, block);
            // Another sequence may have computed the same beside this one: that one's is known.
            table.last_serial = match self.known.get(&key) {
                Some(&other) => self.serial(other),
                None => {
                    self.n_serials += 1;
                    self.known.insert(key, page);
                    self.owners[page].known = Some((self.n_serials, key));
                    self.n_serials
                }
            };
            table.n_known += 1;
        }
    }

    /// Gives a sequence's pages back.
    pub fn close(&mut self, table: PageTable) {
        for page in table.pages {
            let owner = &mut self.owners[page];
            owner.n_holders -= 1;
            if owner.n_holders > 0 {
                continue;
            }
            if owner.known.is_some() {
                self.clock += 1;
                owner.unused_since = Some(self.clock);
                self.unused.insert(self.clock, page);
            } else {
                self.free.push(page);
            }
        }
    }

    /// Pages that were ever used: those of the cache are `0..n_pages`.
    pub fn n_pages(&self) -> usize {
        self.owners.len()
    }

    /// Pages that can be had without taking one from a sequence.
    pub fn n_available(&self) -> usize {
        self.free.len() + self.unused.len() + (self.max_pages - self.owners.len())
    }

    /// Tokens that are held or may serve again.
    pub fn cached_tokens(&self) -> usize {
        (self.owners.len() - self.free.len()) * PAGE_TOKENS
    }

    /// Pages that a sequence holds.
    pub fn n_held(&self) -> usize {
        self.owners.len() - self.free.len() - self.unused.len()
    }

    fn serial(&self, page: PageId) -> u64 {
        self.owners[page].known.map_or(ROOT, |(serial, _)| serial)
    }

    fn hold(&mut self, page: PageId) {
        let owner = &mut self.owners[page];
        owner.n_holders += 1;
        if let Some(since) = owner.unused_since.take() {
            self.unused.remove(&since);
        }
    }

    fn take(&mut self) -> Option<PageId> {
        let page = if let Some(page) = self.free.pop() {
            page
        } else if self.owners.len() < self.max_pages {
            self.owners.push(Owner::default());
            self.owners.len() - 1
        } else {
            let (_, page) = self.unused.pop_first()?;
            self.owners[page].unused_since = None;
            if let Some((_, key)) = self.owners[page].known.take() {
                self.known.remove(&key);
            }
            page
        };
        self.owners[page].n_holders = 1;
        Some(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(n: usize) -> Vec<u32> {
        (0..n as u32).collect()
    }

    fn filled(pool: &mut PagePool, tokens: &[u32]) -> PageTable {
        let mut table = pool.open(tokens);
        assert!(pool.reserve(&mut table, tokens.len()));
        pool.filled(&mut table, tokens);
        table
    }

    #[test]
    fn a_prompt_that_begins_as_another_finds_its_pages() {
        let mut pool = PagePool::new(100);
        let first = filled(&mut pool, &tokens(40));
        // While the other runs, and after it.
        let second = pool.open(&tokens(40));
        assert_eq!((second.n_tokens, &second.pages[..]), (32, &first.pages[..2]));
        pool.close(first);
        pool.close(second);
        assert_eq!(pool.open(&tokens(33)).n_tokens, 32);
        // A last token is left to compute.
        assert_eq!(pool.open(&tokens(32)).n_tokens, 16);
        let mut other = tokens(40);
        other[3] = 99;
        assert_eq!(pool.open(&other).n_tokens, 0);
        other[3] = 3;
        other[20] = 99;
        assert_eq!(pool.open(&other).n_tokens, 16);
    }

    #[test]
    fn same_work_side_by_side_is_known_once_and_goes_on_as_one() {
        let mut pool = PagePool::new(100);
        let mut first = pool.open(&tokens(50));
        let mut second = pool.open(&tokens(50));
        for table in [&mut first, &mut second] {
            assert!(pool.reserve(table, 50));
        }
        pool.filled(&mut first, &tokens(20));
        pool.filled(&mut second, &tokens(50));
        pool.close(first);
        pool.close(second);
        assert_eq!(pool.open(&tokens(50)).n_tokens, 48);
    }

    #[test]
    fn the_longest_unused_page_makes_room_and_is_forgotten() {
        let mut pool = PagePool::new(3);
        let old = filled(&mut pool, &tokens(17));
        pool.close(old);
        let new: Vec<u32> = (100..117).collect();
        let new = filled(&mut pool, &new);
        // One page is in use by two tokens only, one was free, one is the old sequence's.
        let mut more = pool.open(&[7; 5]);
        assert!(pool.reserve(&mut more, 5));
        assert_eq!(pool.open(&tokens(17)).n_tokens, 0, "its page went");
        let mut too_much = PageTable::default();
        assert!(!pool.reserve(&mut too_much, 1));
        pool.close(new);
        pool.close(more);
        pool.close(too_much);
        assert_eq!(pool.n_held(), 0);
    }
}
