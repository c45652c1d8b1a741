//! Whose artefacts does the target folder hold?
//!
//! Clones share one target folder for the sake of the dependencies. But cargo names a workspace
//! member's artefacts by its path inside the workspace and takes them for fresh by time stamps, so
//! that a clone would run what another one's sources became. So the folder notes its last checkout,
//! and on a change the members' fingerprints go: the members are built anew, dependencies stay.

use std::fs;
use std::io;
use std::path::Path;

use crate::places::Places;

/// The file in the target folder that names the checkout whose artefacts lie there.
const OWNER: &str = ".portico-checkout";

/// How a member's fingerprint folder begins; members are called so, and no dependency is.
const MEMBERS: [&str; 2] = ["portico-", "xtask-"];

/// Makes the target folder this checkout's. True if it was another one's: then the running binary
/// may be the other one's, too.
pub fn claim(places: &Places) -> io::Result<bool> {
    let owner = places.target.join(OWNER);
    let root = places.root.to_string_lossy();
    match fs::read_to_string(&owner) {
        Ok(noted) if noted == root => return Ok(false),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let forgotten = forget_members(&places.target, 2)?;
    fs::create_dir_all(&places.target)?;
    fs::write(&owner, root.as_bytes())?;
    Ok(forgotten > 0)
}

/// Removes the members' fingerprints in `target/PROFILE` and `target/TRIPLE/PROFILE`.
fn forget_members(folder: &Path, depth: usize) -> io::Result<usize> {
    let mut forgotten = 0;
    for entry in folders(folder)? {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == ".fingerprint" {
            for unit in folders(&entry)? {
                let unit_name = unit.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if MEMBERS.iter().any(|member| unit_name.starts_with(member)) {
                    fs::remove_dir_all(&unit)?;
                    forgotten += 1;
                }
            }
        } else if depth > 0 {
            forgotten += forget_members(&entry, depth - 1)?;
        }
    }
    Ok(forgotten)
}

/// The folders in a folder; none if it is not there.
fn folders(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_checkout_rebuilds_the_members_and_keeps_the_dependencies() {
        let folder = std::env::temp_dir().join(format!("portico-checkout-{}", std::process::id()));
        let target = folder.join("target");
        let member = target.join("debug/.fingerprint/portico-shared-0f");
        let wasm_member = target.join("wasm32-unknown-unknown/web/.fingerprint/portico-page-1a");
        let dependency = target.join("debug/.fingerprint/axum-2b");
        let all = [&member, &wasm_member, &dependency];
        all.iter().for_each(|unit| fs::create_dir_all(unit).unwrap());
        let places = |root: &str| Places {
            root: root.into(),
            cache: folder.clone(),
            target: target.clone(),
        };

        assert!(claim(&places("/one")).unwrap(), "a folder without a note may be anybody's");
        assert_eq!(all.map(|unit| unit.exists()), [false, false, true]);

        fs::create_dir_all(&member).unwrap();
        assert!(!claim(&places("/one")).unwrap());
        assert!(member.exists(), "one's own artefacts stay");

        assert!(claim(&places("/two")).unwrap());
        assert_eq!([&member, &dependency].map(|unit| unit.exists()), [false, true]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
