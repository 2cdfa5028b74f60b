//! Writes a compiled resource file, `.res`: each resource has a header before it.

/// English (United States), which Windows falls back to.
const LANGUAGE: u16 = 0x0409;

/// Encodes a file with these resources (type and bytes). Each has the number 1 in its type.
pub fn file(resources: &[(u16, &[u8])]) -> Vec<u8> {
    // An empty resource marks the file as 32-bit.
    let mut bytes = header(0, 0, 0, 0);
    for (kind, data) in resources {
        bytes.extend(header(u32::try_from(data.len()).unwrap_or(u32::MAX), *kind, 1, LANGUAGE));
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

fn header(size: u32, kind: u16, number: u16, language: u16) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32);
    bytes.extend([size, 32].iter().flat_map(|word| word.to_le_bytes()));
    // 0xFFFF: a number follows instead of a name.
    bytes.extend([0xffff, kind, 0xffff, number].iter().flat_map(|half| half.to_le_bytes()));
    bytes.extend(0_u32.to_le_bytes()); // The data's version.
    bytes.extend([0_u16, language].iter().flat_map(|half| half.to_le_bytes())); // Flags; the language.
    bytes.extend([0_u32, 0].iter().flat_map(|word| word.to_le_bytes())); // Version; characteristics.
    bytes
}
