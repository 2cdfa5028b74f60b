//! Encodes VS_VERSIONINFO, which Explorer shows under Details.

/// Encodes the resource for a version `1.2.3`. A suffix such as `-beta.1` is only in the text.
pub fn information(version: &str) -> Vec<u8> {
    let number = version.split(['-', '+']).next().unwrap_or_default();
    let mut parts = number.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    let (high, low) = (part() << 16 | part(), part() << 16);
    // Signature, structure version, file version, product version, mask, flags, OS (NT), type (DLL), subtype, date.
    let fixed = [0xfeef_04bd, 0x0001_0000, high, low, high, low, 0x3f, 0, 0x0004_0004, 2, 0, 0, 0];
    let fixed: Vec<u8> = fixed.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    let strings = [
        ("FileDescription", "rasadmin: RAS administration DLL"),
        ("FileVersion", version),
        ("InternalName", "rasadmin"),
        ("LegalCopyright", "MIT OR Apache-2.0"),
        ("OriginalFilename", "rasadmin.dll"),
        ("ProductName", "rasadmin"),
        ("ProductVersion", version),
    ];
    let strings: Vec<Vec<u8>> = strings.iter().map(|(name, value)| text(name, value)).collect();
    // English, UTF-16.
    let table = block("040904B0", Value::None, &strings);
    let translation: Vec<u8> = [0x0409_u16, 0x04b0].iter().flat_map(|half| half.to_le_bytes()).collect();
    let translation = block("Translation", Value::Binary(&translation), &[]);
    let parts = [block("StringFileInfo", Value::None, &[table]), block("VarFileInfo", Value::None, &[translation])];
    block("VS_VERSION_INFO", Value::Binary(&fixed), &parts)
}

enum Value<'a> {
    None,
    Binary(&'a [u8]),
    Text(&'a str),
}

fn text(name: &str, value: &str) -> Vec<u8> {
    block(name, Value::Text(value), &[])
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// Encodes a node: its length, the length of its value (in UTF-16 units for a text), its type, name, value and
/// children. Each part begins at a multiple of four.
fn block(name: &str, value: Value<'_>, children: &[Vec<u8>]) -> Vec<u8> {
    let (length, kind, value) = match value {
        Value::None => (0, 1_u16, Vec::new()),
        Value::Binary(bytes) => (bytes.len(), 0, bytes.to_vec()),
        Value::Text(text) => (wide(text).len() / 2, 1, wide(text)),
    };
    let half = |number: usize| u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes();
    let mut bytes = [half(0), half(length), kind.to_le_bytes()].concat();
    bytes.extend(wide(name));
    for part in std::iter::once(&value).chain(children).filter(|part| !part.is_empty()) {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(part);
    }
    let whole = half(bytes.len());
    bytes[..2].copy_from_slice(&whole);
    bytes
}
