//! Which WGSL does a kernel's variant consist of, and what does it bind?
//!
//! The build script has preprocessed and validated every variant of `kernels/variants.toml` with
//! naga and left a typed table ([`VARIANTS`]); at run time the same preprocessor makes the variant
//! that a plan asks for, whose shapes the table cannot know.

use crate::record::KernelKey;

#[path = "../build/preprocess.rs"]
mod preprocess;

use preprocess::{Symbols, preprocess};

/// How a kernel uses a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    ReadWrite,
}

/// A variant that the build validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    pub kernel: &'static str,
    /// What it stands for: `q4 one token, subgroup`.
    pub title: &'static str,
    pub defines: &'static [(&'static str, u32)],
    /// As naga reflected them, in order of `@binding`.
    pub bindings: &'static [Access],
    pub workgroup_size: [u32; 3],
    /// Workgroup memory.
    pub workgroup_bytes: u32,
    pub subgroups: bool,
    pub f16: bool,
}

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

/// What a pipeline needs to know of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelInfo {
    pub bindings: Vec<Access>,
}

/// Whose WGSL?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// naga's, which refuses `enable subgroups;`.
    Naga,
    /// Browsers', which demand it.
    Browser,
}

/// The WGSL of a variant. None: no such kernel, or a symbol is missing.
pub fn source(key: &KernelKey, dialect: Dialect) -> Option<String> {
    let symbols: Symbols =
        key.defines.iter().map(|(name, value)| ((*name).to_owned(), i64::from(*value))).collect();
    let read = |path: &str| FILES.iter().find(|(file, _)| *file == path).map(|(_, text)| *text);
    let body = preprocess(&format!("{}.wgsl", key.name), &read, &symbols).ok()?;
    Some(match dialect {
        Dialect::Naga => body,
        Dialect::Browser => format!("{}{body}", directives(&body)),
    })
}

/// What a browser must be told before the first declaration.
fn directives(body: &str) -> String {
    let mut directives = String::new();
    if body.contains("subgroup") {
        directives.push_str("enable subgroups;\n");
    }
    if body.contains("dot4I8Packed(") {
        directives.push_str("requires packed_4x8_integer_dot_product;\n");
    }
    // naga accepts the directive itself, so that a kernel says `enable f16;`; it must stay first.
    directives
}

/// The bindings of a variant, read from its declarations.
pub fn info(key: &KernelKey) -> Option<KernelInfo> {
    let source = source(key, Dialect::Naga)?;
    let mut bindings: Vec<(u32, Access)> = source
        .lines()
        .filter_map(|line| {
            let (_, rest) = line.split_once("@binding(")?;
            let (index, rest) = rest.split_once(')')?;
            let access = if rest.contains("read_write") { Access::ReadWrite } else { Access::Read };
            Some((index.trim().parse().ok()?, access))
        })
        .collect();
    bindings.sort_by_key(|(index, _)| *index);
    Some(KernelInfo { bindings: bindings.into_iter().map(|(_, access)| access).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(variant: &Variant) -> KernelKey {
        KernelKey { name: variant.kernel, defines: variant.defines.to_vec() }
    }

    #[test]
    fn run_time_agrees_with_the_build() {
        assert!(!VARIANTS.is_empty());
        for variant in VARIANTS {
            let info = info(&key(variant)).expect(variant.title);
            assert_eq!(info.bindings, variant.bindings, "{} {}", variant.kernel, variant.title);
        }
    }

    #[test]
    fn a_browser_is_told_what_a_kernel_uses() {
        for variant in VARIANTS {
            let text = source(&key(variant), Dialect::Browser).expect(variant.title);
            assert_eq!(text.contains("enable subgroups;"), variant.subgroups, "{}", variant.title);
        }
    }

    #[test]
    fn unknown_kernels_and_missing_symbols_have_no_source() {
        let unknown = KernelKey { name: "no_such_kernel", defines: Vec::new() };
        assert_eq!(source(&unknown, Dialect::Naga), None);
        let bare = KernelKey { name: "linear", defines: Vec::new() };
        assert_eq!(source(&bare, Dialect::Naga), None);
    }
}
