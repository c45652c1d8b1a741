// How does a vec4 of keys or values lie in the cache? As floats of 16 bits (KV_HALF), half the memory
// and half the reading, or of 32. `pack2x16float` needs no device feature; what is larger than a half
// float holds is clamped to its largest.
#if KV_HALF
fn vec4_from_kv(words: vec2<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y));
}

fn kv_from_vec4(v: vec4<f32>) -> vec2<u32> {
  let held = clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0));
  return vec2<u32>(pack2x16float(held.xy), pack2x16float(held.zw));
}
#else
fn vec4_from_kv(v: vec4<f32>) -> vec4<f32> { return v; }
fn kv_from_vec4(v: vec4<f32>) -> vec4<f32> { return v; }
#endif
