//! Reads the version in a Windows DLL's resources, without loading the DLL, on every platform.

use object::LittleEndian as LE;
use object::pe::{ImageNtHeaders32, ImageNtHeaders64, RT_VERSION};
use object::read::pe::{ImageNtHeaders, PeFile};
use std::path::Path;

/// The ProductVersion of a file. None if it is not a Windows file, or has no version.
pub fn product_version(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let resource = match object::FileKind::parse(&*bytes).ok()? {
        object::FileKind::Pe32 => resource::<ImageNtHeaders32>(&bytes),
        object::FileKind::Pe64 => resource::<ImageNtHeaders64>(&bytes),
        _ => None,
    };
    text(resource?, "ProductVersion", DEPTH)
}

/// The first VS_VERSIONINFO resource, in the first language.
fn resource<Pe: ImageNtHeaders>(bytes: &[u8]) -> Option<&[u8]> {
    let file = PeFile::<Pe>::parse(bytes).ok()?;
    let directory = file.data_directories().resource_directory(bytes, &file.section_table()).ok()??;
    let kinds = directory.root().ok()?;
    let kind = kinds.entries.iter().find(|kind| kind.name_or_id().id() == Some(RT_VERSION))?;
    let name = kind.data(directory).ok()?.table()?.entries.first()?;
    let language = name.data(directory).ok()?.table()?.entries.first()?;
    let data = language.data(directory).ok()?.data()?;
    let from = file.section_table().pe_data_at(bytes, data.offset_to_data.get(LE))?;
    from.get(..usize::try_from(data.size.get(LE)).ok()?)
}

/// The depth of the text in the resource: root, StringFileInfo, table, string.
const DEPTH: u32 = 4;

/// The value of the text named `wanted` in a node or its descendants. A node has its length, the length of its value, the
/// type of its value, its name, its value and its children; value and children are aligned to four bytes.
fn text(node: &[u8], wanted: &str, depth: u32) -> Option<String> {
    let half = |at: usize| Some(u16::from_le_bytes([*node.get(at)?, *node.get(at + 1)?]));
    let word = |at: usize| half(at).map(usize::from);
    let units = |from: usize| (from..).step_by(2).map_while(half).take_while(|unit| *unit != 0).collect::<Vec<u16>>();
    let name = units(6);
    let value = (6 + 2 * (name.len() + 1)).next_multiple_of(4);
    if name.iter().copied().eq(wanted.encode_utf16()) {
        return String::from_utf16(&units(value)).ok();
    }
    // The length of a text counts UTF-16 units, that of another value bytes.
    let length = if half(4)? == 1 { 2 * word(2)? } else { word(2)? };
    let mut child = (value + length).next_multiple_of(4);
    while depth > 0 && child < node.len() {
        let size = word(child)?;
        let within = node.get(child..child + size).filter(|_| size > 6)?;
        if let Some(found) = text(within, wanted, depth - 1) {
            return Some(found);
        }
        child = (child + size).next_multiple_of(4);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, kind: u16, value: &[u8], children: &[Vec<u8>]) -> Vec<u8> {
        let wide = |text: &str| text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let value_length = if kind == 1 { value.len() / 2 } else { value.len() };
        let mut bytes = [0, value_length as u16, kind].iter().flat_map(|half| half.to_le_bytes()).collect::<Vec<u8>>();
        bytes.extend(wide(name));
        for part in [value].into_iter().chain(children.iter().map(Vec::as_slice)) {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend(part);
        }
        let length = (bytes.len() as u16).to_le_bytes();
        bytes[..2].copy_from_slice(&length);
        bytes
    }

    #[test]
    fn a_text_is_found_and_damage_gives_none() {
        let wide = |text: &str| text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let strings = [("FileVersion", "1"), ("ProductVersion", "2.3.4-beta"), ("Z", "")];
        let strings = strings.map(|(name, value)| node(name, 1, &wide(value), &[]));
        let info = node("StringFileInfo", 1, &[], &[node("040904B0", 1, &[], &strings)]);
        let whole = node("VS_VERSION_INFO", 0, &[7; 52], &[node("VarFileInfo", 1, &[], &[]), info]);
        assert_eq!(text(&whole, "ProductVersion", DEPTH).as_deref(), Some("2.3.4-beta"));
        assert_eq!(text(&whole, "ProductName", DEPTH), None);
        for end in 0..whole.len() {
            let _ = text(&whole[..end], "ProductVersion", DEPTH);
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] = 0xff;
            let _ = text(&damaged, "ProductVersion", DEPTH);
        }
    }
}
