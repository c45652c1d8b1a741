//! Which instructions does this CPU have?

/// A family of kernels. Outside of this crate only detection makes one, so that none is run that the
/// CPU has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// Rust as the target's baseline has it; on aarch64 that is NEON by the compiler.
    Plain,
    /// x86-64 with AVX2, FMA and F16C.
    #[non_exhaustive]
    Avx2,
    /// x86-64 with AVX-512 F, BW, VL, DQ and VNNI.
    #[non_exhaustive]
    Avx512,
    /// aarch64 with the dot product; what has no kernel of its own is the plain one there.
    #[non_exhaustive]
    NeonDot,
}

impl Isa {
    /// The best one here.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c");
            let has_avx512 = has_avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vnni");
            if has_avx512 {
                return Self::Avx512;
            }
            if has_avx2 {
                return Self::Avx2;
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("dotprod") {
            return Self::NeonDot;
        }
        Self::Plain
    }

    /// Every one that this CPU can run, the plain one first.
    pub fn all_here() -> Vec<Self> {
        let best = Self::detect();
        [Self::Plain, Self::Avx2, Self::Avx512, Self::NeonDot]
            .into_iter()
            .filter(|&isa| match isa {
                Self::Plain => true,
                Self::Avx2 => matches!(best, Self::Avx2 | Self::Avx512),
                Self::Avx512 | Self::NeonDot => best == isa,
            })
            .collect()
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Avx2 => "AVX2",
            Self::Avx512 => "AVX-512 VNNI",
            Self::NeonDot => "NEON with dot products",
        }
    }
}
