// What is W·x, with everything that stands around it? One weight format for a run of rows.
//
// A workgroup owns ROWS = LANES·ROWS_PER_LANE rows and TOKENS tokens. A lane owns rows: it reads and
// dequantises its own weights once and multiplies them with every token, so no weight passes
// through workgroup memory; the inputs are the same for all lanes and are broadcast. SPLIT groups
// of lanes share the blocks of a row. `reference/linear.rs` is the CPU twin.
//
// symbols: see `src/linear/symbols.rs`.

#define ROWS LANES*ROWS_PER_LANE
#define WORKGROUP LANES*SPLIT
#define BINDING 2

@group(0) @binding(0) var<storage, read> weight4: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> weight1: array<u32>;
#include "shared/unpack.wgsl"
#include "shared/bundle_in.wgsl"
#if TOKENS > 1 || PICK_TOKEN
@group(0) @binding(${BINDING}) var<storage, read> params: array<u32>;
#define BINDING BINDING+1
#endif
#if OUTPUT == 0
@group(0) @binding(${BINDING}) var<storage, read_write> y: array<f32>;
#define BINDING BINDING+1
#elif OUTPUT == 1
@group(0) @binding(${BINDING}) var<storage, read_write> x: array<f32>;
#define BINDING BINDING+1
#endif
#if BIAS
@group(0) @binding(${BINDING}) var<storage, read> bias: array<f32>;
#define BINDING BINDING+1
#endif
#if NEXT
@group(0) @binding(${BINDING}) var<storage, read_write> next: array<u32>;
#define BINDING BINDING+1
#if NEXT_NORM
@group(0) @binding(${BINDING}) var<storage, read> norm_weight: array<f32>;
#define BINDING BINDING+1
#endif
#endif

#define PARTIALS_AT 0
#define RESULTS_AT SPLIT*TOKENS*ROWS*SETS
#define SUMS_AT RESULTS_AT
#if NEXT
#define SUMS_AT RESULTS_AT + TOKENS*ROWS
#endif
#if !SUBGROUP && (SPLIT > 1 || NEXT || NORM)
var<workgroup> scratch: array<f32, ${SUMS_AT + WORKGROUP}>;
#endif

#if OUTPUT == 2
fn gate(v: f32) -> f32 {
#if GATE == 0
  return v / (1.0 + exp(-v));
#else
  // tanh saturates long before its argument overflows exp.
  let inner = clamp(0.7978845608 * (v + 0.044715 * v * v * v), -15.0, 15.0);
  return 0.5 * v * (1.0 + tanh(inner));
#endif
}
#endif

#if OUTPUT == 3
// GELU by the error function: Abramowitz & Stegun, 7.1.26, within 1.5e-7.
fn activated(v: f32) -> f32 {
  let z = abs(v) * 0.7071067812;
  let t = 1.0 / fma(0.3275911, z, 1.0);
  let sum = t * fma(t, fma(t, fma(t, fma(t, 1.061405429, -1.453152027), 1.421413741), -0.284496736), 0.254829592);
  let erf = 1.0 - sum * exp(-z * z);
  return 0.5 * v * (1.0 + select(erf, -erf, v < 0.0));
}
#endif

@compute @workgroup_size(${WORKGROUP})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let lane = local % ${LANES}u;
#if SPLIT > 1
  let split = local / ${LANES}u;
#endif
#if TOKENS > 1
  let n_tokens = min(params[0], ${MAX_TOKENS}u);
  let token0 = group.y * ${TOKENS}u;
  if (token0 >= n_tokens) { return; }
#for T 0 TOKENS
  let token_${T} = min(token0 + ${T}u, n_tokens - 1u);
#end
#elif PICK_TOKEN
  let token_0 = min(params[1], ${MAX_TOKENS-1}u);
#else
  let token_0 = 0u;
#endif

  // y_S_I_T: weight set S (gate, up), row I of this lane, token T.
#for S 0 SETS
#for I 0 ROWS_PER_LANE
#for T 0 TOKENS
  var y_${S}_${I}_${T} = 0.0;
#end
#end
#end
  var row0 = group.x * ${ROWS}u;
  var out_at = 0u;
  var n_rows = 0u;

#if SETS == 2
  #define SEGMENT 0
  #include "shared/linear_blocks.wgsl"
  n_rows = ${SEG_ROWS0}u;
  out_at = ${SEG_OUT0}u;
#else
  // Which run of rows: uniform over the workgroup.
#for SEGMENT 0 SEGMENTS
#if SEGMENT > 0
  else
#endif
#if SEGMENT + 1 < SEGMENTS
  if (row0 < ${SEG_END[SEGMENT]}u)
#endif
  {
#if SEGMENT > 0
    row0 -= ${SEG_END[SEGMENT-1]}u;
#endif
    #include "shared/linear_blocks.wgsl"
    n_rows = ${SEG_ROWS[SEGMENT]}u;
    out_at = ${SEG_OUT[SEGMENT]}u;
  }
#end
#endif

#if SUBGROUP
  #include "shared/linear_end_subgroup.wgsl"
#else
  #include "shared/linear_end_workgroup.wgsl"
#endif
}
