//! Runs the real binary: a simulator and a server in processes of their own, and commands against them.
#![allow(dead_code, unreachable_pub, reason = "every test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Longest that one command may take before the test ends it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Arguments of an export that can start on Alibaba Cloud.
pub const ALIBABA: &str =
    "--cloud alibaba --region cn-hangzhou --image m-bp1sampanubuntu00001 --bucket sampan-hangzhou";
/// Arguments of an export that can start on Tencent Cloud.
pub const TENCENT: &str =
    "--cloud tencent --region ap-guangzhou --image img-ubuntu01 --bucket sampan-guangzhou-1250000000";
/// Arguments of an export that breaks a rule.
pub const REFUSED: &str =
    "--cloud tencent --region ap-guangzhou --image img-windows1 --bucket sampan-guangzhou-1250000000";

/// A process that ends with the test.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts the binary and gathers what it writes to standard output.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let reader = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || reader.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    /// Returns the next line.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Waits for the end and returns the exit code; reads what is still written.
    pub fn code(&mut self) -> i32 {
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        self.child.wait().expect("ended").code().expect("an exit code")
    }
}

/// A simulator and a server that uses it.
#[derive(Debug)]
pub struct World {
    server: Running,
    simulator: Running,
    pub endpoint: String,
    control: String,
    pub folder: TempDir,
}

/// Returns the binary, with no configuration from outside.
pub fn sampan() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sampan"));
    for name in ["SAMPAN_ENDPOINT", "SAMPAN_CONFIG", "SAMPAN_LISTEN", "SAMPAN_STORE", "SAMPAN_ROLES"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

impl World {
    /// Starts both; nothing was exported or spent yet.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("sampan.toml");
        let mut simulate = sampan();
        simulate.args(["simulate", "--port", "0", "--json", "--write-config"]).arg(&config);
        let simulator = Running::start(simulate.env("TMPDIR", folder.path()));
        let ready: Value = serde_json::from_str(&simulator.line()).expect("JSON");
        let control = ready["addresses"]["control"].as_str().expect("an address").to_owned();
        let mut serve = sampan();
        serve.args(["serve", "--listen", "127.0.0.1:0", "--store", "memory", "--config"]).arg(&config);
        let server = Running::start(&mut serve);
        let ready: Value = serde_json::from_str(&server.line()).expect("JSON");
        let endpoint = ready["listeners"][0]["url"].as_str().expect("an address").to_owned();
        Self { server, simulator, endpoint, control, folder }
    }

    /// Returns a command against the server; `words` are separated by blanks.
    pub fn command(&self, words: &str) -> Command {
        let mut command = sampan();
        command.args(words.split_whitespace()).env("SAMPAN_ENDPOINT", &self.endpoint);
        command.current_dir(self.folder.path());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &str) -> Output {
        bounded(&mut self.command(words))
    }

    /// Runs a command and returns its exit code.
    pub fn code(&self, words: &str) -> i32 {
        let output = self.run(words);
        let code = output.status.code().expect("an exit code");
        eprintln!("{words} -> {code}\n{}{}", text(&output.stdout), text(&output.stderr));
        code
    }

    /// Runs a command with `--output json` and returns its documents, one a line.
    pub fn json(&self, words: &str) -> Vec<Value> {
        let output = self.run(&format!("{words} --output json"));
        let lines = text(&output.stdout);
        assert!(!lines.is_empty(), "{words} prints something");
        lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{words}: {line}"))).collect()
    }

    /// Starts an export and returns its name.
    pub fn detach(&self, export: &str) -> String {
        text(&self.run(&format!("export {export} --detach")).stdout).trim().to_owned()
    }

    /// Steers the simulated clouds.
    pub fn control(&self, path: &str, body: &Value) {
        let address = self.control.trim_start_matches("http://");
        let body = body.to_string();
        let mut stream = TcpStream::connect(address).expect("connected");
        let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n", body.len());
        stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    }
}

/// Runs a command to its end, or ends it when it takes too long.
pub fn bounded(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let id = child.id().to_string();
    let (sender, done) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    if let Ok(output) = done.recv_timeout(PATIENCE) {
        return output.expect("output");
    }
    let _ = Command::new("kill").args(["-KILL", &id]).status();
    panic!("the command takes longer than {} s: {command:?}", PATIENCE.as_secs());
}

/// Returns output as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
