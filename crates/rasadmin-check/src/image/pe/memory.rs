//! A Windows image as it lies in memory once it is loaded. A table of the image may lead into any of its sections.

use super::super::Target;
use object::LittleEndian as LE;
use object::pe::{IMAGE_SCN_MEM_EXECUTE, ImageSectionHeader};
use object::read::coff::SectionTable;
use std::cell::Cell;

/// The image, addressed relative to its base.
pub(super) struct Memory<'a> {
    bytes: &'a [u8],
    sections: SectionTable<'a>,
    /// The size of the headers, which lie before the sections.
    headers: u32,
    /// How many bytes of tables and texts may still be read.
    budget: Cell<usize>,
}

/// How often the bytes of a file may be read: names may be shared, but not a million times.
const READINGS: usize = 4;
const SMALL_FILE: usize = 1 << 16;

impl<'a> Memory<'a> {
    pub(super) fn new(bytes: &'a [u8], sections: SectionTable<'a>, headers: u32) -> Self {
        let budget = Cell::new(READINGS * bytes.len().max(SMALL_FILE));
        Self { bytes, sections, headers, budget }
    }

    /// What is in the file from an address to the end of its section.
    pub(super) fn at(&self, address: u32) -> Option<&'a [u8]> {
        if address < self.headers {
            let end = self.bytes.len().min(self.headers as usize);
            return self.bytes.get(address as usize..end);
        }
        self.sections.pe_data_at(self.bytes, address)
    }

    pub(super) fn word(&self, address: u32) -> Option<u32> {
        Some(u32::from_le_bytes(*self.at(address)?.first_chunk()?))
    }

    pub(super) fn half(&self, address: u32) -> Option<u16> {
        Some(u16::from_le_bytes(*self.at(address)?.first_chunk()?))
    }

    /// A text up to its terminator.
    pub(super) fn text(&self, address: u32) -> Option<&'a [u8]> {
        let rest = self.at(address)?;
        let limit = rest.len().min(self.budget.get());
        let end = rest.get(..limit)?.iter().position(|&byte| byte == 0)?;
        self.spend(end + 1)?;
        rest.get(..end)
    }

    /// Accounts for bytes that are read. None once there are too many: the tables of a file that somebody made for that
    /// purpose can lead to the same bytes again and again.
    pub(super) fn spend(&self, bytes: usize) -> Option<()> {
        self.budget.set(self.budget.get().checked_sub(bytes)?);
        Some(())
    }

    /// Whether a section is executable.
    pub(super) fn has_code(&self) -> bool {
        self.sections.iter().any(|section| is_code(section) && extent(section) > 0)
    }

    /// What is at the address of an exported function.
    pub(super) fn target(&self, address: u32) -> Target {
        let found = self.sections.iter().find(|section| {
            address.checked_sub(section.virtual_address.get(LE)).is_some_and(|offset| offset < extent(section))
        });
        match found {
            Some(section) if is_code(section) => Target::Code,
            Some(section) => Target::Data(super::super::text(section.raw_name())),
            None if address < self.headers => Target::Data("headers".into()),
            None => Target::Outside,
        }
    }
}

fn is_code(section: &ImageSectionHeader) -> bool {
    section.characteristics.get(LE) & IMAGE_SCN_MEM_EXECUTE != 0
}

/// The size of a section in memory. An old linker may leave the virtual size 0.
fn extent(section: &ImageSectionHeader) -> u32 {
    section.virtual_size.get(LE).max(section.size_of_raw_data.get(LE))
}
