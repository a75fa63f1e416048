//! `typenet report`: the page of a run, drawn again.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use typenet_report::Record;

use crate::error::{Error, Result};

pub(crate) fn run(folder: &Path, out: &mut impl Write) -> Result<ExitCode> {
    if !folder.join("report.json").exists() {
        let path = folder.to_owned();
        let problem = "has no `report.json`: a training program writes it with \
                       `Report::new(&net).history(&history).save(folder)`"
            .to_owned();
        return Err(Error::Format { path, problem });
    }
    let record = Record::read(folder)?;
    let page = folder.join("report.html");
    record.write(&page)?;
    writeln!(out, "{}", page.display())?;
    Ok(ExitCode::SUCCESS)
}
