// Four bytes as floats: masked where they stand, converted, and scaled by a power of two, all exact.
// No shifts: SwiftShader computes those lane by lane, which cost half of a prefill.
const FROM_BYTE = vec4<f32>(1.0, 0x1p-8, 0x1p-16, 0x1p-24);
const BYTES = vec4<u32>(0xffu, 0xff00u, 0xff0000u, 0xff000000u);

// Signed bytes. The lower three are made unsigned by a bias, the highest one keeps its sign.
fn floats_from_i8(v: u32) -> vec4<f32> {
  let biased = bitcast<vec4<i32>>(vec4<u32>(v ^ 0x00808080u) & BYTES);
  return fma(vec4<f32>(biased), FROM_BYTE, vec4<f32>(-128.0, -128.0, -128.0, 0.0));
}

// Bytes 0…127.
fn floats_from_u7(v: u32) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(v) & BYTES)) * FROM_BYTE;
}

// The low or the high four bits of each byte where they stand: to be multiplied by FROM_LOW or
// FROM_HIGH. Only the highest ones need a conversion of unsigned numbers.
const FROM_LOW = FROM_BYTE;
const FROM_HIGH = FROM_BYTE * 0x1p-4;

fn low_in_place(v: u32) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(v) & (BYTES & vec4<u32>(0x0f0f0f0fu))));
}

fn high_in_place(v: u32) -> vec4<f32> {
  let lower = vec3<f32>(bitcast<vec3<i32>>(vec3<u32>(v) & vec3<u32>(0xf0u, 0xf000u, 0xf00000u)));
  return vec4<f32>(lower, f32(v & 0xf0000000u));
}

// Bytes 0…63 less 32, each in its own byte, as signed bytes.
fn less_32(v: u32) -> u32 {
  return ((v | 0x80808080u) - 0x20202020u) ^ 0x80808080u;
}
