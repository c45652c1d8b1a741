// How fast are multiply-adds from registers? DOT 0: float fused multiply-adds; 1: dot4I8Packed, four
// each. Chains are independent, so that latencies overlap; no product can be hoisted out of the
// loop. symbols: LANES, STEPS, DOT.
@group(0) @binding(0) var<storage, read> data: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4<u32>>;

@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let seed = data[lane];
#if DOT == 0
  let factor = bitcast<f32>((seed.x & 0x007fffffu) | 0x3f000000u);
  let added = bitcast<f32>((seed.y & 0x007fffffu) | 0x3f000000u);
#for I 0 8
  var sum_${I} = factor + ${I}.0;
#end
  for (var step = 0u; step < ${STEPS}u; step += 1u) {
#for R 0 4
#for I 0 8
    sum_${I} = fma(sum_${I}, factor, added);
#end
#end
  }
  sums[group.x * ${LANES}u + lane] = bitcast<vec4<u32>>(
    vec4<f32>(sum_0 + sum_4, sum_1 + sum_5, sum_2 + sum_6, sum_3 + sum_7));
#else
  // Two changing and four constant operands: eight products a step, as in a tile of 2 × 4.
  var left = seed.x;
  var right = seed.y;
#for I 0 8
  var sum_${I} = ${I}i;
#end
  for (var step = 0u; step < ${STEPS}u; step += 1u) {
#for I 0 4
    sum_${I} += dot4I8Packed(left, seed[${I}]);
    sum_${I+4} += dot4I8Packed(right, seed[${I}]);
#end
    left += 0x01010101u;
    right ^= step;
  }
  sums[group.x * ${LANES}u + lane] = bitcast<vec4<u32>>(
    vec4<i32>(sum_0 + sum_4, sum_1 + sum_5, sum_2 + sum_6, sum_3 + sum_7));
#endif
}
