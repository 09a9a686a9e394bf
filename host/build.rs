//! Builds the drivers that the library carries inside.

fn main() {
    let component = orlop_driver_build::build("orlop-driver-s3");
    let mut stdout = std::io::stdout().lock();
    let line = format!("cargo::rustc-env=ORLOP_DRIVER_S3={}\n", component.display());
    if std::io::Write::write_all(&mut stdout, line.as_bytes()).is_err() {
        std::process::exit(1);
    }
}
