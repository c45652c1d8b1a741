//! What computes this process's models?

use std::fs::File;
use std::sync::Arc;

use portico_kernels::Pool;
use portico_shared::error::ApiError;
#[cfg(feature = "candle")]
use portico_shared::error::ErrorCode;
use portico_shared::gguf::Gguf;
use portico_shared::model::{Config, ModelError};
use serde::{Deserialize, Deserializer};

#[cfg(feature = "candle")]
use crate::candle::{self, CandleModel};
use crate::cpu::{self, CpuModel};
use crate::{Model, Share};

/// Where an organisation wants its models computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// On the GPU that this build can use and that is there, else on the CPU.
    #[default]
    Auto,
    Cpu,
    Cuda,
    Metal,
}

impl Device {
    const ALL: [(&str, Self, bool); 4] = [
        ("auto", Self::Auto, true),
        ("cpu", Self::Cpu, true),
        ("cuda", Self::Cuda, cfg!(feature = "cuda")),
        ("metal", Self::Metal, cfg!(feature = "metal")),
    ];

    /// # Errors
    /// For another word, and for a device that this program was built without.
    pub fn from_name(name: &str) -> Result<Self, String> {
        match Self::ALL.into_iter().find(|(known, ..)| *known == name) {
            Some((_, device, true)) => Ok(device),
            Some((_, _, false)) => Err(format!(
                "this program was built without {name}: build it with `--features {name}`, or say \
                 `cpu` or `auto`"
            )),
            None => Err(format!("`{name}` is none of auto, cpu, cuda, metal")),
        }
    }
}

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).map_err(serde::de::Error::custom)
    }
}

/// A device that is open.
#[derive(Clone, Debug)]
pub enum Engine {
    /// The CPU, with this project's kernels.
    Cpu,
    /// What candle computes on: a GPU, and its own way on the CPU for tests.
    #[cfg(feature = "candle")]
    Candle(candle_core::Device),
}

impl Engine {
    /// # Errors
    /// `internal` where the device that was asked for cannot be opened; `auto` always finds one.
    pub fn open(device: Device) -> Result<Self, ApiError> {
        match device {
            Device::Cpu => Ok(Self::Cpu),
            Device::Auto => Ok(Self::best()),
            #[cfg(feature = "candle")]
            Device::Cuda => opened("CUDA", candle_core::Device::new_cuda(0)),
            #[cfg(feature = "candle")]
            Device::Metal => opened("Metal", candle_core::Device::new_metal(0)),
            // `Device::from_name` makes none of these.
            #[cfg(not(feature = "candle"))]
            Device::Cuda | Device::Metal => Ok(Self::Cpu),
        }
    }

    fn best() -> Self {
        #[cfg(feature = "cuda")]
        match Self::open(Device::Cuda) {
            Ok(engine) => return engine,
            Err(error) => tracing::warn!(%error, "no GPU by CUDA: models run on the CPU"),
        }
        #[cfg(feature = "metal")]
        match Self::open(Device::Metal) {
            Ok(engine) => return engine,
            Err(error) => tracing::warn!(%error, "no GPU by Metal: models run on the CPU"),
        }
        Self::Cpu
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            #[cfg(feature = "candle")]
            Self::Candle(device) if device.is_cuda() => "cuda",
            #[cfg(feature = "candle")]
            Self::Candle(device) if device.is_metal() => "metal",
            #[cfg(feature = "candle")]
            Self::Candle(_) => "candle on the CPU",
        }
    }

    /// What models may take of a device that has memory of its own; none where it is the machine's.
    pub fn memory_bytes(&self) -> Option<u64> {
        let all_bytes: u64 = match self {
            #[cfg(feature = "cuda")]
            Self::Candle(candle_core::Device::Cuda(device)) => {
                let stream = device.cuda_stream();
                stream.context().mem_get_info().ok().map(|(free_bytes, _)| free_bytes as u64)
            }
            #[cfg(feature = "metal")]
            Self::Candle(candle_core::Device::Metal(device)) => {
                Some(device.metal_device().recommended_max_working_set_size() as u64)
            }
            _ => None,
        }?;
        // The rest is for what a step computes.
        Some(all_bytes / 10 * 8)
    }

    /// Reads a file whose header is `gguf`. `progress` is told the share that is done.
    ///
    /// # Errors
    /// `model_unsupported`, `model_invalid`, `storage_failed`, `server_out_of_memory`.
    pub fn load(
        &self,
        file: &File,
        gguf: &Gguf,
        share: Share,
        pool: Arc<Pool>,
        progress: &(dyn Fn(f32) + Sync),
    ) -> Result<Box<dyn Model>, ApiError> {
        let n_ctx = share.n_ctx;
        match self {
            Self::Cpu => Ok(Box::new(CpuModel::load(file, gguf, n_ctx, pool, progress)?)),
            #[cfg(feature = "candle")]
            Self::Candle(device) => {
                Ok(Box::new(CandleModel::load(file, gguf, n_ctx, pool, device, progress)?))
            }
        }
    }

    /// Bytes that a model's weights and tables take.
    ///
    /// # Errors
    /// What is wrong with the model.
    pub(crate) fn weight_bytes(
        &self,
        gguf: &Gguf,
        config: &Config,
        n_ctx: usize,
    ) -> Result<u64, ModelError> {
        match self {
            Self::Cpu => cpu::memory_bytes(gguf, config, n_ctx),
            #[cfg(feature = "candle")]
            Self::Candle(_) => candle::memory_bytes(gguf, config, n_ctx),
        }
    }
}

#[cfg(feature = "candle")]
fn opened(
    name: &str,
    device: candle_core::Result<candle_core::Device>,
) -> Result<Engine, ApiError> {
    match device {
        Ok(device) => Ok(Engine::Candle(device)),
        Err(error) => {
            Err(ApiError::new(ErrorCode::Internal).detail(format!("no GPU by {name}: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_this_build_lacks_is_refused_by_its_name() {
        assert_eq!(Device::from_name("cpu"), Ok(Device::Cpu));
        assert_eq!(Device::from_name("auto"), Ok(Device::Auto));
        assert!(Device::from_name("tpu").unwrap_err().contains("`tpu`"));
        for (name, is_built) in
            [("cuda", cfg!(feature = "cuda")), ("metal", cfg!(feature = "metal"))]
        {
            match Device::from_name(name) {
                Ok(_) => assert!(is_built),
                Err(reason) => assert!(!is_built && reason.contains(&format!("--features {name}"))),
            }
        }
    }

    #[test]
    fn what_is_best_can_always_be_opened() {
        assert!(Engine::open(Device::Auto).is_ok());
        assert_eq!(Engine::open(Device::Cpu).map(|engine| engine.name()).ok(), Some("cpu"));
    }
}
