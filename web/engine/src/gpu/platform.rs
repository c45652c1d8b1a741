//! Where do the browser and native differ? Only here: how a device's granted features are read, how
//! a result is awaited, and where the time comes from.

#[cfg(target_arch = "wasm32")]
pub(crate) use browser::*;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::*;

/// What a device knows about itself beyond what wgpu reports.
#[derive(Clone, Debug, Default)]
pub(crate) struct Granted {
    pub subgroups: bool,
    pub vendor: String,
    pub architecture: String,
    pub description: String,
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use super::Granted;
    use crate::EngineError;

    pub(crate) const DIALECT: crate::kernels::Dialect = crate::kernels::Dialect::Naga;

    /// After [`drive`] every callback of the submission has fired.
    pub(crate) const DRIVES: bool = true;

    /// wgpu's native features are complete; Metal only expands `dot4I8Packed` into scalars.
    pub(crate) fn granted(device: &wgpu::Device, info: &wgpu::AdapterInfo) -> Granted {
        Granted {
            subgroups: device.features().contains(wgpu::Features::SUBGROUP),
            vendor: format!("{:#06x}", info.vendor),
            architecture: info.driver.clone(),
            description: info.name.clone(),
        }
    }

    pub(crate) fn wanted_features() -> wgpu::Features {
        wgpu::Features::SUBGROUP | wgpu::Features::SHADER_F16
    }

    /// Blocks until `submission` (or all of them) has run, so that its callbacks have fired.
    pub(crate) fn drive(
        device: &wgpu::Device,
        submission: Option<wgpu::SubmissionIndex>,
    ) -> Result<(), EngineError> {
        device
            .poll(wgpu::PollType::Wait { submission_index: submission, timeout: None })
            .map(drop)
            .map_err(|error| EngineError::DeviceLost { reason: error.to_string() })
    }

    /// A kernel whose compilation was begun; here it is done when it is asked for.
    pub(crate) struct Compiling;

    #[expect(clippy::unnecessary_wraps, reason = "the browser's twin can fail")]
    pub(crate) fn begin(
        _device: &wgpu::Device,
        descriptors: &[wgpu::ComputePipelineDescriptor<'_>],
    ) -> Result<Vec<Compiling>, EngineError> {
        Ok(descriptors.iter().map(|_| Compiling).collect())
    }

    /// The pipelines of `descriptors`, begun as `compiling`.
    #[expect(clippy::unused_async, reason = "the browser's twin waits")]
    pub(crate) async fn compiled(
        device: &wgpu::Device,
        descriptors: &[wgpu::ComputePipelineDescriptor<'_>],
        _compiling: &[&Compiling],
    ) -> Result<Vec<wgpu::ComputePipeline>, EngineError> {
        Ok(descriptors.iter().map(|one| device.create_compute_pipeline(one)).collect())
    }

    /// Milliseconds from an arbitrary start.
    pub(crate) fn now_ms() -> f64 {
        use std::sync::OnceLock;
        use std::time::Instant;
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3
    }
}

#[cfg(target_arch = "wasm32")]
mod browser {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;

    use js_sys::{Array, Function, Object, Promise, Reflect};
    use wasm_bindgen::closure::Closure;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;

    use super::Granted;
    use crate::EngineError;

    pub(crate) const DIALECT: crate::kernels::Dialect = crate::kernels::Dialect::Browser;

    /// Callbacks fire when the browser likes.
    pub(crate) const DRIVES: bool = false;

    fn get(object: &JsValue, name: &str) -> JsValue {
        Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
    }

    /// Reads the JS device: the page's shim adds `subgroups` to `requestDevice`, which wgpu neither
    /// asks for nor reports.
    pub(crate) fn granted(device: &wgpu::Device, _info: &wgpu::AdapterInfo) -> Granted {
        let Some(device) = device.as_webgpu() else { return Granted::default() };
        let device: &JsValue = device.as_ref();
        let features = get(device, "features");
        let subgroups = get(&features, "has")
            .dyn_into::<Function>()
            .and_then(|has| has.call1(&features, &JsValue::from_str("subgroups")))
            .is_ok_and(|answer| answer.is_truthy());
        let info = get(device, "adapterInfo");
        let text = |name| get(&info, name).as_string().unwrap_or_default();
        Granted {
            subgroups,
            vendor: text("vendor"),
            architecture: text("architecture"),
            description: text("description"),
        }
    }

    pub(crate) fn wanted_features() -> wgpu::Features {
        wgpu::Features::SHADER_F16
    }

    /// The browser drives its queue itself.
    #[expect(clippy::unnecessary_wraps, reason = "the native twin can fail")]
    pub(crate) fn drive(
        _device: &wgpu::Device,
        _submission: Option<wgpu::SubmissionIndex>,
    ) -> Result<(), EngineError> {
        Ok(())
    }

    /// A kernel that the browser is compiling: a promise that is never refused.
    pub(crate) struct Compiling(Promise);

    /// Has the browser compile kernels beside each other: `createComputePipelineAsync` spreads them
    /// over its threads and leaves its GPU thread free for uploads, while `createComputePipeline`,
    /// the only one that wgpu speaks, compiles one after the other on that thread.
    ///
    /// wgpu calls the function that it finds on the device. For the length of a call that is one of
    /// ours: here it writes down the descriptors that wgpu makes, in [`compiled`] it hands wgpu the
    /// pipelines that the browser has made of them.
    ///
    /// # Errors
    /// [`EngineError::Internal`] where the device is not what WebGPU says.
    pub(crate) fn begin(
        device: &wgpu::Device,
        descriptors: &[wgpu::ComputePipelineDescriptor<'_>],
    ) -> Result<Vec<Compiling>, EngineError> {
        let raw = raw(device)?;
        let noted: Rc<RefCell<Vec<JsValue>>> = Rc::default();
        let notes = noted.clone();
        let note = move |descriptor: JsValue| {
            notes.borrow_mut().push(descriptor);
            // Stands for the pipeline in a wgpu object that is dropped unused.
            JsValue::from(Object::new())
        };
        let _: Vec<_> = instead_of_creating(raw, note, || create(device, descriptors))?;
        let begin =
            get(raw, "createComputePipelineAsync").dyn_into::<Function>().map_err(refused)?;
        noted
            .borrow()
            .iter()
            .map(|descriptor| {
                let promise: Promise =
                    begin.call1(raw, descriptor).map_err(refused)?.unchecked_into();
                Ok(Compiling(Promise::all_settled(&Array::of1(&promise))))
            })
            .collect()
    }

    /// The pipelines of `descriptors`, begun as `compiling`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] names a kernel that the browser refuses.
    pub(crate) async fn compiled(
        device: &wgpu::Device,
        descriptors: &[wgpu::ComputePipelineDescriptor<'_>],
        compiling: &[&Compiling],
    ) -> Result<Vec<wgpu::ComputePipeline>, EngineError> {
        let mut pipelines = VecDeque::new();
        for Compiling(settled) in compiling {
            let settled = JsFuture::from(settled.clone()).await.map_err(refused)?;
            let settled = Array::from(&settled).get(0);
            let reason = get(&settled, "reason");
            if !reason.is_undefined() {
                return Err(refused(reason));
            }
            pipelines.push_back(get(&settled, "value"));
        }
        let pipelines = RefCell::new(pipelines);
        let hand_out = move |_| pipelines.borrow_mut().pop_front().unwrap_or(JsValue::UNDEFINED);
        instead_of_creating(raw(device)?, hand_out, || create(device, descriptors))
    }

    fn raw(device: &wgpu::Device) -> Result<&JsValue, EngineError> {
        let raw = device.as_webgpu().ok_or_else(|| EngineError::internal("no WebGPU device"))?;
        Ok(raw.as_ref())
    }

    fn create(
        device: &wgpu::Device,
        descriptors: &[wgpu::ComputePipelineDescriptor<'_>],
    ) -> Vec<wgpu::ComputePipeline> {
        descriptors.iter().map(|one| device.create_compute_pipeline(one)).collect()
    }

    /// Runs `work` while `device.createComputePipeline` is `function`.
    fn instead_of_creating<T>(
        device: &JsValue,
        function: impl Fn(JsValue) -> JsValue + 'static,
        work: impl FnOnce() -> T,
    ) -> Result<T, EngineError> {
        const NAME: &str = "createComputePipeline";
        let function = Closure::<dyn Fn(JsValue) -> JsValue>::new(function);
        // An own property hides the prototype's method until it is deleted.
        Reflect::set(device, &NAME.into(), function.as_ref()).map_err(refused)?;
        let result = work();
        Reflect::delete_property(device.unchecked_ref::<Object>(), &NAME.into())
            .map_err(refused)?;
        Ok(result)
    }

    fn refused(error: JsValue) -> EngineError {
        let message = get(&error, "message").as_string().unwrap_or_else(|| format!("{error:?}"));
        EngineError::internal(message)
    }

    /// Milliseconds since the worker started.
    pub(crate) fn now_ms() -> f64 {
        let performance = get(&js_sys::global(), "performance");
        get(&performance, "now")
            .dyn_into::<Function>()
            .and_then(|now| now.call0(&performance))
            .ok()
            .and_then(|ms| ms.as_f64())
            .unwrap_or_else(js_sys::Date::now)
    }
}
