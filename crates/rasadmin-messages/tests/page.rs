//! docs/messages.md is what the catalogue says.

#[test]
fn the_page_is_what_the_catalogue_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/messages.md");
    let page = rasadmin_messages::page();
    if std::env::var_os("RASADMIN_BLESS").is_some() {
        std::fs::write(path, &page).expect("docs/messages.md can be written");
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(checked_in == page, "docs/messages.md is stale: run `cargo xtask bless`");
}
