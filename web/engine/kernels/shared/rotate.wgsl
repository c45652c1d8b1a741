// How does a vec4 of a query or key head stand once it is normed (qwen3, gemma3) and rotated by its
// position? A lane computes whole vec4s, for both halves of a pair are read and one is kept.
// Symbols: HEAD_DIM, ROPE_DIM (a multiple of 8), NEOX (pairs are halves, else neighbours), QK_NORM,
// EPSILON_BITS. The includer declares `qkv` (array<vec4<f32>>), `rope` (array<vec4<f32>>: cos, sin,
// cos, sin; [position][ROPE_DIM/4]) and, with QK_NORM, `norm_weight` (array<vec4<f32>>; of queries,
// then of keys).
#define D4 HEAD_DIM/4

#if QK_NORM
// What a head is multiplied by: 1/√(Σx²/HEAD_DIM + ε). `head_at` counts vec4s of `qkv`.
fn head_norm(head_at: u32) -> f32 {
  var squares = 0.0;
  for (var i = 0u; i < ${D4}u; i += 1u) { squares += dot(qkv[head_at + i], qkv[head_at + i]); }
  return inverseSqrt(squares / ${HEAD_DIM}.0 + bitcast<f32>(${EPSILON_BITS}u));
}
#endif

fn normed(head_at: u32, i: u32, norm: f32, is_key: bool) -> vec4<f32> {
#if QK_NORM
  return qkv[head_at + i] * norm * norm_weight[select(0u, ${D4}u, is_key) + i];
#else
  return qkv[head_at + i];
#endif
}

fn rotated(head_at: u32, i: u32, norm: f32, is_key: bool, position: u32) -> vec4<f32> {
  let plain = normed(head_at, i, norm, is_key);
#if ROPE_DIM < HEAD_DIM
  if (i >= ${ROPE_DIM/4}u) { return plain; }
#endif
#if NEOX
  let is_second = i >= ${ROPE_DIM/8}u;
  let turn_at = position * ${ROPE_DIM/4}u + select(i, i - ${ROPE_DIM/8}u, is_second) * 2u;
  let low = rope[turn_at];
  let high = rope[turn_at + 1u];
  let other = normed(head_at, select(i + ${ROPE_DIM/8}u, i - ${ROPE_DIM/8}u, is_second), norm, is_key);
  let sine = vec4<f32>(low.yw, high.yw);
  return plain * vec4<f32>(low.xz, high.xz) + other * select(-sine, sine, is_second);
#else
  let turn = rope[position * ${ROPE_DIM/4}u + i];
  return vec4<f32>(
    plain.x * turn.x - plain.y * turn.y, plain.x * turn.y + plain.y * turn.x,
    plain.z * turn.z - plain.w * turn.w, plain.z * turn.w + plain.w * turn.z);
#endif
}
