// What do the runs of positions that `attention.wgsl` took apart make together? A workgroup joins
// one head of one token and writes its blocks of the next bundle. `reference/attention.rs` is the
// CPU twin of both.
//
// symbols: HEAD_DIM, N_HEADS, N_CTX, WINDOW, CHUNK, MAX_SPLITS; NEXT, NEXT_COLS, NEXT_BLOCKS_AT.
#define D4 HEAD_DIM/4
#define NEXT_NORM 0
@group(0) @binding(0) var<storage, read> params: array<u32>;
@group(0) @binding(1) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> next: array<u32>;
var<workgroup> values: array<vec4<f32>, ${D4}>;
#include "shared/bundle_out.wgsl"

@compute @workgroup_size(${D4})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = group.x;
  let token = group.y;
  if (token >= params[0]) { return; }
  let position = min(params[2] + token, ${N_CTX-1}u);
#if WINDOW
  let first = (max(position, ${WINDOW-1}u) - ${WINDOW-1}u) / ${CHUNK}u;
#else
  let first = 0u;
#endif
  let end = position / ${CHUNK}u + 1u;
  let row_at = (token * ${N_HEADS}u + head) * ${MAX_SPLITS}u;
  var largest = -1e30;
  for (var split = first; split < end; split += 1u) {
    largest = max(largest, partial[(row_at + split) * ${D4+1}u].x);
  }
  var total = 0.0;
  var sum = vec4<f32>(0.0);
  for (var split = first; split < end; split += 1u) {
    let at = (row_at + split) * ${D4+1}u;
    let state = partial[at];
    let weight = exp(state.x - largest);
    total = fma(weight, state.y, total);
    sum = fma(vec4<f32>(weight), partial[at + 1u + lane], sum);
  }
  values[lane] = sum * (1.0 / total);
  workgroupBarrier();
  if (lane < ${HEAD_DIM/32}u) {
    write_block(token, head * ${HEAD_DIM/32}u + lane, lane * 8u);
  }
}
