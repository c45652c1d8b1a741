//! The one folder that speaks wgpu: a device, its buffers, and the replay of recordings.

mod buffers;
mod executor;
mod once;
mod platform;
mod readback;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use buffers::Buffers;
pub(crate) use executor::{Copy, Executor, Program, Run};
pub(crate) use platform::now_ms;
pub(crate) use readback::{Pending, Staging};

use crate::EngineError;
use crate::caps::{Capabilities, GpuOptions};

/// Running totals of a device, for tests that fail when the decode loop grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub dispatches: u64,
    pub submits: u64,
    /// Bytes that the CPU read from mapped buffers.
    pub bytes_read_back: u64,
    /// Buffers, shader modules, pipelines, layouts and bind groups. Command encoders are not
    /// counted: each submit needs one.
    pub objects_created: u64,
}

#[derive(Default)]
pub(crate) struct AtomicCounters {
    dispatches: AtomicU64,
    submits: AtomicU64,
    bytes_read_back: AtomicU64,
    objects_created: AtomicU64,
}

type LostCallback = Box<dyn FnOnce(String) + Send>;

/// Why a device was lost, and who wants to know.
#[derive(Default)]
struct Loss {
    reason: Option<String>,
    callbacks: Vec<LostCallback>,
}

struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    caps: Capabilities,
    options: GpuOptions,
    counters: AtomicCounters,
    is_lost: AtomicBool,
    loss: Mutex<Loss>,
    /// The newest error that no scope caught: a bug, reported by the next call that waits.
    uncaptured: Mutex<Option<String>>,
}

/// A device. Clones are cheap and share it.
#[derive(Clone)]
pub struct Gpu {
    inner: Arc<Inner>,
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gpu").field("caps", &self.inner.caps).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gpu {
    /// Asks for the fastest adapter and a device with as much as it gives.
    ///
    /// # Errors
    /// [`EngineError::NoAdapter`] where there is no WebGPU or the device is refused.
    pub async fn acquire(options: &GpuOptions) -> Result<Self, EngineError> {
        let instance =
            wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let adapter = instance
            .request_adapter(&wgpu::RequestAdapterOptions {
                power_preference: wgpu::PowerPreference::HighPerformance,
                ..Default::default()
            })
            .await
            .map_err(|error| EngineError::NoAdapter { reason: error.to_string() })?;
        let info = adapter.get_info();
        let offered = adapter.features();
        let mut features = offered & platform::wanted_features();
        if !options.f16 {
            features.remove(wgpu::Features::SHADER_F16);
        }
        if options.timestamps {
            features |= offered
                & (wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::TIMESTAMP_QUERY_INSIDE_PASSES);
        }
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("portico"),
                required_features: features,
                required_limits: wanted_limits(&adapter.limits(), options.default_limits),
                ..Default::default()
            })
            .await
            .map_err(|error| EngineError::NoAdapter { reason: error.to_string() })?;

        let limits = device.limits();
        let granted = platform::granted(&device, &info);
        let dot4_i8 = instance
            .wgsl_language_features()
            .contains(wgpu::WgslLanguageFeatures::Packed4x8IntegerDotProduct);
        let caps = Capabilities {
            vendor: granted.vendor,
            architecture: granted.architecture,
            description: granted.description,
            backend: info.backend.to_string(),
            is_software: is_software(&info),
            subgroups: granted.subgroups,
            subgroup_min_size: info.subgroup_min_size,
            subgroup_max_size: info.subgroup_max_size,
            f16: device.features().contains(wgpu::Features::SHADER_F16),
            dot4_i8: dot4_i8 && info.backend != wgpu::Backend::Metal,
            timestamps: device.features().contains(wgpu::Features::TIMESTAMP_QUERY_INSIDE_PASSES),
            max_buffer_bytes: limits.max_buffer_size,
            max_binding_bytes: limits.max_storage_buffer_binding_size,
            max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
            max_workgroup_invocations: limits.max_compute_invocations_per_workgroup,
            max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
        };
        let inner = Arc::new(Inner {
            device,
            queue,
            caps,
            options: options.clone(),
            counters: AtomicCounters::default(),
            is_lost: AtomicBool::new(false),
            loss: Mutex::default(),
            uncaptured: Mutex::default(),
        });
        let seen = Arc::downgrade(&inner);
        inner.device.set_device_lost_callback(move |_, reason| {
            if let Some(inner) = seen.upgrade() {
                inner.mark_lost(reason);
            }
        });
        let seen = Arc::downgrade(&inner);
        inner.device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            if let Some(inner) = seen.upgrade() {
                lock(&inner.uncaptured).get_or_insert(error.to_string());
            }
        }));
        Ok(Self { inner })
    }

    pub fn caps(&self) -> &Capabilities {
        &self.inner.caps
    }

    pub fn options(&self) -> &GpuOptions {
        &self.inner.options
    }

    /// Calls `callback` once, with the reason, when the device is lost (at once if it is already).
    pub fn on_lost(&self, callback: impl FnOnce(String) + Send + 'static) {
        let mut loss = lock(&self.inner.loss);
        match loss.reason.clone() {
            Some(reason) => {
                drop(loss);
                callback(reason);
            }
            None => loss.callbacks.push(Box::new(callback)),
        }
    }

    pub fn is_lost(&self) -> bool {
        self.inner.is_lost.load(Ordering::Acquire)
    }

    /// Destroys the device as a driver's reset would: every engine on it answers
    /// [`EngineError::DeviceLost`] from now on.
    pub fn lose(&self) {
        self.inner.device.destroy();
        self.inner.mark_lost("destroyed on request".to_owned());
    }

    pub fn counters(&self) -> Counters {
        let counters = &self.inner.counters;
        Counters {
            dispatches: counters.dispatches.load(Ordering::Relaxed),
            submits: counters.submits.load(Ordering::Relaxed),
            bytes_read_back: counters.bytes_read_back.load(Ordering::Relaxed),
            objects_created: counters.objects_created.load(Ordering::Relaxed),
        }
    }

    fn device(&self) -> &wgpu::Device {
        &self.inner.device
    }

    fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
    }

    fn count_objects(&self, n: u64) {
        self.inner.counters.objects_created.fetch_add(n, Ordering::Relaxed);
    }

    /// Lets writes that wait in the driver's memory go.
    pub(crate) fn flush(&self) {
        self.queue().submit([]);
        // Frees what earlier writes were staged in; in a browser it does nothing.
        let _ = self.device().poll(wgpu::PollType::Poll);
    }

    /// Fails when the device was lost or an earlier command was refused.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        if self.is_lost() {
            let reason = lock(&self.inner.loss).reason.clone().unwrap_or_default();
            return Err(EngineError::DeviceLost { reason });
        }
        match lock(&self.inner.uncaptured).take() {
            Some(reason) => Err(EngineError::Internal { reason }),
            None => Ok(()),
        }
    }
}

impl Inner {
    fn mark_lost(&self, reason: String) {
        self.is_lost.store(true, Ordering::Release);
        let mut loss = lock(&self.loss);
        if loss.reason.is_some() {
            return;
        }
        loss.reason = Some(reason.clone());
        let callbacks = std::mem::take(&mut loss.callbacks);
        drop(loss);
        for callback in callbacks {
            callback(reason.clone());
        }
    }
}

/// WebGPU's default limits, raised to what the adapter offers where the engine gains from it.
fn wanted_limits(offered: &wgpu::Limits, default_limits: bool) -> wgpu::Limits {
    let default = wgpu::Limits::default();
    if default_limits {
        return default;
    }
    wgpu::Limits {
        max_buffer_size: offered.max_buffer_size,
        max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
        max_storage_buffers_per_shader_stage: offered.max_storage_buffers_per_shader_stage,
        max_compute_workgroup_storage_size: offered.max_compute_workgroup_storage_size,
        max_compute_invocations_per_workgroup: offered.max_compute_invocations_per_workgroup,
        max_compute_workgroup_size_x: offered.max_compute_workgroup_size_x,
        ..default
    }
}

fn is_software(info: &wgpu::AdapterInfo) -> bool {
    let name = format!("{} {}", info.name, info.driver).to_lowercase();
    info.device_type == wgpu::DeviceType::Cpu
        || ["llvmpipe", "lavapipe", "swiftshader", "basic render"]
            .iter()
            .any(|software| name.contains(software))
}
