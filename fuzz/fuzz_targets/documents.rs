#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &str| orlop_driver_s3::fuzz::documents(body));
