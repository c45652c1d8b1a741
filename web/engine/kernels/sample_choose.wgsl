// Which token comes next? The exact choice that `portico_shared::sampling` defines: the top k
// sorted by logit, then by id, top-p and min-p over their weights, one draw. Greedy is k = 1. The
// token becomes the next step's input without passing the CPU. One workgroup.
//
// symbols: N_VOCAB, GROUPS (at most 1024), LANES, SOFTCAP_BITS (0: none), CAPACITY of the list of
// candidates (64 and what ties with the last of them).
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> group_keys: array<u32>;
// top_k, temperature, top_p, min_p (bits of floats), low and high half of the seed
@group(0) @binding(2) var<storage, read> sampling: array<u32>;
// [0] tokens of this submit, [1] the last of them, [2] position of the first: set for the next.
@group(0) @binding(3) var<storage, read_write> params: array<u32>;
@group(0) @binding(4) var<storage, read_write> token_ids: array<u32>;
// The token and its position, for the CPU.
@group(0) @binding(5) var<storage, read_write> sampled: array<u32>;
#include "shared/logit_key.wgsl"

const TOP_K_MAX: u32 = 64u;
// −∞: no candidate, as NaN.
const NO_CANDIDATE: u32 = 0x007fffffu;

var<workgroup> keys: array<u32, ${GROUPS}>;
var<workgroup> groups: array<u32, ${GROUPS}>;
var<workgroup> n_groups: atomic<u32>;
var<workgroup> threshold: u32;
var<workgroup> candidate_keys: array<u32, ${CAPACITY}>;
var<workgroup> candidate_ids: array<u32, ${CAPACITY}>;
var<workgroup> n_candidates: atomic<u32>;
var<workgroup> best_keys: array<u32, TOP_K_MAX>;
var<workgroup> best_ids: array<u32, TOP_K_MAX>;
var<workgroup> best_weights: array<f32, TOP_K_MAX>;

fn uniform_number(seed: vec2<u32>, step: u32) -> f32 {
  var v = vec3<u32>(seed, step) * 1664525u + 1013904223u;
  v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
  v ^= v >> vec3<u32>(16u);
  v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
  return f32(v.x >> 8u) * (1.0 / 16777216.0);
}

fn logit(rank: u32) -> f32 {
  let plain = logit_from_key(best_keys[rank]);
#if SOFTCAP_BITS
  let cap = bitcast<f32>(${SOFTCAP_BITS}u);
  return cap * tanh(clamp(plain / cap, -15.0, 15.0));
#else
  return plain;
#endif
}

// Ranks of candidates that top-p and min-p keep, then the draw; `n` > 0.
fn choose(n: u32, step: u32) -> u32 {
  let top_p = bitcast<f32>(sampling[2]);
  let min_p = bitcast<f32>(sampling[3]);
  var kept = n;
  if (top_p < 1.0) {
    var total = 0.0;
    for (var i = 0u; i < n; i += 1u) { total += best_weights[i]; }
    var mass = 0.0;
    for (var i = 0u; i < n; i += 1u) {
      mass += best_weights[i];
      if (mass >= top_p * total) { kept = i + 1u; break; }
    }
  }
  if (min_p > 0.0) {
    var reaching = 0u;
    while (reaching < kept && best_weights[reaching] >= min_p) { reaching += 1u; }
    kept = reaching;
  }
  var total = 0.0;
  for (var i = 0u; i < kept; i += 1u) { total += best_weights[i]; }
  let bound = uniform_number(vec2<u32>(sampling[4], sampling[5]), step) * total;
  var sum = 0.0;
  for (var i = 0u; i < kept; i += 1u) {
    sum += best_weights[i];
    if (sum > bound) { return best_ids[i]; }
  }
  return best_ids[max(kept, 1u) - 1u];
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_index) lane: u32) {
  let top_k = clamp(sampling[0], 1u, TOP_K_MAX);
  for (var i = lane; i < ${GROUPS}u; i += ${LANES}u) { keys[i] = group_keys[i]; }
  if (lane == 0u) {
    atomicStore(&n_groups, 0u);
    atomicStore(&n_candidates, 0u);
  }
  if (lane < TOP_K_MAX) { best_keys[lane] = 0u; }
  workgroupBarrier();

  // The group key of rank top_k − 1; equal ones rank by index.
  for (var i = lane; i < ${GROUPS}u; i += ${LANES}u) {
    let key = keys[i];
    var rank = 0u;
    for (var other = 0u; other < ${GROUPS}u; other += 1u) {
      let other_key = keys[other];
      rank += u32(other_key > key || (other_key == key && other < i));
    }
    if (rank == top_k - 1u) { threshold = max(key, NO_CANDIDATE + 1u); }
  }
  workgroupBarrier();
  let least = threshold;
  for (var i = lane; i < ${GROUPS}u; i += ${LANES}u) {
    if (keys[i] >= least) { groups[atomicAdd(&n_groups, 1u)] = i; }
  }
  workgroupBarrier();
  let n_items = atomicLoad(&n_groups) * ${(N_VOCAB+GROUPS-1)/GROUPS}u;
  for (var item = lane; item < n_items; item += ${LANES}u) {
    let id = groups[item / ${(N_VOCAB+GROUPS-1)/GROUPS}u] + item % ${(N_VOCAB+GROUPS-1)/GROUPS}u * ${GROUPS}u;
    if (id < ${N_VOCAB}u) {
      let key = key_from_logit(logits[id]);
      if (key >= least) {
        let slot = atomicAdd(&n_candidates, 1u);
        if (slot < ${CAPACITY}u) {
          candidate_keys[slot] = key;
          candidate_ids[slot] = id;
        }
      }
    }
  }
  workgroupBarrier();
  let n = min(atomicLoad(&n_candidates), ${CAPACITY}u);
  for (var i = lane; i < n; i += ${LANES}u) {
    let key = candidate_keys[i];
    let id = candidate_ids[i];
    var rank = 0u;
    for (var other = 0u; other < n; other += 1u) {
      let other_key = candidate_keys[other];
      rank += u32(other_key > key || (other_key == key && candidate_ids[other] < id));
    }
    if (rank < top_k) {
      best_keys[rank] = key;
      best_ids[rank] = id;
    }
  }
  workgroupBarrier();
  let n_best = min(n, top_k);
  if (lane < n_best) {
    let difference = logit(lane) - logit(0u);
    best_weights[lane] = select(
      exp(difference / bitcast<f32>(sampling[1])), 1.0, best_keys[lane] == best_keys[0]);
  }
  workgroupBarrier();
  if (lane == 0u) {
    let position = params[2] + params[0];
    var token = 0xffffffffu;
    if (n_best > 0u) { token = choose(n_best, position); }
    token_ids[0] = token;
    params[0] = 1u;
    params[1] = 0u;
    params[2] = position;
    sampled[0] = token;
    sampled[1] = position;
  }
}
