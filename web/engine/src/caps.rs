//! What can this device do, and which variants of the kernels follow from it?
//!
//! [`choose`] is a pure function: capabilities and off switches in, [`Variants`] out.

use serde::{Deserialize, Serialize};

/// What an adapter gave when a device was acquired.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Capabilities {
    /// As the browser or the driver names it; empty where a browser hides it.
    pub vendor: String,
    pub architecture: String,
    pub description: String,
    /// `vulkan`, `metal`, `dx12` or `browser-webgpu`.
    pub backend: String,
    /// Computes on the CPU: lavapipe, SwiftShader, WARP.
    pub is_software: bool,
    /// Subgroup operations were granted.
    pub subgroups: bool,
    /// Smallest and largest number of lanes of a subgroup; 0 when unknown.
    pub subgroup_min_size: u32,
    pub subgroup_max_size: u32,
    /// `shader-f16` was granted.
    pub f16: bool,
    /// `dot4I8Packed` is there and not emulated.
    pub dot4_i8: bool,
    pub timestamps: bool,
    pub max_buffer_bytes: u64,
    /// Of one storage binding.
    pub max_binding_bytes: u64,
    pub max_workgroup_bytes: u32,
    pub max_workgroup_invocations: u32,
    pub max_storage_buffers: u32,
}

/// Off switches. Everything is on by default and used where the device has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuOptions {
    pub subgroups: bool,
    pub f16: bool,
    pub dot4_i8: bool,
    /// Asks for no more than WebGPU's default limits.
    pub default_limits: bool,
    /// Asks for timestamps, to profile dispatches.
    pub timestamps: bool,
}

impl Default for GpuOptions {
    fn default() -> Self {
        Self { subgroups: true, f16: true, dot4_i8: true, default_limits: false, timestamps: false }
    }
}

impl GpuOptions {
    /// The variant that runs on WebGPU's default limits without any optional feature.
    pub fn plain() -> Self {
        Self {
            subgroups: false,
            f16: false,
            dot4_i8: false,
            default_limits: true,
            timestamps: false,
        }
    }
}

/// The numbers that a product's activations are held in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Exactly, keys and values in the cache too.
    F32,
    /// Activations quantised to 8 bits in blocks of 32.
    Int8,
    /// [`Precision::Int8`] where the device multiplies 4 × 8 bits in hardware, else
    /// [`Precision::F32`].
    #[default]
    Auto,
}

/// Which kernels a model's plan is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variants {
    pub subgroups: bool,
    /// The fewest lanes that a subgroup may have; 1 without subgroups.
    pub subgroup_min_size: u32,
    pub f16: bool,
    pub dot4_i8: bool,
    /// Activations in 8-bit blocks, see [`Precision`].
    pub int8_activations: bool,
    /// Keys and values in 16 bits; exact ones for [`Precision::F32`] only.
    pub kv_half: bool,
    /// Few wide workgroups pay on a CPU, many narrow ones on a GPU.
    pub is_software: bool,
    pub max_binding_bytes: u64,
    pub max_workgroup_bytes: u32,
    pub max_workgroup_invocations: u32,
    pub max_storage_buffers: u32,
}

/// The variants for a device.
pub fn choose(caps: &Capabilities, options: &GpuOptions, precision: Precision) -> Variants {
    let subgroups = caps.subgroups && options.subgroups && caps.subgroup_max_size != 1;
    let dot4_i8 = caps.dot4_i8 && options.dot4_i8;
    Variants {
        subgroups,
        subgroup_min_size: if subgroups { caps.subgroup_min_size.max(4) } else { 1 },
        f16: caps.f16 && options.f16,
        dot4_i8,
        int8_activations: match precision {
            Precision::F32 => false,
            Precision::Int8 => true,
            Precision::Auto => dot4_i8,
        },
        kv_half: precision != Precision::F32,
        is_software: caps.is_software,
        max_binding_bytes: caps.max_binding_bytes,
        max_workgroup_bytes: caps.max_workgroup_bytes,
        max_workgroup_invocations: caps.max_workgroup_invocations,
        max_storage_buffers: caps.max_storage_buffers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn able() -> Capabilities {
        Capabilities {
            subgroups: true,
            subgroup_min_size: 8,
            subgroup_max_size: 32,
            f16: true,
            dot4_i8: true,
            max_binding_bytes: 128 << 20,
            ..Capabilities::default()
        }
    }

    #[test]
    fn uses_all_that_the_device_has() {
        let variants = choose(&able(), &GpuOptions::default(), Precision::Auto);
        assert!(variants.subgroups && variants.f16 && variants.dot4_i8);
        assert!(variants.int8_activations);
        assert_eq!(variants.subgroup_min_size, 8);
    }

    #[test]
    fn each_off_switch_switches_one_thing_off() {
        let all = choose(&able(), &GpuOptions::default(), Precision::Auto);
        let off = |options: GpuOptions| choose(&able(), &options, Precision::Auto);
        let on = GpuOptions::default;
        assert_eq!(
            off(GpuOptions { subgroups: false, ..on() }),
            Variants { subgroups: false, subgroup_min_size: 1, ..all }
        );
        assert_eq!(off(GpuOptions { f16: false, ..on() }), Variants { f16: false, ..all });
        assert_eq!(
            off(GpuOptions { dot4_i8: false, ..on() }),
            Variants { dot4_i8: false, int8_activations: false, ..all }
        );
    }

    #[test]
    fn never_uses_what_the_device_lacks() {
        let bare = Capabilities::default();
        let variants = choose(&bare, &GpuOptions::default(), Precision::Auto);
        assert!(!variants.subgroups && !variants.f16 && !variants.dot4_i8);
        assert!(!variants.int8_activations);
    }

    #[test]
    fn the_cache_is_halved_unless_exactness_is_asked_for() {
        let of = |precision| choose(&able(), &GpuOptions::plain(), precision).kv_half;
        assert!(of(Precision::Auto) && of(Precision::Int8) && !of(Precision::F32));
    }

    #[test]
    fn precision_is_obeyed() {
        let options = GpuOptions { dot4_i8: false, ..GpuOptions::default() };
        assert!(choose(&able(), &options, Precision::Int8).int8_activations);
        assert!(!choose(&able(), &GpuOptions::default(), Precision::F32).int8_activations);
    }
}
