// How fast does memory stream? Every lane adds up STEPS·4 vectors; neighbours read neighbours.
// symbols: LANES, STEPS.
@group(0) @binding(0) var<storage, read> data: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4<u32>>;

@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = group.x * ${LANES*STEPS*4}u + lane;
  var sum = vec4<u32>(0u);
  for (var step = 0u; step < ${STEPS}u; step += 1u) {
    let at = first + step * ${LANES*4}u;
#for I 0 4
    sum += data[at + ${I*LANES}u];
#end
  }
  sums[group.x * ${LANES}u + lane] = sum;
}
