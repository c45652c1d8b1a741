// Asks for subgroups wherever the adapter has them: wgpu 30 knows no name for the feature in a
// browser (gfx-rs/wgpu#10146), so that no device it requests would have it. Runs before the Wasm.

const Adapter = globalThis.GPUAdapter;
if (Adapter) {
  const requestDevice = Adapter.prototype.requestDevice;
  Adapter.prototype.requestDevice = function (descriptor = {}) {
    const requiredFeatures = new Set(descriptor.requiredFeatures ?? []);
    if (this.features.has("subgroups")) requiredFeatures.add("subgroups");
    return requestDevice.call(this, { ...descriptor, requiredFeatures: [...requiredFeatures] });
  };
}
