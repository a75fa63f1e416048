//! The command `typenet`: looks into weight files, image folders and training runs.
#![forbid(unsafe_code)]

mod arguments;
mod data;
mod error;
mod inspect;
mod report;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command, DataCommand};
use error::Result;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        // Whoever reads the output has seen enough: `typenet inspect a.safetensors | head`.
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    let code = match arguments.command {
        Command::Inspect { file, json } => inspect::run(&file, json, &mut out)?,
        Command::Data { command: DataCommand::Check { folder, json } } => {
            data::run(&folder, json, &mut out)?
        }
        Command::Report { folder } => report::run(&folder, &mut out)?,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "typenet", &mut out);
            ExitCode::SUCCESS
        }
        Command::Train { .. } => return Err(error::Error::Train),
    };
    out.flush()?;
    Ok(code)
}
