//! The files of a report.

use std::fs;
use std::path::Path;

use crate::record::Record;
use crate::{Error, Result};

impl Record {
    /// Writes the page to `report.html` and the record to `report.json` in this folder, which it creates if
    /// needed.
    ///
    /// # Errors
    /// [`Error::Io`] when they cannot be written, [`Error::Draw`] when a chart cannot be drawn.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let (html, json) = (folder.join("report.html"), folder.join("report.json"));
        let text = serde_json::to_string(self).map_err(Error::draw("record"))?;
        fs::write(&json, text).map_err(Error::io(&json))?;
        self.write(html)
    }

    /// Writes the page to a file.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written, [`Error::Draw`] when a chart cannot be drawn.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        fs::write(path, self.to_html()?).map_err(Error::io(path))
    }

    /// Reads the record that [`save`](Self::save) wrote to this folder.
    ///
    /// # Errors
    /// [`Error::Io`] when `report.json` cannot be read, [`Error::Format`] when it is not the record of a
    /// report.
    pub fn read(folder: impl AsRef<Path>) -> Result<Record> {
        let path = folder.as_ref().join("report.json");
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        serde_json::from_str(&text)
            .map_err(|problem| Error::Format { path, problem: problem.to_string() })
    }
}
