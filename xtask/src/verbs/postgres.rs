//! A PostgreSQL server for tests: a new cluster in a temporary folder, reached by its socket alone, gone
//! with the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::{command, packages};

/// Who runs it where root runs the tests: it refuses root.
const USER: &str = "postgres";
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Cluster {
    folder: PathBuf,
    server: Child,
}

impl Cluster {
    pub fn start() -> anyhow::Result<Self> {
        packages::ensure(&[packages::POSTGRES])?;
        let programs = programs().context("PostgreSQL's programs")?;
        // A socket's path has to be short.
        let folder = std::env::temp_dir().join(format!("portico-pg-{}", std::process::id()));
        // Left by one that was killed, which had the same number.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let user = user()?;
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(&folder, Some(uid), Some(gid))?;
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        let data = folder.join("data");
        let program = |name: &str| {
            let mut program = Command::new(programs.join(name));
            program.current_dir(&folder).env("LC_ALL", "C.UTF-8");
            if let Some((uid, gid)) = user {
                program.uid(uid).gid(gid);
            }
            program
        };
        let mut init = program("initdb");
        init.args(["--auth=trust", "--encoding=UTF8", "--no-sync", "-U", USER, "-D"]).arg(&data);
        command::output(&mut init)?;
        let mut server = program("postgres");
        server.arg("-D").arg(&data).arg("-k").arg(&folder);
        // What the tests keep need not outlive the machine.
        for setting in
            ["listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=400"]
        {
            server.args(["-c", setting]);
        }
        let log = fs::File::create(folder.join("log"))?;
        server.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let server = server.spawn().context("postgres did not start")?;
        let mut cluster = Self { folder, server };
        cluster.wait(&programs)?;
        Ok(cluster)
    }

    /// As `PORTICO_TEST_DATABASE` has it.
    pub fn url(&self) -> String {
        let host = self.folder.to_string_lossy().replace('/', "%2F");
        format!("postgres://{USER}@{host}/postgres")
    }

    fn wait(&mut self, programs: &Path) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            let mut ready = Command::new(programs.join("pg_isready"));
            if command::output(ready.arg("-h").arg(&self.folder)).is_ok() {
                return Ok(());
            }
            if self.server.try_wait()?.is_some() || start.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                anyhow::bail!("postgres does not answer:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Interrupted, it ends at once and takes its own processes with it.
        let pid = self.server.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Where `initdb` lies: Debian keeps it off the path, by version.
pub fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).max_by_key(|path| version(path));
    let debian = newest.map(|path| path.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.into_iter().chain(std::env::split_paths(&path)).find(|bin| bin.join("initdb").is_file())
}

/// Whom it runs as; none: who runs the tests.
fn user() -> anyhow::Result<Option<(u32, u32)>> {
    let id = |args: &[&str]| -> anyhow::Result<u32> {
        let said = command::output(Command::new("id").args(args))?;
        Ok(String::from_utf8(said.stdout)?.trim().parse()?)
    };
    match id(&["-u"])? {
        0 => Ok(Some((id(&["-u", USER])?, id(&["-g", USER])?))),
        _ => Ok(None),
    }
}
