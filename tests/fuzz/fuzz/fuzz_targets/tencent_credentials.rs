#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sampan_tests_fuzz::tencent_credentials(data);
});
