//! How is a recording replayed? Pipelines and bind groups are made once; a replay only sets and
//! dispatches them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Buffers, Gpu, Pending, Staging, platform};
use crate::EngineError;
use crate::kernels::{self, Access};
use crate::plan::Planned;
use crate::record::{Binding, BufferId, Dispatch, KernelKey};

struct Pipeline {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

struct Step {
    pipeline: Arc<Pipeline>,
    bind_group: Arc<wgpu::BindGroup>,
    workgroups: [u32; 3],
    token_axis: Option<usize>,
    label: String,
}

/// A list of dispatches, ready to be replayed.
pub(crate) struct Program {
    steps: Vec<Step>,
}

/// A program and the share of its recorded tokens that a submit computes.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub program: &'a Program,
    pub n_tokens: u32,
    /// What the program was recorded for; a multiple of every workgroup's tokens.
    pub max_tokens: u32,
}

impl<'a> Run<'a> {
    /// All that was recorded.
    pub fn whole(program: &'a Program) -> Self {
        Self { program, n_tokens: 1, max_tokens: 1 }
    }

    fn workgroups(&self, step: &Step) -> [u32; 3] {
        let mut workgroups = step.workgroups;
        if let Some(axis) = step.token_axis {
            workgroups[axis] = (workgroups[axis] * self.n_tokens).div_ceil(self.max_tokens);
        }
        workgroups
    }
}

impl Program {
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.label.as_str())
    }
}

/// What a pipeline is compiled from.
struct Parts {
    module: wgpu::ShaderModule,
    layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
}

impl Parts {
    fn descriptor(&self, key: &KernelKey) -> wgpu::ComputePipelineDescriptor<'_> {
        wgpu::ComputePipelineDescriptor {
            label: Some(key.name),
            layout: Some(&self.pipeline_layout),
            module: &self.module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                // Every kernel writes its workgroup memory before it reads it.
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        }
    }
}

fn parts(device: &wgpu::Device, key: &KernelKey) -> Result<Parts, EngineError> {
    let unknown = || EngineError::internal(format!("no kernel {key:?}"));
    let info = kernels::info(key).ok_or_else(unknown)?;
    let source = kernels::source(key, platform::DIALECT).ok_or_else(unknown)?;
    // SAFETY: the kernels are this crate's own, validated by naga when it was built and tested
    // against their CPU twins: indices are guarded by shapes, loops end and divisors are not
    // zero. naga's own guards cost up to a hundredfold (gfx-rs/wgpu#7698).
    let module = unsafe {
        device.create_shader_module_trusted(
            wgpu::ShaderModuleDescriptor {
                label: Some(key.name),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            },
            wgpu::ShaderRuntimeChecks::unchecked(),
        )
    };
    let entries: Vec<wgpu::BindGroupLayoutEntry> = info
        .bindings
        .iter()
        .enumerate()
        .map(|(binding, access)| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only: *access == Access::Read },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(key.name),
        entries: &entries,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(key.name),
        bind_group_layouts: &[Some(&layout)],
        ..Default::default()
    });
    Ok(Parts { module, layout, pipeline_layout })
}

/// A copy into a staging slot at a submit's end.
#[derive(Clone, Copy)]
pub(crate) struct Copy {
    pub buffer: BufferId,
    pub offset_bytes: u64,
    pub size_bytes: u64,
    pub slot: usize,
}

/// The kernel, and buffer, offset and size of each binding.
type BindGroupKey = (KernelKey, Vec<(BufferId, u64, Option<u64>)>);

struct Begun {
    parts: Parts,
    compiling: platform::Compiling,
}

/// Makes and shares what programs consist of.
pub(crate) struct Executor {
    gpu: Gpu,
    pipelines: HashMap<KernelKey, Arc<Pipeline>>,
    /// Being compiled.
    begun: HashMap<KernelKey, Begun>,
    bind_groups: HashMap<BindGroupKey, Arc<wgpu::BindGroup>>,
}

fn binding_key(binding: &Binding) -> (BufferId, u64, Option<u64>) {
    (binding.buffer, binding.offset_bytes, binding.size_bytes)
}

impl Executor {
    pub fn new(gpu: &Gpu) -> Self {
        Self {
            gpu: gpu.clone(),
            pipelines: HashMap::new(),
            begun: HashMap::new(),
            bind_groups: HashMap::new(),
        }
    }

    /// Begins to compile the kernels of `dispatches` that are new; it needs no buffer, so that it
    /// can be called while weights are on their way.
    ///
    /// # Errors
    /// [`EngineError::Internal`]: no such kernel.
    pub fn begin<'a>(
        &mut self,
        dispatches: impl IntoIterator<Item = &'a Planned>,
    ) -> Result<(), EngineError> {
        let mut keys: Vec<&KernelKey> = Vec::new();
        for Planned { dispatch: Dispatch { kernel, .. }, .. } in dispatches {
            let is_known = self.pipelines.contains_key(kernel) || self.begun.contains_key(kernel);
            if !is_known && !keys.contains(&kernel) {
                keys.push(kernel);
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        let device = self.gpu.device();
        let parts: Vec<Parts> =
            keys.iter().map(|key| parts(device, key)).collect::<Result<_, _>>()?;
        let descriptors: Vec<_> =
            keys.iter().zip(&parts).map(|(key, parts)| parts.descriptor(key)).collect();
        let compiling = platform::begin(device, &descriptors)?;
        self.gpu.count_objects(4 * keys.len() as u64);
        for ((key, parts), compiling) in keys.into_iter().zip(parts).zip(compiling) {
            self.begun.insert(key.clone(), Begun { parts, compiling });
        }
        Ok(())
    }

    /// Waits for the kernels of `dispatches`, beginning those that are new, and makes bind groups.
    ///
    /// # Errors
    /// [`EngineError::Internal`] where the device's compiler refuses a kernel, by its name.
    pub async fn compile(
        &mut self,
        buffers: &Buffers,
        dispatches: &[Planned],
    ) -> Result<Program, EngineError> {
        self.begin(dispatches)?;
        let mut needed = Vec::new();
        for Planned { dispatch, .. } in dispatches {
            needed.extend(self.begun.remove_entry(&dispatch.kernel));
        }
        let descriptors: Vec<_> =
            needed.iter().map(|(key, begun)| begun.parts.descriptor(key)).collect();
        let compiling: Vec<_> = needed.iter().map(|(_, begun)| &begun.compiling).collect();
        let pipelines = platform::compiled(self.gpu.device(), &descriptors, &compiling).await;
        // A kernel's own fault says more than that of the pipeline which it would have become.
        self.gpu.check()?;
        for ((key, begun), pipeline) in needed.into_iter().zip(pipelines?) {
            let pipeline = Pipeline { pipeline, layout: begun.parts.layout };
            self.pipelines.insert(key, Arc::new(pipeline));
        }
        let scope = self.gpu.device().push_error_scope(wgpu::ErrorFilter::Validation);
        let steps = dispatches.iter().map(|planned| self.step(buffers, planned)).collect();
        match scope.pop().await {
            Some(error) => Err(EngineError::internal(error.to_string())),
            None => {
                self.gpu.check()?;
                Ok(Program { steps })
            }
        }
    }

    fn step(&mut self, buffers: &Buffers, planned: &Planned) -> Step {
        let dispatch: &Dispatch = &planned.dispatch;
        let pipeline = Arc::clone(&self.pipelines[&dispatch.kernel]);
        let key = (dispatch.kernel.clone(), dispatch.bindings.iter().map(binding_key).collect());
        let gpu = &self.gpu;
        let bind_group = self.bind_groups.entry(key).or_insert_with(|| {
            let entries: Vec<wgpu::BindGroupEntry<'_>> = dispatch
                .bindings
                .iter()
                .enumerate()
                .map(|(binding, bound)| wgpu::BindGroupEntry {
                    binding: binding as u32,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: buffers.get(bound.buffer),
                        offset: bound.offset_bytes,
                        size: bound.size_bytes.and_then(std::num::NonZero::new),
                    }),
                })
                .collect();
            gpu.count_objects(1);
            Arc::new(gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&dispatch.label),
                layout: &pipeline.layout,
                entries: &entries,
            }))
        });
        Step {
            pipeline,
            bind_group: Arc::clone(bind_group),
            workgroups: dispatch.workgroups,
            token_axis: planned.token_axis,
            label: dispatch.label.clone().into_owned(),
        }
    }

    /// Replays programs in one submit; the copies follow them.
    pub fn submit(
        &self,
        runs: &[Run<'_>],
        buffers: &Buffers,
        staging: &Staging,
        copy: Option<Copy>,
    ) -> Option<Pending> {
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        let mut n_dispatches = 0;
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let mut current: Option<&Arc<Pipeline>> = None;
            let steps = runs.iter().flat_map(|run| run.program.steps.iter().map(move |s| (run, s)));
            for (run, step) in steps {
                if !current.is_some_and(|current| Arc::ptr_eq(current, &step.pipeline)) {
                    pass.set_pipeline(&step.pipeline.pipeline);
                    current = Some(&step.pipeline);
                }
                pass.set_bind_group(0, Some(&*step.bind_group), &[]);
                let [x, y, z] = run.workgroups(step);
                pass.dispatch_workgroups(x, y, z);
                n_dispatches += 1;
            }
        }
        if let Some(copy) = copy {
            encoder.copy_buffer_to_buffer(
                buffers.get(copy.buffer),
                copy.offset_bytes,
                staging.slot(copy.slot),
                0,
                copy.size_bytes,
            );
        }
        let submission = self.gpu.queue().submit([encoder.finish()]);
        let counters = &self.gpu.inner.counters;
        counters.dispatches.fetch_add(n_dispatches, Ordering::Relaxed);
        counters.submits.fetch_add(1, Ordering::Relaxed);
        copy.map(|copy| staging.map(copy.slot, copy.size_bytes, submission))
    }

    /// Runs programs with a timestamp around each dispatch; microseconds by label.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] where the device gave no timestamps.
    pub async fn profile(&self, runs: &[Run<'_>]) -> Result<Vec<(String, f64)>, EngineError> {
        if !self.gpu.caps().timestamps {
            return Err(EngineError::unsupported("timestamps on this device"));
        }
        let device = self.gpu.device();
        let steps: Vec<(&Run<'_>, &Step)> =
            runs.iter().flat_map(|run| run.program.steps.iter().map(move |s| (run, s))).collect();
        let mut times = Vec::new();
        // A query set holds 4096 at most.
        for steps in steps.chunks(1024) {
            let n_queries = steps.len() as u32 + 1;
            let queries = device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: n_queries,
            });
            let size_bytes = u64::from(n_queries) * 8;
            let resolved = device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: size_bytes,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            let staging = Staging::new(&self.gpu, 1, size_bytes).await?;
            let mut encoder = device.create_command_encoder(&Default::default());
            {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                pass.write_timestamp(&queries, 0);
                for (index, (run, step)) in steps.iter().enumerate() {
                    pass.set_pipeline(&step.pipeline.pipeline);
                    pass.set_bind_group(0, Some(&*step.bind_group), &[]);
                    let [x, y, z] = run.workgroups(step);
                    pass.dispatch_workgroups(x, y, z);
                    pass.write_timestamp(&queries, index as u32 + 1);
                }
            }
            encoder.resolve_query_set(&queries, 0..n_queries, &resolved, 0);
            encoder.copy_buffer_to_buffer(&resolved, 0, staging.slot(0), 0, size_bytes);
            let submission = self.gpu.queue().submit([encoder.finish()]);
            let ticks: Vec<u64> = staging
                .wait(staging.map(0, size_bytes, submission), |bytes| {
                    bytemuck::pod_collect_to_vec(bytes)
                })
                .await?;
            let us = f64::from(self.gpu.queue().get_timestamp_period()) / 1e3;
            for ((_, step), pair) in steps.iter().zip(ticks.windows(2)) {
                times.push((step.label.clone(), pair[1].saturating_sub(pair[0]) as f64 * us));
            }
        }
        Ok(times)
    }
}
