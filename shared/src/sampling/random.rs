//! A random number without state, from 32-bit integer operations only.

/// A number in `[0, 1)` for a seed and a counter.
///
/// The generator is `pcg3d` of M. Jarzynski and M. Olano, "Hash Functions for GPU Rendering",
/// Journal of Computer Graphics Techniques 9(3), 2020, over (low half of the seed, high half of the
/// seed, counter): 12 multiplications, no 64-bit or multiply-high operation, so WGSL computes it
/// with the same bits. The number is the upper 24 bits of the first word, which `f32` holds exactly:
///
/// ```wgsl
/// fn uniform(seed: vec2<u32>, step: u32) -> f32 { // seed.x: the low half
///     var v = vec3<u32>(seed, step) * 1664525u + 1013904223u;
///     v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
///     v ^= v >> vec3<u32>(16u);
///     v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
///     return f32(v.x >> 8u) * (1.0 / 16777216.0);
/// }
/// ```
pub fn uniform(seed: u64, step: u32) -> f32 {
    let mut v = [seed as u32, (seed >> 32) as u32, step]
        .map(|word| word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    mix(&mut v);
    v = v.map(|word| word ^ (word >> 16));
    mix(&mut v);
    (v[0] >> 8) as f32 * (1.0 / 16_777_216.0)
}

fn mix(v: &mut [u32; 3]) {
    v[0] = v[0].wrapping_add(v[1].wrapping_mul(v[2]));
    v[1] = v[1].wrapping_add(v[2].wrapping_mul(v[0]));
    v[2] = v[2].wrapping_add(v[0].wrapping_mul(v[1]));
}
