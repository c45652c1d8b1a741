//! What does the child give up? Memory and time beyond its limits; files, network, other programs.

use std::io;

use crate::Limits;

/// Address space beside the memory that it may use: the program itself, its threads' reserves.
#[cfg(unix)]
const ADDRESS_SPACE_BESIDE: u64 = 4 << 30;

/// Limits this process, before it has read anything.
///
/// # Errors
/// Those of the kernel.
#[cfg(unix)]
pub fn limit(limits: &Limits) -> io::Result<()> {
    let memory = limits.memory_mb.saturating_mul(1 << 20);
    set(libc::RLIMIT_DATA, memory)?;
    set(libc::RLIMIT_AS, memory.saturating_add(ADDRESS_SPACE_BESIDE))?;
    set(libc::RLIMIT_CPU, limits.cpu_s)?;
    set(libc::RLIMIT_CORE, 0)?;
    // Nothing is written but the answer, into a pipe.
    set(libc::RLIMIT_FSIZE, 0)?;
    set(libc::RLIMIT_NOFILE, 16)?;
    die_with_parent();
    Ok(())
}

#[cfg(not(unix))]
pub fn limit(_limits: &Limits) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(unix)]
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

#[cfg(unix)]
fn set(resource: Resource, most: u64) -> io::Result<()> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `now` is a whole rlimit that the call fills in.
    if unsafe { libc::getrlimit(resource, &raw mut now) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // What is limited more already stays so.
    let most = now.rlim_max.min(most as libc::rlim_t);
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: the call only reads `limit`.
    if unsafe { libc::setrlimit(resource, &raw const limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn die_with_parent() {
    // SAFETY: takes numbers only. A failure costs a reader that ends a little later by its limits.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

#[cfg(all(unix, not(target_os = "linux")))]
fn die_with_parent() {}

/// Calls by which this thread could reach beyond itself. All else is memory, time and the answer.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
const CLOSED: &[libc::c_long] = &[
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_open_by_handle_at,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
    libc::SYS_truncate,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_kill,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_memfd_create,
    libc::SYS_io_uring_setup,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_inotify_init1,
];

/// Old names of the same on this architecture.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const CLOSED_OLD: &[libc::c_long] = &[
    libc::SYS_open,
    libc::SYS_creat,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_mknod,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_accept,
];
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
const CLOSED_OLD: &[libc::c_long] = &[libc::SYS_renameat, libc::SYS_accept];

/// Closes this thread off, and those that it starts: from here on such a call is refused.
///
/// # Errors
/// Those of the kernel, but not that it knows no such filter: then the limits stand alone.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn close_off() -> io::Result<()> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

    let arch = match cfg!(target_arch = "x86_64") {
        true => TargetArch::x86_64,
        false => TargetArch::aarch64,
    };
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let rules = CLOSED.iter().chain(CLOSED_OLD).map(|call| (*call, Vec::new())).collect();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch);
    let program = filter.and_then(BpfProgram::try_from).map_err(io::Error::other)?;
    match apply_filter(&program) {
        Ok(()) => Ok(()),
        Err(seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error))
            if error.raw_os_error() == Some(libc::EINVAL) =>
        {
            Ok(())
        }
        Err(error) => Err(io::Error::other(error)),
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(super) fn close_off() -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::net::UdpSocket;
    use std::process::Command;
    use std::thread;

    use super::close_off;

    #[test]
    fn nothing_can_be_opened_called_or_started_any_more() {
        // A thread of its own: the filter is never taken off again.
        let refused = thread::spawn(|| {
            let could_before = File::open("/proc/self/status").is_ok();
            close_off().unwrap();
            let denied = std::io::ErrorKind::PermissionDenied;
            let kind = |error: std::io::Error| error.kind();
            (
                could_before,
                File::open("/proc/self/status").map_err(kind).err() == Some(denied),
                UdpSocket::bind("127.0.0.1:0").map_err(kind).err() == Some(denied),
                Command::new("/bin/true").status().is_err(),
            )
        });
        assert_eq!(refused.join().unwrap(), (true, true, true, true));
    }
}
