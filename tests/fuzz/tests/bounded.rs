//! Every target over its corpus, and over mutations of it: no panic anywhere, and an end in bounded time and memory.
//!
//! `SAMPAN_FUZZ_SEED` and `SAMPAN_FUZZ_ITERATIONS` (mutations of each target) repeat and lengthen the run. A failure
//! is shrunk and printed as the file that belongs into the corpus.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod mutation;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};

use mutation::{Edit, Mutator};
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use sampan_tests_fuzz::{TARGETS, Target};

const SEED: u64 = 20_261_121;
/// Bytes of the seeds of all targets together: a corpus of a fuzzer grows without end if nobody looks.
const LARGEST_CORPUS: u64 = 400 * 1024;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn corpus_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<_> =
        fs::read_dir(corpus_of(name)).expect("a corpus").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs a target over its corpus and over `iterations` mutations, unless the environment says another number.
fn hold(name: &str, iterations: u64) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let seeds = seeds(name);
    let understood: Vec<bool> = seeds.iter().map(|seed| watch::run(target, seed).expect("the corpus holds")).collect();
    assert!(understood.contains(&true), "{name}: nothing of the corpus is understood, so nothing behind it is tested");
    let seed = number("SAMPAN_FUZZ_SEED", SEED);
    let iterations = number("SAMPAN_FUZZ_ITERATIONS", iterations);
    println!("{name}: {} seeds, {iterations} mutations, SAMPAN_FUZZ_SEED={seed}", seeds.len());
    mutate(target, &Mutator::new(seeds), seed, iterations);
}

fn mutate(target: &Target, mutator: &Mutator, seed: u64, iterations: u64) {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().zip(seed.to_le_bytes().into_iter().chain(target.name.bytes())) {
        *place = byte;
    }
    let config = Config {
        cases: u32::try_from(iterations).unwrap(),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let outcome = runner.run(&mutation::strategy(), |(from, edits): (Index, Vec<Edit>)| {
        watch::run(target, &mutator.apply(from, &edits)).map(drop).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, (from, edits))) => {
            let input = mutator.apply(from, &edits);
            let place = std::env::temp_dir().join(format!("sampan-fuzz-{}-{}", target.name, std::process::id()));
            fs::write(&place, &input).unwrap();
            panic!("{}: {why}\n{} (in {})", target.name, input.escape_ascii(), place.display());
        }
        Err(TestError::Abort(why)) => panic!("{}: {why}", target.name),
    }
}

macro_rules! holds {
    ($($name:ident: $iterations:literal;)+) => {
        $(
            #[test]
            fn $name() {
                hold(stringify!($name), $iterations);
            }
        )+

        #[test]
        fn every_target_has_its_test() {
            let tested = [$(stringify!($name)),+];
            assert_eq!(TARGETS.iter().map(|target| target.name).collect::<Vec<_>>(), tested);
        }
    };
}

holds! {
    export_request: 1500;
    copy_request: 1500;
    share_request: 1500;
    billing_request: 1500;
    operations_request: 600;
    quota_request: 1000;
    rpc: 1000;
    tencent_api: 1500;
    tencent_cos: 1500;
    tencent_credentials: 500;
    alibaba_ecs: 1500;
    alibaba_oss: 1500;
    alibaba_credentials: 500;
    configuration: 500;
    policy: 1000;
    prices: 150;
    bearer: 1000;
    certificate: 3000;
    forwarded_client: 3000;
    row: 300;
    journal: 2000;
    redis_answer: 3000;
    redis_address: 3000;
    archive: 200;
    download_notes: 300;
}

#[test]
fn every_target_is_given_to_libfuzzer_and_every_corpus_to_a_target() {
    let names: Vec<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let in_folder = |folder: &str| {
        let mut found: Vec<_> = fs::read_dir(here.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        found.sort();
        found
    };
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(in_folder("fuzz/fuzz_targets"), sorted);
    assert_eq!(in_folder("corpus"), sorted);
    let manifest = fs::read_to_string(here.join("fuzz/Cargo.toml")).unwrap();
    for name in &names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is no binary");
        let source = fs::read_to_string(here.join(format!("fuzz/fuzz_targets/{name}.rs"))).unwrap();
        assert!(source.contains(&format!("sampan_tests_fuzz::{name}(data)")), "{name} runs something else");
    }
}

#[test]
fn the_corpus_stays_small() {
    let sizes = TARGETS.iter().flat_map(|target| seeds(target.name)).map(|seed| seed.len() as u64);
    assert!(sizes.sum::<u64>() <= LARGEST_CORPUS);
}
