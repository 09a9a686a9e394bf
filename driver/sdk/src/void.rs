//! What a standard library would like from the outside and no driver may have.
//!
//! Rust's standard library reads an environment variable when it panics, and C's can end a process. Both would
//! stand among the component's imports, though a driver has neither environment nor process. So they are
//! answered here, inside: the environment is empty, and the end of the process is a trap.

#![expect(
    unsafe_code,
    reason = "stands in for two functions of wasi-libc, by their names"
)]

/// An empty environment: no list, no length.
#[unsafe(no_mangle)]
extern "C" fn __wasm_import_environment_get_environment(list: *mut [usize; 2]) {
    // SAFETY: wasi-libc passes the place of a pointer and a length.
    unsafe { list.write([0, 0]) }
}

/// There is no process to end.
#[unsafe(no_mangle)]
extern "C" fn __wasm_import_exit_exit(_status: i32) {
    core::arch::wasm32::unreachable()
}
