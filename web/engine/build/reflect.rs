//! Is a variant's WGSL valid, does it keep to WebGPU's default limits, and what does it bind?

use naga::valid::{Capabilities, ValidationFlags, Validator};

/// What naga saw.
pub struct Info {
    /// By `@binding`: whether the kernel writes it.
    pub bindings: Vec<bool>,
    pub workgroup_size: [u32; 3],
    pub workgroup_bytes: u32,
    pub subgroups: bool,
    pub f16: bool,
}

const MAX_STORAGE_BUFFERS: usize = 8;
const MAX_WORKGROUP_BYTES: u32 = 16 << 10;
const MAX_INVOCATIONS: u32 = 256;

/// Validates `source` and lists its resources.
///
/// # Errors
/// A text for the person who wrote the kernel.
pub fn reflect(source: &str) -> Result<Info, String> {
    let module =
        naga::front::wgsl::parse_str(source).map_err(|error| error.emit_to_string(source))?;
    let capabilities = Capabilities::SUBGROUP
        | Capabilities::SHADER_FLOAT16
        | Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .map_err(|error| error.emit_to_string(source))?;
    let [entry] = &module.entry_points[..] else {
        return Err("a kernel has one entry point".to_owned());
    };
    if entry.name != "main" {
        return Err(format!("the entry point is named main, not {}", entry.name));
    }
    let mut bindings = Vec::new();
    let mut workgroup_bytes = 0;
    for (_, variable) in module.global_variables.iter() {
        match variable.space {
            naga::AddressSpace::WorkGroup => {
                workgroup_bytes += module.types[variable.ty].inner.size(module.to_ctx());
            }
            naga::AddressSpace::Storage { access } => {
                let binding = variable.binding.ok_or("a storage variable has no binding")?;
                if binding.group != 0 {
                    return Err("all bindings are in group 0".to_owned());
                }
                bindings.push((binding.binding, access.contains(naga::StorageAccess::STORE)));
            }
            _ => {}
        }
    }
    bindings.sort_unstable();
    if !bindings.iter().enumerate().all(|(at, (binding, _))| at as u32 == *binding) {
        return Err(format!("bindings are not 0, 1, 2, …: {bindings:?}"));
    }
    if bindings.len() > MAX_STORAGE_BUFFERS {
        return Err(format!("{} storage buffers", bindings.len()));
    }
    if workgroup_bytes > MAX_WORKGROUP_BYTES {
        return Err(format!("{workgroup_bytes} bytes of workgroup memory"));
    }
    if entry.workgroup_size.iter().product::<u32>() > MAX_INVOCATIONS {
        return Err(format!("a workgroup of {:?}", entry.workgroup_size));
    }
    Ok(Info {
        bindings: bindings.into_iter().map(|(_, writes)| writes).collect(),
        workgroup_size: entry.workgroup_size,
        workgroup_bytes,
        subgroups: source.contains("subgroup"),
        f16: source.contains("enable f16;"),
    })
}
