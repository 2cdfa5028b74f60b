//! Generates the reference page, docs/functions.md.

mod c;
mod csharp;
mod fields;
mod functions;
mod life_cycle;
mod notes;

use std::fmt::Write as _;

pub use c::callbacks_table as c_callbacks_table;

/// The text of docs/functions.md. A test compares the file with it.
pub fn reference_page() -> String {
    let mut page = String::from(
        "# The functions of a RAS administration DLL\n\n\
         Generated from the tables in `crates/mprapi/src` (`cargo xtask bless`). Facts in more detail, each with its \
         evidence, are in [rras-behaviour.md](rras-behaviour.md). [writing-a-dll.md](writing-a-dll.md) leads from an \
         empty folder to a DLL that has been tested.\n\n",
    );
    let mut section = |heading: &str, text: String| {
        let _ = write!(page, "## {heading}\n\n{}\n\n", text.trim_end()); // Writing to a String cannot fail.
    };
    section("The life cycle", life_cycle::STEPS.to_owned());
    section("Rules for every function", life_cycle::RULES.to_owned());
    section("All functions", functions::summary());
    section("The callbacks table", fields::callbacks_section());
    section("Each function", functions::each());
    section("Structures", fields::structures_section());
    section("C#", csharp::section());
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}
