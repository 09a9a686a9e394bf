//! What wasmtime makes of the contract. Nothing outside `sandbox` sees it.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "driver",
    with: {
        "wasi:clocks": wasmtime_wasi::p3::bindings::clocks,
        "orlop:driver/uploads.part": crate::part::Part,
        "orlop:driver/uploads.upload": crate::sandbox::uploads::LentUpload,
    },
    imports: { default: trappable },
    exports: { default: async | store },
    require_store_data_send: true,
});
