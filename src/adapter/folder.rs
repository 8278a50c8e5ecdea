//! An empty folder for one target: what it keeps, it keeps there.

use std::path::Path;

use tempfile::TempDir;

use super::leftovers;

/// What stands for the folder in commands and settings.
pub(super) const FOLDER: &str = "{folder}";

/// A folder of its own for one target, removed with all that is in it. Nobody can guess its name beforehand.
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Result<Folder, String> {
        let made = leftovers::make_folder(|| tempfile::Builder::new().prefix("refundproof-").tempdir());
        made.map(Folder).map_err(|error| format!("{}: no folder can be made there: {error}", std::env::temp_dir().display()))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        leftovers::remove_folder(self.0.path());
    }
}
