#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| orlop_driver_s3::fuzz::paths(text));
