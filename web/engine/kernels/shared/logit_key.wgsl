// Logits as unsigned numbers of the same order; NaN is the smallest, −0 is 0. Whole numbers because
// WGSL lets a compiler assume that there are no NaN.
fn key_from_logit(logit: f32) -> u32 {
  var bits = bitcast<u32>(logit);
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0u; }
  if (bits == 0x80000000u) { bits = 0u; }
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn logit_from_key(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}
