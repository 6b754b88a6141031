//! stub
mod scan;
#[derive(clap::Parser)]
enum Cli {
    Scan(scan::ScanArgs),
}
fn main() -> std::process::ExitCode {
    let Cli::Scan(a) = clap::Parser::parse();
    scan::run(&a)
}
