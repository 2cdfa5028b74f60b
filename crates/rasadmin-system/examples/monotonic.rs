//! Prints the machine's monotonic clock, in nanoseconds.

fn main() {
    println!("{}", rasadmin_system::monotonic::monotonic().as_nanos());
}
