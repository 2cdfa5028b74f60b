//! The child process for the tests of this crate. In the product, `rasadmin` itself is the child.
#![forbid(unsafe_code)]

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != rasadmin_check::CHILD_SUBCOMMAND) {
        eprintln!("rasadmin-check-child is for rasadmin's own tests");
        std::process::exit(2);
    }
    std::process::exit(rasadmin_check::child_main(arguments));
}
