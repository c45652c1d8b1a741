//! Which server has the database of a PostgreSQL server?
//!
//! Whose connection holds an advisory lock there. The connection's name says who that is, and has a random
//! part: by it a server knows its own connection again, which the database's side may still take for alive.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use portico_shared::error::{ApiError, ErrorCode};
use tokio::sync::oneshot;

use super::{Holder, PATIENCE, TRY_EVERY, Watched};
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::db::{DbError, Home};

/// How often the connection is looked at, and asked for an answer.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const ASK_EVERY: u32 = 15;

/// `port`, `ico!`: the lock's two numbers.
const LOCK: [i32; 2] = [0x706f_7274, 0x6963_6f21];

/// What a connection may be called, in bytes.
const NAME_MAX: usize = 63;

/// A machine that has gone without a word is noticed within half a minute, not after the two hours that are
/// usual; connections by a socket take no notice of it.
const NOTICE: &str = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3";

/// The connection that holds the lock; else who has it.
type Claim = Result<Connection, Holder>;

/// What tells this process from all others, in a connection's name.
struct Mark(String);

impl Mark {
    fn name(&self, holder: &Holder) -> String {
        let Holder { pid, host, addr, .. } = holder;
        let mut name = format!("portico {} {pid} {addr} {host}", self.0);
        name.retain(|c| c.is_ascii_graphic() && c != '\'' && c != '\\' || c == ' ');
        name.truncate(NAME_MAX);
        name
    }
}

/// Takes the lock and keeps it, by a thread of its own: the client may not wait where a runtime runs.
///
/// # Errors
/// `server_running`, `database_unreachable`
pub fn watch(home: Home, holder: Holder) -> Result<Watched, ApiError> {
    let mut random = [0; 4];
    getrandom::fill(&mut random)
        .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    let mark = Mark(format!("{:08x}", u32::from_ne_bytes(random)));
    let (told, hears) = mpsc::channel();
    let (is_lost, lost) = oneshot::channel();
    let (begun, answer) = mpsc::channel();
    thread::spawn(move || {
        let claimed = claim_patiently(&home, &mark, &holder);
        let connection = match claimed {
            Ok(Ok(connection)) => connection,
            Ok(Err(other)) => {
                // Whoever began it waits for this.
                let _ = begun.send(Err(other.refusal(home.name())));
                return;
            }
            Err(error) => {
                let _ = begun.send(Err(error.into()));
                return;
            }
        };
        let _ = begun.send(Ok(()));
        if let Some(other) = keep(&home, &mark, holder, connection, &hears) {
            let error = other.refusal(home.name());
            tracing::error!(%error, "another server has taken the database meanwhile: this one stops");
            let _ = is_lost.send(error);
        }
    });
    let answer = answer.recv().map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    answer.map(|()| Watched { told, lost: Some(lost) })
}

/// Keeps the lock until nobody wants it any more: None; or until another server has it.
fn keep(
    home: &Home,
    mark: &Mark,
    mut holder: Holder,
    mut connection: Connection,
    hears: &mpsc::Receiver<Holder>,
) -> Option<Holder> {
    let (mut n_looks, mut is_away) = (0_u32, false);
    loop {
        match hears.recv_timeout(LOOK_EVERY) {
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {}
            Ok(told) => {
                holder = told;
                // One that is lost gets its name when it is made anew.
                let _ = connection.execute_batch(&named(&mark.name(&holder)));
            }
        }
        n_looks = n_looks.wrapping_add(1);
        if !connection.is_lost() && n_looks.is_multiple_of(ASK_EVERY) {
            // One that does not answer is lost when this returns.
            let _ = connection.execute_batch("SELECT 1");
        }
        if !connection.is_lost() {
            continue;
        }
        match claim(home, mark, &holder) {
            Ok(Ok(anew)) => {
                tracing::info!("the database is this server's again");
                (connection, is_away) = (anew, false);
            }
            Ok(Err(other)) => return Some(other),
            Err(error) => {
                if !is_away {
                    tracing::warn!(%error, "the database is away");
                }
                is_away = true;
            }
        }
    }
}

fn claim_patiently(home: &Home, mark: &Mark, holder: &Holder) -> Result<Claim, DbError> {
    let began = Instant::now();
    loop {
        match claim(home, mark, holder)? {
            Err(_) if began.elapsed() < PATIENCE => thread::sleep(TRY_EVERY),
            claimed => return Ok(claimed),
        }
    }
}

/// Tries to take the lock by a new connection.
fn claim(home: &Home, mark: &Mark, holder: &Holder) -> Result<Claim, DbError> {
    let Some(connected) = home.connect() else {
        return Err(DbError::new(home.name(), "it is no server"));
    };
    let connection = connected?;
    let failed = |error| DbError::of_statement(home.name(), error);
    let name = mark.name(holder);
    connection.execute_batch(&named(&name)).map_err(failed)?;
    connection.execute_batch(NOTICE).map_err(failed)?;
    if try_lock(&connection).map_err(failed)? {
        return Ok(Ok(connection));
    }
    let found = holder_there(&connection).map_err(failed)?;
    let Some((other, backend, its_name)) = found else {
        // It has gone in between, or is not shown.
        thread::sleep(TRY_EVERY);
        let is_ours = try_lock(&connection).map_err(failed)?;
        return Ok(if is_ours { Ok(connection) } else { Err(Holder::default()) });
    };
    let is_own = its_name.split(' ').nth(1) == Some(mark.0.as_str());
    if is_own {
        // This process's own connection, which the server's side takes for alive.
        let sql = "SELECT pg_terminate_backend(?1::bigint::int, 5000)";
        connection.query_row(sql, [backend], |_| Ok(())).map_err(failed)?;
        if try_lock(&connection).map_err(failed)? {
            return Ok(Ok(connection));
        }
    }
    Ok(Err(other))
}

fn named(name: &str) -> String {
    format!("SET application_name = '{name}'")
}

fn try_lock(connection: &Connection) -> sql::Result<bool> {
    let [one, two] = LOCK;
    let sql = format!("SELECT pg_try_advisory_lock({one}, {two})");
    connection.query_row(&sql, [], |row| row.get(0))
}

/// Who holds the lock, by which backend, under which name.
fn holder_there(connection: &Connection) -> sql::Result<Option<(Holder, i64, String)>> {
    let [one, two] = LOCK;
    let sql = format!(
        "SELECT other.pid::bigint, coalesce(other.application_name, ''),
            coalesce(extract(epoch FROM other.backend_start)::bigint, 0)
        FROM pg_locks held JOIN pg_stat_activity other ON other.pid = held.pid
        WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 2
            AND held.classid::bigint = {one} AND held.objid::bigint = {two}
            AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    );
    let found = connection.query_row(&sql, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
    });
    Ok(found.optional()?.map(|(backend, name, since_s)| {
        let mut words = name.split(' ').skip(2);
        let mut word = || words.next().unwrap_or_default().to_owned();
        let pid = word().parse().unwrap_or(0);
        let (addr, host) = (word(), word());
        let since_s = u64::try_from(since_s).unwrap_or(0);
        (Holder { pid, host, addr, since_s }, backend, name)
    }))
}

/// Who serves the house of this database now.
///
/// # Errors
/// `database_unreachable`
pub fn holder(home: &Home) -> Result<Option<Holder>, DbError> {
    let Some(connected) = home.connect() else { return Ok(None) };
    let found = holder_there(&connected?);
    let found = found.map_err(|error| DbError::of_statement(home.name(), error))?;
    Ok(found.map(|(holder, ..)| holder))
}
