//! Programs that come from the system's packages.

use std::path::Path;
use std::process::{Command, Stdio};

use xtask::step::step;

use crate::command;

/// Something a verb needs, how to see that it is there, and the Debian packages that bring it.
#[derive(Clone, Copy)]
pub struct Need {
    pub what: &'static str,
    pub is_there: fn() -> bool,
    pub packages: &'static [&'static str],
}

pub const C_COMPILER: Need = Need {
    what: "a C compiler",
    is_there: || command::exists("cc"),
    packages: &["gcc", "libc6-dev"],
};
pub const PYTHON_PIP: Need = Need {
    what: "Python's pip",
    is_there: || crate::model::pip().is_some(),
    packages: &["python3", "python3-pip"],
};
pub const NODE: Need = Need {
    what: "Node.js with npm",
    is_there: || command::exists("node") && command::exists("npm"),
    packages: &["nodejs", "npm"],
};
pub const CHROMIUM: Need = Need {
    what: "Chromium",
    is_there: || crate::browser::chromium().is_some(),
    packages: &["chromium"],
};
pub const FONTS: Need = Need {
    what: "fonts for the page in a browser",
    is_there: || {
        command::output(Command::new("fc-list").arg(":lang=ja"))
            .is_ok_and(|output| !output.stdout.is_empty())
    },
    packages: &["fontconfig", "fonts-dejavu-core", "fonts-noto-color-emoji", "fonts-noto-cjk"],
};
pub const LAVAPIPE: Need = Need {
    what: "a Vulkan driver in software (lavapipe)",
    is_there: || lavapipe().is_some(),
    packages: &["mesa-vulkan-drivers", "libvulkan1"],
};

pub const POSTGRES: Need = Need {
    what: "PostgreSQL",
    is_there: || crate::postgres::programs().is_some(),
    packages: &["postgresql"],
};

/// The driver file that makes Vulkan use lavapipe.
pub fn lavapipe() -> Option<std::path::PathBuf> {
    let folder = Path::new("/usr/share/vulkan/icd.d");
    [format!("lvp_icd.{}.json", std::env::consts::ARCH), "lvp_icd.json".to_owned()]
        .into_iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

/// Installs what is missing through apt when root; else fails with the command to run.
pub fn ensure(needs: &[Need]) -> anyhow::Result<()> {
    step("system packages", || {
        let missing: Vec<&Need> = needs.iter().filter(|need| !(need.is_there)()).collect();
        if missing.is_empty() {
            return Ok(((), "all there".to_owned()));
        }
        let packages: Vec<&str> =
            missing.iter().flat_map(|need| need.packages.iter().copied()).collect();
        let names: Vec<&str> = missing.iter().map(|need| need.what).collect();
        let names = names.join(", ");
        let install = format!("apt-get install --no-install-recommends {}", packages.join(" "));
        if !command::exists("apt-get") {
            anyhow::bail!("missing: {names}. Install it (on Debian: {install})");
        }
        if !is_root()? {
            anyhow::bail!("missing: {names}. As root, run: {install}");
        }
        eprintln!("  missing: {names}\n  {install}");
        command::output(apt().args(["update", "-qq"]))?;
        command::output(apt().args(["install", "-y", "--no-install-recommends"]).args(&packages))?;
        match needs.iter().find(|need| !(need.is_there)()) {
            Some(need) => anyhow::bail!("{} is still missing after its installation", need.what),
            None => Ok(((), format!("installed {}", packages.join(" ")))),
        }
    })
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    apt
}

fn is_root() -> anyhow::Result<bool> {
    let output = command::output(Command::new("id").arg("-u"))?;
    Ok(output.stdout.trim_ascii() == b"0")
}
