use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

/// Looks into weight files, image folders and training runs of typenet.
#[derive(Parser, Debug)]
#[command(name = "typenet", version, about, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show the tensors of a weight file: names, shapes, types, the range of their numbers.
    ///
    /// Exits with 2 where a tensor has numbers that are NaN or infinite.
    Inspect {
        /// A safetensors file.
        file: PathBuf,
        /// Print JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Look into a data set.
    Data {
        #[command(subcommand)]
        command: DataCommand,
    },
    /// Draw the page of a training run again, from the record beside it.
    Report {
        /// The folder of the run, with `report.json`.
        folder: PathBuf,
    },
    /// Print completions for a shell: `typenet completions bash >> ~/.bashrc`.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Nets are trained by programs: says how.
    #[command(hide = true)]
    Train {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        _arguments: Vec<String>,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum DataCommand {
    /// Read every image of a folder with one folder a class: counts, sizes, broken files, balance.
    ///
    /// Exits with 2 where a file is broken, a class is empty or nothing is found.
    Check {
        /// The folder: `DIR/cat/1.jpg`, or `DIR/train/cat/1.jpg`.
        folder: PathBuf,
        /// Print JSON instead of tables.
        #[arg(long)]
        json: bool,
    },
}
