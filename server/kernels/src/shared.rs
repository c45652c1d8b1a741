//! How do threads write disjoint parts of one buffer?

use std::marker::PhantomData;

/// A slice that several threads write, each its own part.
#[derive(Clone, Copy)]
pub struct SharedMut<'a, T> {
    start: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: access is only by `part`, whose caller promises that parts do not overlap.
unsafe impl<T: Send> Send for SharedMut<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SharedMut<'_, T> {}

impl<'a, T> SharedMut<'a, T> {
    pub fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// `len` elements from `from` on.
    ///
    /// # Safety
    /// While the part is used, no other thread uses an element of it.
    ///
    /// # Panics
    /// Outside of the slice.
    #[allow(
        clippy::mut_from_ref,
        reason = "that is what the type is for; the caller keeps parts apart"
    )]
    pub unsafe fn part(&self, from: usize, len: usize) -> &mut [T] {
        assert!(from <= self.len && len <= self.len - from, "outside of the shared slice");
        // SAFETY: in bounds by the assertion, alone by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(from), len) }
    }
}
