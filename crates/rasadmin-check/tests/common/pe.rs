//! Builds small Windows DLLs byte by byte. Each of their functions returns 0.

/// The contents of the file.
#[derive(Clone)]
pub struct Dll<'a> {
    /// 0x8664 (x86-64), 0x014c (x86) and so on.
    pub machine: u16,
    /// Whether it is a library, not a program.
    pub library: bool,
    /// The names of exports. `Name=OTHER.Function` is forwarded; `Name!data` leads to data, `Name!outside` to no section.
    pub exports: &'a [&'a str],
    /// The number of exports without a name.
    pub unnamed: u32,
    /// Libraries, with the functions that are imported from each.
    pub imports: &'a [(&'a str, &'a [&'a str])],
    /// The types of its base relocations: 3 is 32-bit, 10 is 64-bit.
    pub relocations: &'a [u16],
    /// Whether it has the flag DYNAMIC_BASE.
    pub placed_anywhere: bool,
    /// Libraries that are loaded at the first call, with the functions that are imported from each. The descriptors are in
    /// a section of their own.
    pub delayed: &'a [(&'a str, &'a [&'a str])],
    /// Whether it has a section with code.
    pub code: bool,
    /// The flags of its .NET header, if it has one: 1 is ILONLY, 2 is 32BITREQUIRED.
    pub managed: Option<u32>,
    /// Whether it has the flag FORCE_INTEGRITY.
    pub demands_signature: bool,
    /// Whether it has a signature, which is not valid.
    pub signed: bool,
}

impl Default for Dll<'_> {
    fn default() -> Self {
        Self {
            machine: 0x8664,
            library: true,
            exports: &[],
            unnamed: 0,
            imports: &[],
            relocations: &[],
            placed_anywhere: true,
            delayed: &[],
            code: true,
            managed: None,
            demands_signature: false,
            signed: false,
        }
    }
}

/// The place of the code in memory and in the file, and its size.
const CODE: u32 = 0x1000;
const CODE_OFFSET: u32 = 0x400;
const CODE_SIZE: u32 = 0x200;
/// The place of the data.
const RVA: u32 = 0x2000;
const OFFSET: u32 = CODE_OFFSET + CODE_SIZE;
/// The distance between two functions.
const STEP: u32 = 16;

/// A section's bytes, and its address in memory. Addresses are relative to the image.
struct Section {
    rva: u32,
    bytes: Vec<u8>,
}

impl Section {
    fn here(&self) -> u32 {
        self.rva + self.bytes.len() as u32
    }

    fn word(&mut self, value: u32) {
        self.bytes.extend(value.to_le_bytes());
    }

    fn text(&mut self, text: &str) -> u32 {
        let at = self.here();
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
        at
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
    }

    /// Writes a word over an earlier one.
    fn patch(&mut self, rva: u32, value: u32) {
        let at = (rva - self.rva) as usize;
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
}

impl Dll<'_> {
    /// The file's bytes.
    pub fn build(&self) -> Vec<u8> {
        let wide = self.machine == 0x8664 || self.machine == 0xaa64;
        let mut data = Section { rva: RVA, bytes: Vec::new() };
        let exports = self.write_exports(&mut data);
        data.align();
        let imports = self.write_imports(&mut data, wide);
        data.align();
        let relocations = self.write_relocations(&mut data);
        data.align();
        let managed = self.write_managed(&mut data);
        let delayed = self.write_delayed(&mut data, wide);
        let mut code = Section { rva: CODE, bytes: Vec::new() };
        while code.bytes.len() < CODE_SIZE as usize {
            // xor eax, eax; ret
            code.bytes.extend([0x31, 0xc0, 0xc3]);
            code.bytes.resize(code.bytes.len().next_multiple_of(STEP as usize), 0xcc);
        }
        let mut sections = vec![(b".text\0\0\0", code, if self.code { 0x6000_0020 } else { 0x4000_0040u32 })];
        sections.push((b".rdata\0\0", data, 0x4000_0040));
        let delayed_range = delayed.as_ref().map_or((0, 0), |s| (s.rva, s.bytes.len() as u32));
        sections.extend(delayed.map(|section| (b".didat\0\0", section, 0x4000_0040)));
        let end = sections.iter().map(|(_, s, _)| s.here().next_multiple_of(0x1000)).max().unwrap_or(RVA);

        let mut file = vec![0; 0x40];
        file[..2].copy_from_slice(b"MZ");
        file[0x3c] = 0x40;
        file.extend(b"PE\0\0");
        let optional: u16 = if wide { 240 } else { 224 };
        let characteristics: u16 = 0x0022 | if self.library { 0x2000 } else { 0 };
        file.extend(self.machine.to_le_bytes());
        file.extend((sections.len() as u16).to_le_bytes());
        file.extend([0; 12]);
        file.extend(optional.to_le_bytes());
        file.extend(characteristics.to_le_bytes());
        let mut header = vec![0; usize::from(optional)];
        let mut put = |at: usize, value: u32| header[at..at + 4].copy_from_slice(&value.to_le_bytes());
        put(0, if wide { 0x20b } else { 0x10b });
        // The preferred base: the low half in 64-bit images.
        put(if wide { 24 } else { 28 }, 0x1000_0000);
        put(32, 0x1000);
        put(36, 0x200);
        put(48, 6);
        put(56, end.next_multiple_of(0x1000));
        put(60, CODE_OFFSET);
        // The low half is the subsystem (2 is Windows), the high half the DLL's characteristics.
        let anywhere = if self.placed_anywhere { 0x0040_0000 } else { 0 };
        put(68, 2 | anywhere | if self.demands_signature { 0x0080_0000 } else { 0 });
        let directories = usize::from(optional) - 128;
        put(directories - 4, 16);
        let mut at = OFFSET;
        let mut table = Vec::new();
        for (name, section, flags) in &sections {
            let size = section.bytes.len() as u32;
            let raw = size.next_multiple_of(0x200).max(0x200);
            let offset = if section.rva == CODE { CODE_OFFSET } else { at };
            at = offset + raw;
            table.extend(name.iter());
            for value in [size, section.rva, raw, offset, 0, 0, 0, *flags] {
                table.extend(value.to_le_bytes());
            }
        }
        let signature = if self.signed { (at, 8) } else { (0, 0) };
        for (n, (rva, len)) in
            [(0, exports), (1, imports), (4, signature), (5, relocations), (13, delayed_range), (14, managed)]
        {
            put(directories + 8 * n, rva);
            put(directories + 8 * n + 4, len);
        }
        file.extend(header);
        file.extend(table);
        file.resize(CODE_OFFSET as usize, 0);
        for (_, section, _) in sections {
            let raw = section.bytes.len().next_multiple_of(0x200).max(0x200);
            let end = file.len() + raw;
            file.extend(section.bytes);
            file.resize(end, 0);
        }
        if self.signed {
            file.extend([8, 0, 0, 0, 0, 2, 2, 0]);
        }
        file
    }

    fn write_exports(&self, section: &mut Section) -> (u32, u32) {
        if self.exports.is_empty() && self.unnamed == 0 {
            return (0, 0);
        }
        section.bytes.resize(16, 0);
        let start = section.here();
        let named = self.exports.len() as u32;
        let all = named + self.unnamed;
        let (addresses, names) = (start + 40, start + 40 + 4 * all);
        let ordinals = names + 4 * named;
        for value in [0, 0, 0, 0, 1, all, named, addresses, names, ordinals] {
            section.word(value);
        }
        (0..all).for_each(|n| section.word(CODE + STEP * n % CODE_SIZE));
        (0..named).for_each(|_| section.word(0));
        (0..named).for_each(|n| section.bytes.extend((n as u16).to_le_bytes()));
        for (n, export) in self.exports.iter().enumerate() {
            let (export, leads) = export.split_once('!').unwrap_or((export, ""));
            let (name, forward) = export.split_once('=').unwrap_or((export, ""));
            let at = section.text(name);
            section.patch(names + 4 * n as u32, at);
            let address = match leads {
                // Before the table: an address inside it would be that of a forwarded export.
                "data" => Some(RVA),
                "outside" => Some(0x10_0000),
                _ if !forward.is_empty() => Some(section.text(forward)),
                _ => None,
            };
            if let Some(address) = address {
                section.patch(addresses + 4 * n as u32, address);
            }
        }
        (start, section.here() - start)
    }

    /// One block, for the section's first page.
    fn write_relocations(&self, section: &mut Section) -> (u32, u32) {
        if self.relocations.is_empty() {
            return (0, 0);
        }
        let start = section.here();
        section.word(RVA);
        section.word(8 + 2 * self.relocations.len() as u32);
        for (n, kind) in self.relocations.iter().enumerate() {
            section.bytes.extend(((kind << 12) | (8 * n as u16)).to_le_bytes());
        }
        (start, section.here() - start)
    }

    /// A .NET header, of which only the flags matter.
    fn write_managed(&self, section: &mut Section) -> (u32, u32) {
        const SIZE: u32 = 72;
        let Some(flags) = self.managed else { return (0, 0) };
        let start = section.here();
        for value in [SIZE, 0x0005_0002, 0, 0, flags] {
            section.word(value);
        }
        (0..SIZE / 4 - 5).for_each(|_| section.word(0));
        (start, SIZE)
    }

    /// The names go to the section of data, the descriptors to one of their own behind it.
    fn write_delayed(&self, data: &mut Section, wide: bool) -> Option<Section> {
        if self.delayed.is_empty() {
            return None;
        }
        let names: Vec<_> = self
            .delayed
            .iter()
            .map(|(library, functions)| (data.text(library), write_thunks(data, functions, wide)))
            .collect();
        let mut own = Section { rva: data.here().next_multiple_of(0x1000), bytes: Vec::new() };
        for (library, thunks) in names {
            for value in [1, library, 0, thunks, thunks, 0, 0, 0] {
                own.word(value);
            }
        }
        (0..8).for_each(|_| own.word(0));
        Some(own)
    }

    fn write_imports(&self, section: &mut Section, wide: bool) -> (u32, u32) {
        if self.imports.is_empty() {
            return (0, 0);
        }
        let start = section.here();
        for _ in 0..5 * (self.imports.len() + 1) {
            section.word(0);
        }
        let len = section.here() - start;
        for (n, (library, functions)) in self.imports.iter().enumerate() {
            let descriptor = start + 20 * n as u32;
            let name = section.text(library);
            let thunks = write_thunks(section, functions, wide);
            section.patch(descriptor, thunks);
            section.patch(descriptor + 12, name);
            section.patch(descriptor + 16, thunks);
        }
        (start, len)
    }
}

/// The names of imported functions, and a table that leads to them. Returns the table's address.
fn write_thunks(section: &mut Section, functions: &[&str], wide: bool) -> u32 {
    let hints: Vec<u32> = functions
        .iter()
        .map(|function| {
            section.bytes.resize(section.bytes.len().next_multiple_of(2), 0);
            let at = section.here();
            section.bytes.extend([0, 0]);
            section.text(function);
            at
        })
        .collect();
    section.align();
    let thunks = section.here();
    for hint in hints.into_iter().chain([0]) {
        section.word(hint);
        if wide {
            section.word(0);
        }
    }
    thunks
}

/// The offset of an entry of the data directory in a 64-bit file.
fn directory(bytes: &[u8], index: usize) -> usize {
    let header = u32::from_le_bytes(bytes[0x3c..0x40].try_into().unwrap()) as usize;
    header + 24 + 112 + 8 * index
}

/// Changes an entry of the data directory of a 64-bit file.
pub fn set_directory(bytes: &mut [u8], index: usize, address: u32, size: u32) {
    let at = directory(bytes, index);
    bytes[at..at + 4].copy_from_slice(&address.to_le_bytes());
    bytes[at + 4..at + 8].copy_from_slice(&size.to_le_bytes());
}

/// Appends a signature to a 64-bit file. It is not valid.
pub fn sign(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let offset = bytes.len() as u32;
    set_directory(bytes, 4, offset, 8);
    bytes.extend([8, 0, 0, 0, 0, 2, 2, 0]);
}

/// Makes a .NET assembly of a file, with these flags. The header lies in place of the DOS program, which nobody runs.
pub fn manage(bytes: &mut [u8], flags: u32) {
    const HEADER: u32 = 0x40;
    let at = HEADER as usize + 16;
    bytes[at..at + 4].copy_from_slice(&flags.to_le_bytes());
    set_directory(bytes, 14, HEADER, 72);
}

/// The address of an export, relative to the image.
pub fn address_of(bytes: &[u8], export: &str) -> u32 {
    let file = object::read::pe::PeFile64::parse(bytes).unwrap();
    let table = file.export_table().unwrap().unwrap();
    let found = table.exports().unwrap().into_iter().find(|e| e.name == Some(export.as_bytes()));
    match found.map(|e| e.target) {
        Some(object::read::pe::ExportTarget::Address(address)) => address,
        _ => panic!("there is no {export}"),
    }
}
