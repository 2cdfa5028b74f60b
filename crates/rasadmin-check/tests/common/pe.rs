//! Builds small Windows DLLs byte by byte, which can be read but not run.

/// The contents of the file.
#[derive(Clone)]
pub struct Dll<'a> {
    /// 0x8664 (x86-64), 0x014c (x86) and so on.
    pub machine: u16,
    /// Whether it is a library, not a program.
    pub library: bool,
    /// The names of exports. `Name=OTHER.Function` is forwarded.
    pub exports: &'a [&'a str],
    /// The number of exports without a name.
    pub unnamed: u32,
    /// Libraries, with the functions that are imported from each.
    pub imports: &'a [(&'a str, &'a [&'a str])],
    /// The types of its base relocations: 3 is 32-bit, 10 is 64-bit.
    pub relocations: &'a [u16],
    /// Whether it has the flag DYNAMIC_BASE.
    pub placed_anywhere: bool,
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
        }
    }
}

/// The section's place in memory and in the file.
const RVA: u32 = 0x1000;
const OFFSET: u32 = 0x400;

/// The section's bytes, with addresses relative to the image.
struct Section(Vec<u8>);

impl Section {
    fn here(&self) -> u32 {
        RVA + self.0.len() as u32
    }

    fn word(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    fn text(&mut self, text: &str) -> u32 {
        let at = self.here();
        self.0.extend(text.as_bytes());
        self.0.push(0);
        at
    }

    fn align(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
    }

    /// Writes a word over an earlier one.
    fn patch(&mut self, rva: u32, value: u32) {
        let at = (rva - RVA) as usize;
        self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
}

impl Dll<'_> {
    /// The file's bytes.
    pub fn build(&self) -> Vec<u8> {
        let wide = self.machine == 0x8664 || self.machine == 0xaa64;
        let mut section = Section(Vec::new());
        let exports = self.write_exports(&mut section);
        section.align();
        let imports = self.write_imports(&mut section, wide);
        section.align();
        let relocations = self.write_relocations(&mut section);
        let size = section.0.len() as u32;
        let raw = size.next_multiple_of(0x200).max(0x200);
        let mut file = vec![0; 0x40];
        file[..2].copy_from_slice(b"MZ");
        file[0x3c] = 0x40;
        file.extend(b"PE\0\0");
        let optional: u16 = if wide { 240 } else { 224 };
        let characteristics: u16 = 0x0022 | if self.library { 0x2000 } else { 0 };
        file.extend(self.machine.to_le_bytes());
        file.extend(1u16.to_le_bytes());
        file.extend([0; 12]);
        file.extend(optional.to_le_bytes());
        file.extend(characteristics.to_le_bytes());
        let mut header = vec![0; usize::from(optional)];
        let mut put = |at: usize, value: u32| header[at..at + 4].copy_from_slice(&value.to_le_bytes());
        put(0, if wide { 0x20b } else { 0x10b });
        put(32, 0x1000);
        put(36, 0x200);
        put(56, RVA + raw.next_multiple_of(0x1000));
        put(60, OFFSET);
        // The low half is the subsystem, the high half the DLL's characteristics.
        put(68, if self.placed_anywhere { 0x0040_0000 } else { 0 });
        let directories = usize::from(optional) - 128;
        put(directories - 4, 16);
        for (n, (rva, len)) in [(0, exports), (1, imports), (5, relocations)] {
            put(directories + 8 * n, rva);
            put(directories + 8 * n + 4, len);
        }
        file.extend(header);
        file.extend(b".rdata\0\0");
        for value in [size, RVA, raw, OFFSET, 0, 0, 0, 0x4000_0040] {
            file.extend(value.to_le_bytes());
        }
        file.resize(OFFSET as usize, 0);
        file.extend(section.0);
        file.resize((OFFSET + raw) as usize, 0);
        file
    }

    fn write_exports(&self, section: &mut Section) -> (u32, u32) {
        if self.exports.is_empty() && self.unnamed == 0 {
            return (0, 0);
        }
        let start = section.here();
        let named = self.exports.len() as u32;
        let all = named + self.unnamed;
        let (addresses, names) = (start + 40, start + 40 + 4 * all);
        let ordinals = names + 4 * named;
        for value in [0, 0, 0, 0, 1, all, named, addresses, names, ordinals] {
            section.word(value);
        }
        // Code outside of the section: it is never called.
        (0..all).for_each(|n| section.word(0x10_0000 + 16 * n));
        (0..named).for_each(|_| section.word(0));
        (0..named).for_each(|n| section.0.extend((n as u16).to_le_bytes()));
        for (n, export) in self.exports.iter().enumerate() {
            let (name, forward) = export.split_once('=').unwrap_or((export, ""));
            let at = section.text(name);
            section.patch(names + 4 * n as u32, at);
            if !forward.is_empty() {
                let at = section.text(forward);
                section.patch(addresses + 4 * n as u32, at);
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
            section.0.extend(((kind << 12) | (8 * n as u16)).to_le_bytes());
        }
        (start, section.here() - start)
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
            let hints: Vec<u32> = functions
                .iter()
                .map(|function| {
                    section.0.resize(section.0.len().next_multiple_of(2), 0);
                    let at = section.here();
                    section.0.extend([0, 0]);
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
            section.patch(descriptor, thunks);
            section.patch(descriptor + 12, name);
            section.patch(descriptor + 16, thunks);
        }
        (start, len)
    }
}
