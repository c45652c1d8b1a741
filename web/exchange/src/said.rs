//! What does one message of a source say? Words, files that went with it, and steps between the words: calls
//! of tools with what came of them, and what the model thought.

use std::collections::BTreeSet;

use portico_shared::sync::{
    ATTACHMENTS_MAX, Attachment, MessageContent, REASONING, STEP_NAME_MAX_BYTES,
    STEP_TEXT_MAX_BYTES, STEPS_MAX, StepState, TEXT_MAX_BYTES, ToolStep,
};

use crate::LeftOut;

/// Longest name of a file, in bytes.
const FILE_NAME_MAX_BYTES: usize = 500;

#[derive(Debug, Default)]
pub struct Said {
    pub is_user: bool,
    pub text: String,
    pub files: Vec<Attachment>,
    pub steps: Vec<Step>,
}

/// A call of a tool, or what came of one that was called before.
#[derive(Debug)]
pub struct Step {
    /// Bytes of the text that stand before it.
    pub at: usize,
    pub name: String,
    /// Empty: only the result is known.
    pub arguments: String,
    pub result: Option<String>,
    pub state: StepState,
    /// It is what came of a call that is told by itself.
    answers: bool,
}

impl Step {
    pub fn call(name: &str, arguments: &str, result: Option<String>) -> Self {
        let arguments = arguments.trim().to_owned();
        Self {
            at: 0,
            name: name.to_owned(),
            arguments,
            result,
            state: StepState::Done,
            answers: false,
        }
    }

    /// What came of a call: that of the tool that is open, if there is one.
    pub fn result(name: &str, result: String) -> Self {
        Self { answers: true, ..Self::call(name, "", Some(result)) }
    }

    /// What the model thought before it spoke.
    pub fn reasoning(text: &str) -> Self {
        Self::result(REASONING, text.trim().to_owned())
    }

    fn is_result_of(&self, call: &Self) -> bool {
        let family = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        self.answers && call.result.is_none() && family(&call.name) == family(&self.name)
    }
}

impl Said {
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.files.is_empty() && self.steps.is_empty()
    }

    /// Words behind those that are here.
    pub fn say(&mut self, text: &str) {
        let text = text.trim();
        if self.text.is_empty() {
            text.clone_into(&mut self.text);
        } else if !text.is_empty() {
            self.text.push_str("\n\n");
            self.text.push_str(text);
        }
    }

    /// A step behind the words that are here.
    pub fn step(&mut self, mut step: Step) {
        step.at = self.text.len();
        let last = self.steps.last_mut().filter(|last| last.at == step.at);
        if let Some(last) = last.filter(|last| last.name == REASONING && step.name == REASONING) {
            let more = step.result.unwrap_or_default();
            last.result = last.result.take().map(|result| format!("{result}\n\n{more}"));
            return;
        }
        match self.steps.iter_mut().find(|call| step.is_result_of(call)) {
            Some(call) => (call.result, call.state) = (step.result, step.state),
            None => self.steps.push(step),
        }
    }

    /// What the same one said next.
    pub fn join(&mut self, next: Self) {
        let mut from = 0;
        for step in next.steps {
            let at = step.at.clamp(from, next.text.len());
            self.say(&next.text[from..at]);
            from = at;
            self.step(step);
        }
        self.say(&next.text[from..]);
        self.files.extend(next.files);
    }

    /// A file of which its name is all that is known.
    pub fn missing_file(
        &mut self,
        name: &str,
        media_type: &str,
        size_bytes: u64,
        left_out: &mut BTreeSet<LeftOut>,
    ) {
        left_out.insert(LeftOut::File(name.to_owned()));
        self.file(name, media_type, size_bytes, String::new());
    }

    /// A file with all that was read of it.
    pub fn file(&mut self, name: &str, media_type: &str, size_bytes: u64, text: String) {
        if self.files.iter().all(|file| file.name != name) {
            let (name, media_type) = (name.to_owned(), media_type.to_owned());
            self.files.push(Attachment { name, media_type, size_bytes, text, sha256: None });
        }
    }

    /// The message's content and its steps, within what is kept of them.
    pub fn written(self, left_out: &mut BTreeSet<LeftOut>) -> (MessageContent, Vec<ToolStep>) {
        let mut content = MessageContent::done(self.text);
        for mut file in self.files {
            if content.attachments.len() == ATTACHMENTS_MAX {
                left_out.insert(LeftOut::File(file.name));
                continue;
            }
            let n_kept: usize = content.attachments.iter().map(|one| one.text.len()).sum();
            if content.text.len() + n_kept + file.text.len() > TEXT_MAX_BYTES {
                left_out.insert(LeftOut::File(file.name.clone()));
                file.text.clear();
            }
            file.name.truncate(file.name.floor_char_boundary(FILE_NAME_MAX_BYTES));
            file.media_type.truncate(file.media_type.floor_char_boundary(FILE_NAME_MAX_BYTES));
            content.attachments.push(file);
        }
        if self.steps.len() > STEPS_MAX as usize {
            left_out.insert(LeftOut::Steps);
        }
        let mut cut = |text: String| {
            let end = text.floor_char_boundary(STEP_TEXT_MAX_BYTES);
            if end < text.len() {
                left_out.insert(LeftOut::StepEnd);
            }
            text[..end].to_owned()
        };
        let mut steps = Vec::new();
        for (n, step) in (0..STEPS_MAX).zip(self.steps) {
            let name_end = step.name.floor_char_boundary(STEP_NAME_MAX_BYTES);
            steps.push(ToolStep {
                id: format!("imported-{n}"),
                round: n,
                at: step.at as u32,
                name: step.name[..name_end].to_owned(),
                arguments: cut(step.arguments),
                state: step.state,
                result: step.result.map(&mut cut),
            });
        }
        (content, steps)
    }
}

/// A fence that the text does not hold.
pub fn fenced(language: &str, text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// A link with what is read of it; of what is no address of the web only that.
pub fn link(label: &str, url: &str) -> String {
    let label = if label.trim().is_empty() { url } else { label.trim() };
    let label = label.replace(['[', ']', '\n'], " ");
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return label;
    }
    match url.contains([' ', '(', ')']) {
        true => format!("[{label}](<{}>)", url.replace(['<', '>', '\n'], "")),
        false => format!("[{label}]({url})"),
    }
}
