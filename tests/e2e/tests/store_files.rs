//! A store that cannot be trusted or had is refused with a clear message, and is never written over.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sampan_proto::operation::v1::{ListOperationsRequest, OperationState};
use sampan_tests_e2e::{Child, Server, ServerFolder, Setup, TENCENT, World, binary, command_of, spec_of};

const FILE: &str = "sampan.redb";
/// Somebody without rights.
const NOBODY: u32 = 65_534;

/// A world whose server has written a store with an operation and is gone.
async fn with_a_store() -> (World, PathBuf) {
    let mut world = World::with(Setup { is_durable: true, ..Setup::default() }).await;
    let operation = world.api().start(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await;
    world.api().ended(&operation.name).await;
    assert!(world.take_server().stop().await.success());
    let file = world.folder().join("store").join(FILE);
    assert!(file.is_file());
    (world, file)
}

/// Starts a server that must refuse, and returns what it says.
async fn refused(files: &ServerFolder) -> String {
    let (status, told) = Server::try_start(files).await.map(|_| ()).expect_err("the start is refused");
    assert_eq!(status.code(), Some(5), "{told}");
    told
}

async fn refuses_and_leaves(files: &ServerFolder, file: &Path, content: &[u8], words: &str) {
    fs::write(file, content).unwrap();
    let told = refused(files).await;
    assert!(told.contains(words) && told.contains(&file.display().to_string()), "{told}");
    assert!(told.contains("left as it is"), "it does not say that the file is left: {told}");
    assert!(!told.contains("panicked"), "{told}");
    assert!(fs::read(file).unwrap() == content, "{words}: the file was changed");
}

#[tokio::test]
async fn a_damaged_store_is_refused_and_left_as_it_is() {
    let (world, file) = with_a_store().await;
    let whole = fs::read(&file).unwrap();
    let middle = whole.len() / 2;
    refuses_and_leaves(world.files(), &file, &whole[..middle], "damaged").await;
    let mut flipped = whole.clone();
    // The first 512 bytes say where everything is; what follows them is pages.
    for (index, byte) in flipped.iter_mut().enumerate().skip(64) {
        if index % 97 == 0 {
            *byte ^= 0x5a;
        }
    }
    refuses_and_leaves(world.files(), &file, &flipped, "damaged").await;
    // With the right bytes back, everything is there again.
    fs::write(&file, &whole).unwrap();
    let server = Server::start(world.files()).await;
    let list = server.api().list(ListOperationsRequest::default()).await;
    assert_eq!(
        list.operations.iter().map(|operation| operation.state()).collect::<Vec<_>>(),
        [OperationState::Succeeded]
    );
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
    let (world, file) = with_a_store().await;
    for content in [&b""[..], b"dear diary\n", &[0; 4096], &[0xff; 100_000]] {
        refuses_and_leaves(world.files(), &file, content, "is not a store of Sampan").await;
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let world = World::with(Setup { is_durable: true, ..Setup::default() }).await;
    let operation = world.api().start(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await;
    let second = ServerFolder { stem: world.folder().join("second"), ..world.files().clone() };
    let told = refused(&second).await;
    assert!(told.contains("is in use by process"), "{told}");
    assert_eq!(world.api().ended(&operation.name).await.state(), OperationState::Succeeded);
}

#[tokio::test]
async fn a_folder_without_permission_is_refused() {
    let (world, file) = with_a_store().await;
    let folder = file.parent().unwrap();
    let is_root = fs::metadata(&file).unwrap().uid() == 0;
    // Root may do everything, so somebody else has to try.
    let program = world.folder().join("sampan");
    fs::copy(binary(), &program).unwrap();
    for open in [world.folder(), &program] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(&world.files().config, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
    let written = fs::read(&file).unwrap();
    for path in [folder.to_path_buf(), folder.join("deeper")] {
        let mut command = command_of(&program);
        serve(&mut command, world.files(), &path);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let (status, told) = Child::spawn(command, &world.files().stem).await.map(|_| ()).expect_err("refused");
        assert_eq!(status.code(), Some(5), "{told}");
        assert!(told.contains("no permission") && told.contains(&folder.display().to_string()), "{told}");
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(fs::read(&file).unwrap() == written);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_refused() {
    let world = World::start().await;
    let file = world.folder().join("a-file");
    fs::write(&file, "in the way").unwrap();
    let store = format!("embedded:{}", file.join("store").display());
    let told = refused(&ServerFolder { store, ..world.files().clone() }).await;
    assert!(told.contains("cannot be made") && told.contains("a-file"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "in the way");
}

#[tokio::test]
async fn a_full_disk_is_refused_and_leaves_no_half_made_store() {
    let world = World::start().await;
    let folder = world.folder().join("full");
    // A limit on the size of files stands for the full disk; the system's own signal must not end the process.
    let mut shell = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
    shell.args(["-c", script]).arg(binary());
    serve(&mut shell, world.files(), &folder);
    let (status, told) = Child::spawn(shell, &world.folder().join("limited")).await.map(|_| ()).expect_err("refused");
    assert_eq!(status.code(), Some(5), "{told}");
    assert!(told.contains("no space is left"), "{told}");
    assert!(!folder.join(FILE).exists(), "a half-made store was left");
    // With room, the same folder works.
    let store = format!("embedded:{}", folder.display());
    let server = Server::start(&ServerFolder { store, ..world.files().clone() }).await;
    server.api().quota(&TENCENT).await;
}

fn serve(command: &mut Command, files: &ServerFolder, folder: &Path) {
    command.arg("serve").arg("--config").arg(&files.config).args(["--listen", "127.0.0.1:0", "--store"]);
    command.arg(format!("embedded:{}", folder.display()));
}

#[tokio::test]
async fn a_wrong_choice_of_store_is_a_wrong_command_line() {
    let world = World::start().await;
    // The rest of a URL can hold a password, so only its beginning is said again.
    for (store, said) in [("mysql://me:hush@127.0.0.1", "mysql://"), ("embedded:", "embedded:"), ("sqlite", "sqlite")] {
        let files = ServerFolder { store: store.to_owned(), ..world.files().clone() };
        let (status, told) = Server::try_start(&files).await.map(|_| ()).expect_err("refused");
        assert_eq!(status.code(), Some(2), "{told}");
        assert!(told.contains(said) && told.contains("embedded:DIR") && !told.contains("hush"), "{told}");
    }
}
