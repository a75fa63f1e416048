//! macOS must be told that Python brings the functions that a module calls.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
