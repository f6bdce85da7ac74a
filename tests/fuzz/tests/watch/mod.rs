//! Decides what counts as a failure of a target: a panic, caught or not, on any thread; an input that takes too long;
//! more memory than readers may need.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sampan_tests_fuzz::Target;

/// Longest time of one input, in a debug build on a busy machine.
const LONGEST: Duration = Duration::from_secs(10);
/// An input that takes this long hangs: the process ends with it.
const HANGS: Duration = Duration::from_secs(60);
/// Most memory of the process.
const MOST_MEMORY: u64 = 1024 * 1024 * 1024;

thread_local! {
    /// Panics of this thread while a target runs on it; `None` when none does.
    static OWN: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Panics of threads that no target runs on: those that targets started.
static ELSEWHERE: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let old = getrlimit(Resource::Data);
        setrlimit(Resource::Data, Rlimit { current: Some(MOST_MEMORY), ..old }).expect("a limit");
        panic::set_hook(Box::new(|panicked| {
            let told = panicked.to_string();
            let is_own = OWN.try_with(|own| own.borrow_mut().as_mut().map(|own| own.push(told.clone())).is_some());
            if is_own != Ok(true) {
                eprintln!("{told}");
                // A test that fails is no thread of a target.
                if thread::current().name().is_none_or(|name| name.starts_with("store")) {
                    ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner).push(told);
                }
            }
        }));
    });
}

/// Runs a target once; returns whether it understood the input.
///
/// # Errors
/// What went wrong.
pub(crate) fn run(target: &Target, input: &[u8]) -> Result<bool, String> {
    prepare();
    let _guard = guard(target.name, input);
    OWN.set(Some(Vec::new()));
    let began = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let took = began.elapsed();
    let mut panics = OWN.take().unwrap_or_default();
    panics.append(&mut ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner));
    if !panics.is_empty() {
        return Err(panics.join("\n"));
    }
    if took > LONGEST {
        return Err(format!("{} bytes took {took:?}", input.len()));
    }
    outcome.map_err(|_| "a panic without a message".to_owned())
}

/// Ends the process with the input when the guard is not dropped in time.
fn guard(name: &'static str, input: &[u8]) -> Sender<()> {
    thread_local! {
        static WATCH: RefCell<Option<Sender<Watched>>> = const { RefCell::new(None) };
    }
    struct Watched(&'static str, Vec<u8>, std::sync::mpsc::Receiver<()>);
    let (alive, done) = channel();
    WATCH.with_borrow_mut(|watch| {
        let watch = watch.get_or_insert_with(|| {
            let (give, take) = channel::<Watched>();
            thread::spawn(move || {
                for Watched(name, input, done) in take {
                    if done.recv_timeout(HANGS) == Err(RecvTimeoutError::Timeout) {
                        eprintln!("{name} hangs with {}", input.escape_ascii());
                        std::process::abort();
                    }
                }
            });
            give
        });
        watch.send(Watched(name, input.to_vec(), done)).expect("the watch runs");
    });
    alive
}
