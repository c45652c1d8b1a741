//! A server as a process that can be killed and started again, with one person in it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use portico_server::db::{self, Db};
use portico_server::people::{External, NewPerson, People, Role};
use portico_server::vault::{self, KeyFile, Vault};
use portico_shared::sync::wire::{Page, Position, Pushed, SnapshotPage};

pub struct House {
    program: PathBuf,
    data: PathBuf,
    child: Child,
    address: String,
    cookie: String,
    agent: ureq::Agent,
}

/// What came of a request that may have met a dead server.
pub type Heard<T> = Result<T, String>;

impl House {
    pub fn open(program: &Path, data: &Path) -> Self {
        let db = Db::new(data.join(db::FILE_NAME));
        let key = KeyFile { path: data.join(vault::FILE_NAME), is_named: false };
        let people = People::new(db.clone(), 1_000_000, Vault::new(key, db));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let secret = runtime.block_on(async {
            let new = NewPerson {
                name: "anna".to_owned(),
                display_name: String::new(),
                email: None,
                role: Role::Member,
                password: None,
                groups: Vec::new(),
            };
            let person = people.add(new).await.expect("a person");
            people.begin_session(person, String::new(), External::default()).await
        });
        let config = ureq::Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        let (child, address) = start(program, data);
        Self {
            program: program.to_owned(),
            data: data.to_owned(),
            child,
            address,
            cookie: format!("portico_session={}", secret.expect("a session")),
            agent: config.new_agent(),
        }
    }

    /// Of the person's session.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// With a slash at its end.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Starts the server again if it was killed.
    pub fn revive(&mut self) -> bool {
        if matches!(self.child.try_wait(), Ok(None)) {
            return false;
        }
        (self.child, self.address) = start(&self.program, &self.data);
        true
    }

    /// Kills the server, if it is not dead yet, and starts it again.
    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().expect("the server's end");
        self.revive();
    }

    pub fn push(&self, lines: &[&str]) -> Heard<Pushed> {
        let request = self.agent.post(format!("{}api/sync/push", self.address()));
        let request = request.header("cookie", &self.cookie).header("portico-page", "1");
        let request = request.header("content-encoding", "gzip");
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(lines.join("\n").as_bytes()).expect("into memory");
        let packed = packed.finish().expect("into memory");
        let mut answer = request.send(&packed).map_err(|error| error.to_string())?;
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
    }

    pub fn pull(&self, position: Position) -> Heard<(Page, Vec<String>)> {
        let epoch = position.epoch.map_or(String::new(), |epoch| format!("&epoch={epoch}"));
        self.page(&format!("api/sync/pull?since={}{epoch}", position.cursor))
    }

    pub fn snapshot(&self, after: &str) -> Heard<(SnapshotPage, Vec<String>)> {
        self.page(&format!("api/sync/snapshot{after}"))
    }

    fn page<T: serde::de::DeserializeOwned>(&self, path: &str) -> Heard<(T, Vec<String>)> {
        let request = self.agent.get(format!("{}{path}", self.address()));
        let request = request.header("cookie", &self.cookie).header("accept-encoding", "gzip");
        let mut answer = request.call().map_err(|error| error.to_string())?;
        let is_packed = answer.headers().contains_key("content-encoding");
        let body = answer.body_mut().with_config().limit(1 << 30);
        let bytes = body.read_to_vec().map_err(|error| error.to_string())?;
        let mut text = String::new();
        let unpacked = match is_packed {
            true => GzDecoder::new(&bytes[..]).read_to_string(&mut text),
            false => (&bytes[..]).read_to_string(&mut text),
        };
        unpacked.map_err(|error| error.to_string())?;
        let mut lines = text.lines();
        let page = lines.next().and_then(|page| serde_json::from_str(page).ok());
        let page = page.ok_or_else(|| format!("no page: {text}"))?;
        Ok((page, lines.map(str::to_owned).collect()))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn start(program: &Path, data: &Path) -> (Child, String) {
    let mut server = Command::new(program);
    server.arg("--data").arg(data).args(["serve", "--addr", "127.0.0.1:0"]);
    server.env("LANG", "C").env_remove("LC_ALL").env_remove("LC_MESSAGES").env("RUST_LOG", "error");
    let mut child = server.stdout(Stdio::piped()).spawn().expect("the server starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let address = lines.find_map(|line| {
        line.ok()?.strip_prefix("Portico is running: ").map(|address| address.trim().to_owned())
    });
    (child, address.expect("the server's address"))
}
