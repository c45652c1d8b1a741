// Σ of a value over a workgroup of LANES lanes, the same for all of them. The includer declares
// `sums` (workgroup memory, LANES floats). Called by all lanes.
fn sum_of_lanes(lane: u32, value: f32) -> f32 {
  sums[lane] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var other = 0u; other < ${LANES}u; other += 1u) { sum += sums[other]; }
  workgroupBarrier();
  return sum;
}
