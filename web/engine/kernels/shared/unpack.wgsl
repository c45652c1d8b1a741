// Four signed or unsigned bytes as floats. Shifts by constants: cheaper on software adapters than
// unpack4xI8, which is expanded into bit-field extractions.
fn floats_from_i8(v: u32) -> vec4<f32> {
  return vec4<f32>(
    (bitcast<vec4<i32>>(vec4<u32>(v << 24u, v << 16u, v << 8u, v)) >> vec4<u32>(24u)));
}

fn floats_from_u8(v: u32) -> vec4<f32> {
  return vec4<f32>(
    f32(v & 0xffu), f32((v >> 8u) & 0xffu), f32((v >> 16u) & 0xffu), f32(v >> 24u));
}

// The low four bits of each byte.
fn floats_from_low(v: u32) -> vec4<f32> {
  return vec4<f32>(
    f32(v & 0xfu), f32((v >> 8u) & 0xfu), f32((v >> 16u) & 0xfu), f32((v >> 24u) & 0xfu));
}

fn floats_from_high(v: u32) -> vec4<f32> {
  return vec4<f32>(
    f32((v >> 4u) & 0xfu), f32((v >> 12u) & 0xfu), f32((v >> 20u) & 0xfu), f32(v >> 28u));
}

// Bytes 0…63 less 32, each in its own byte, as signed bytes.
fn less_32(v: u32) -> u32 {
  return ((v | 0x80808080u) - 0x20202020u) ^ 0x80808080u;
}
