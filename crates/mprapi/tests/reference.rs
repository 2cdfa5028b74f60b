//! docs/functions.md matches the table.

#[test]
fn the_reference_page_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/functions.md");
    let page = mprapi::reference_page();
    if std::env::var_os("RASADMIN_BLESS").is_some() {
        std::fs::write(path, &page).expect("docs/functions.md can be written");
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(checked_in == page, "docs/functions.md is stale: run `cargo xtask bless`");
}
