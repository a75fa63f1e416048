//! As much of the language server protocol as asking what an editor asks takes.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A running rust-analyzer; dropping it ends the process.
pub(crate) struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last: u64,
}

impl Client {
    /// Starts it on a project and waits until it has loaded it.
    pub(crate) fn start(project: &Path) -> Client {
        let server = std::env::var_os("RUST_ANALYZER").unwrap_or("rust-analyzer".into());
        let mut child = Command::new(server)
            .current_dir(project)
            // A compiler without the library's source would do for a build, and not here.
            .env_remove("RUSTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("rust-analyzer starts");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut client = Client { child, input, output, last: 0 };
        let capabilities = json!({
            "experimental": { "serverStatusNotification": true },
            "textDocument": {
                "hover": { "contentFormat": ["markdown"] },
                "completion": { "completionItem": { "labelDetailsSupport": true } },
            },
        });
        client.ask(
            "initialize",
            json!({
                "processId": null,
                "rootUri": uri(project),
                "workspaceFolders": [{ "uri": uri(project), "name": "project" }],
                "capabilities": capabilities,
                "initializationOptions": {
                    "checkOnSave": false,
                    "cachePriming": { "enable": false },
                    "diagnostics": { "experimental": { "enable": false } },
                },
            }),
        );
        client.send(json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }));
        loop {
            let message = client.receive();
            let status = &message["params"];
            if message["method"] == "experimental/serverStatus" && status["quiescent"] == true {
                assert_eq!(status["health"], "ok", "{status}");
                return client;
            }
        }
    }

    /// Tells it that a file is open.
    pub(crate) fn open(&mut self, path: &Path, text: &str) {
        let document =
            json!({ "uri": uri(path), "languageId": "rust", "version": 1, "text": text });
        self.send(json!({
            "jsonrpc": "2.0",
            "method": "textDocument/didOpen",
            "params": { "textDocument": document },
        }));
    }

    /// What hovering over a place shows, as Markdown; empty if nothing.
    pub(crate) fn hover(&mut self, path: &Path, line: usize, column: usize) -> String {
        let answer = self.ask("textDocument/hover", place(path, line, column));
        answer["contents"]["value"].as_str().unwrap_or_default().to_string()
    }

    /// The files and lines that the definition of what is at a place is at.
    pub(crate) fn definitions(
        &mut self,
        path: &Path,
        line: usize,
        column: usize,
    ) -> Vec<(PathBuf, usize)> {
        let answer = self.ask("textDocument/definition", place(path, line, column));
        let places = match answer {
            Value::Array(places) => places,
            Value::Null => Vec::new(),
            one => vec![one],
        };
        places
            .iter()
            .filter_map(|at| {
                let path = at["uri"].as_str()?.strip_prefix("file://")?;
                Some((PathBuf::from(path), at["range"]["start"]["line"].as_u64()? as usize))
            })
            .collect()
    }

    /// Tells it what an open file holds now.
    pub(crate) fn change(&mut self, path: &Path, version: usize, text: &str) {
        self.send(json!({
            "jsonrpc": "2.0",
            "method": "textDocument/didChange",
            "params": {
                "textDocument": { "uri": uri(path), "version": version },
                "contentChanges": [{ "text": text }],
            },
        }));
    }

    /// The words that it offers at a place.
    pub(crate) fn completions(&mut self, path: &Path, line: usize, column: usize) -> Vec<String> {
        let answer = self.ask("textDocument/completion", place(path, line, column));
        let items = if answer.is_array() { &answer } else { &answer["items"] };
        let label = |item: &Value| item["label"].as_str().map(str::to_string);
        items.as_array().into_iter().flatten().filter_map(label).collect()
    }

    /// The places where what is at a place is used or defined.
    pub(crate) fn references(&mut self, path: &Path, line: usize, column: usize) -> usize {
        let mut params = place(path, line, column);
        params["context"] = json!({ "includeDeclaration": true });
        self.ask("textDocument/references", params).as_array().map_or(0, Vec::len)
    }

    /// The places that a new name of what is at a place changes.
    pub(crate) fn renames(&mut self, path: &Path, line: usize, column: usize) -> usize {
        let mut params = place(path, line, column);
        params["newName"] = "renamed".into();
        let answer = self.ask("textDocument/rename", params);
        let files = answer["documentChanges"].as_array().into_iter().flatten();
        files.filter_map(|file| file["edits"].as_array()).map(Vec::len).sum()
    }

    /// The messages about a file.
    pub(crate) fn messages(&mut self, path: &Path) -> Vec<String> {
        let document = json!({ "textDocument": { "uri": uri(path) } });
        let answer = self.ask("textDocument/diagnostic", document);
        let message = |item: &Value| item["message"].as_str().map(str::to_string);
        answer["items"].as_array().into_iter().flatten().filter_map(message).collect()
    }

    /// The answer to a request, asked again while files are still being read.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        const CONTENT_MODIFIED: i64 = -32801;
        loop {
            self.last += 1;
            let id = self.last;
            self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
            let answer = loop {
                let message = self.receive();
                if message["id"] == id && message.get("method").is_none() {
                    break message;
                }
            };
            match answer.get("error") {
                Some(error) if error["code"] == CONTENT_MODIFIED => {}
                Some(error) => panic!("{method}: {error}"),
                None => return answer["result"].clone(),
            }
        }
    }

    fn send(&mut self, message: Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("it reads");
        self.input.flush().expect("it reads");
    }

    /// The next message. Requests of the server get an empty answer.
    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).expect("it answers");
            assert!(read > 0, "rust-analyzer has ended");
            match line.trim().strip_prefix("Content-Length: ") {
                Some(number) => length = number.parse().expect("a length"),
                None if line.trim().is_empty() => break,
                None => {}
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("a whole message");
        let message: Value = serde_json::from_slice(&body).expect("JSON");
        if let (Some(id), Some(_)) = (message.get("id"), message.get("method")) {
            self.send(json!({ "jsonrpc": "2.0", "id": id, "result": null }));
        }
        message
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It has ended already, if this fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn place(path: &Path, line: usize, column: usize) -> Value {
    json!({
        "textDocument": { "uri": uri(path) },
        "position": { "line": line, "character": column },
    })
}
