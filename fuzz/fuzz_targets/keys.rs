#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|key: &str| orlop_driver_s3::fuzz::keys(key));
