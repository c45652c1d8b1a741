// Where do queries, keys and values of new tokens go? A workgroup takes one head of one token:
// optional RMS norm over the head (qwen3, gemma3), rotation by position, then queries to `q`, keys
// and values in place into the cache. `reference/rope_kv.rs` is the CPU twin.
//
// Keys lie `[kv_head][dim/4][position]` and values `[kv_head][position][dim/4]`, both of vec4: the
// attention's lanes own positions of keys and dims of values, so that neighbours read neighbours.
//
// symbols: HEAD_DIM, N_HEADS, N_KV_HEADS, ROPE_DIM, NEOX (pairs are halves, else neighbours),
// QK_NORM, EPSILON_BITS, N_CTX.
#define LANES 32
#define BINDING 6
// [0] tokens of this submit, [2] position of the first.
@group(0) @binding(0) var<storage, read> params: array<u32>;
// [token][(N_HEADS + 2·N_KV_HEADS)·HEAD_DIM]
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
// (cos, sin): [position][ROPE_DIM/2]
@group(0) @binding(2) var<storage, read> rope: array<vec2<f32>>;
// [token][N_HEADS·HEAD_DIM]
@group(0) @binding(3) var<storage, read_write> q: array<f32>;
@group(0) @binding(4) var<storage, read_write> k_cache: array<f32>;
@group(0) @binding(5) var<storage, read_write> v_cache: array<vec4<f32>>;
#if QK_NORM
// Of queries, then of keys: [2][HEAD_DIM]
@group(0) @binding(6) var<storage, read> norm_weight: array<f32>;
var<workgroup> squares: array<f32, ${LANES}>;
#endif

@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let slot = group.x;
  let token = group.y;
  let position = params[2] + token;
  if (token >= params[0] || position >= ${N_CTX}u) { return; }
  let head_at = (token * ${N_HEADS + 2*N_KV_HEADS}u + slot) * ${HEAD_DIM}u;

  if (slot >= ${N_HEADS + N_KV_HEADS}u) {
    let kv_head = slot - ${N_HEADS + N_KV_HEADS}u;
    for (var d = lane; d < ${HEAD_DIM/4}u; d += ${LANES}u) {
      let at = head_at + d * 4u;
      v_cache[(kv_head * ${N_CTX}u + position) * ${HEAD_DIM/4}u + d] =
        vec4<f32>(qkv[at], qkv[at + 1u], qkv[at + 2u], qkv[at + 3u]);
    }
    return;
  }

  let is_key = slot >= ${N_HEADS}u;
#if QK_NORM
  var sum = 0.0;
  for (var d = lane; d < ${HEAD_DIM}u; d += ${LANES}u) {
    let value = qkv[head_at + d];
    sum = fma(value, value, sum);
  }
  squares[lane] = sum;
  workgroupBarrier();
  sum = 0.0;
  for (var other = 0u; other < ${LANES}u; other += 1u) { sum += squares[other]; }
  let norm = inverseSqrt(sum / ${HEAD_DIM}.0 + bitcast<f32>(${EPSILON_BITS}u));
  let weight_at = select(0u, ${HEAD_DIM}u, is_key);
#endif

  // Rotated pairs first, then pairs of what is not rotated.
  for (var pair = lane; pair < ${HEAD_DIM/2}u; pair += ${LANES}u) {
    let is_rotated = pair < ${ROPE_DIM/2}u;
#if NEOX
    let first = select(pair * 2u, pair, is_rotated);
    let second = select(pair * 2u + 1u, pair + ${ROPE_DIM/2}u, is_rotated);
#else
    let first = pair * 2u;
    let second = first + 1u;
#endif
    var a = qkv[head_at + first];
    var b = qkv[head_at + second];
#if QK_NORM
    a *= norm * norm_weight[weight_at + first];
    b *= norm * norm_weight[weight_at + second];
#endif
    if (is_rotated) {
      let turn = rope[position * ${ROPE_DIM/2}u + pair];
      let turned = a * turn.x - b * turn.y;
      b = a * turn.y + b * turn.x;
      a = turned;
    }
    if (is_key) {
      let kv_at = (slot - ${N_HEADS}u) * ${HEAD_DIM/4}u;
      k_cache[((kv_at + first / 4u) * ${N_CTX}u + position) * 4u + first % 4u] = a;
      k_cache[((kv_at + second / 4u) * ${N_CTX}u + position) * 4u + second % 4u] = b;
    } else {
      let q_at = (token * ${N_HEADS}u + slot) * ${HEAD_DIM}u;
      q[q_at + first] = a;
      q[q_at + second] = b;
    }
  }
}
