//! What does a recording leave in its buffers when it is run once? For tests and the self-test.

use super::executor::{Copy, Executor, Run};
use super::{Buffers, Gpu, Staging};
use crate::EngineError;
use crate::plan::Planned;
use crate::record::{BufferId, Recording};

impl Gpu {
    /// Runs a recording over buffers that begin with `words` and reads those of `read`.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`], [`EngineError::DeviceLost`], [`EngineError::Internal`] where
    /// the device refuses a kernel.
    pub async fn run_once(
        &self,
        recording: &Recording,
        words: &[Vec<u32>],
        read: &[BufferId],
    ) -> Result<Vec<Vec<u32>>, EngineError> {
        self.check()?;
        let mut buffers = Buffers::new(self);
        buffers.extend(&recording.buffers).await?;
        for (index, words) in words.iter().enumerate() {
            buffers.write(BufferId(index as u32), 0, bytemuck::cast_slice(words));
        }
        let planned: Vec<Planned> =
            recording.dispatches.iter().cloned().map(Planned::fixed).collect();
        let mut executor = Executor::new(self);
        let program = executor.compile(&buffers, &planned).await?;
        let mut runs = vec![Run::whole(&program)];
        let mut found = Vec::new();
        for &id in read {
            let size_bytes = recording.buffers[id.0 as usize].size_bytes;
            let staging = Staging::new(self, 1, size_bytes).await?;
            let copy = Copy { buffer: id, offset_bytes: 0, size_bytes, slot: 0 };
            let pending = executor.submit(&runs, &buffers, &staging, Some(copy));
            // The first submit has run it all.
            runs.clear();
            if let Some(pending) = pending {
                found.push(staging.wait(pending, bytemuck::pod_collect_to_vec).await?);
            }
        }
        Ok(found)
    }
}
