//! Reads traces.

use crate::call::{Buffer, Call, Header, VERSION};
use crate::json::from_json;
use mprapi::FunctionId;
use mprapi::contract::Returns;
use serde_json::Value;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// An error in a trace, with its place.
#[derive(Debug)]
pub struct TraceError {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, from 1. 0 if the error concerns the whole file.
    pub line: usize,
    /// What was found, and what was expected.
    pub message: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for TraceError {}

/// Reads a trace call by call.
pub struct Reader<R> {
    file: String,
    input: R,
    line: usize,
    header: Header,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header. `file` is the trace's name in error messages.
    ///
    /// # Errors
    /// If the input cannot be read, is not a trace, or has another version.
    pub fn new(file: impl Into<String>, mut input: R) -> Result<Self, TraceError> {
        let file = file.into();
        let fail = |message: String| TraceError { file: file.clone(), line: 1, message };
        let mut first = String::new();
        input.read_line(&mut first).map_err(|e| fail(format!("cannot read: {e}")))?;
        let header: Header = serde_json::from_str(&first).map_err(|_| {
            fail("expected a trace's header, {\"trace\":\"rasadmin\",\"version\":1,…}: this may not be a trace".into())
        })?;
        if header.trace != "rasadmin" || header.version != VERSION {
            let message = format!(
                "this is `{}` version {}; expected `rasadmin` version {VERSION}: record it again with this version",
                header.trace, header.version
            );
            return Err(fail(message));
        }
        Ok(Self { file, input, line: 1, header })
    }

    /// The trace's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn next_call(&mut self) -> Result<Option<Call>, TraceError> {
        loop {
            let mut text = String::new();
            self.line += 1;
            let read = self.input.read_line(&mut text).map_err(|e| self.error(format!("cannot read: {e}")))?;
            if read == 0 {
                return Ok(None);
            }
            if !text.trim().is_empty() {
                let call = parse(&text).map_err(|message| self.error(message))?;
                if call.dll >= self.header.dlls.len() {
                    let known = self.header.dlls.len();
                    return Err(self.error(format!("`dll` is {}, but the header names only {known}", call.dll)));
                }
                return Ok(Some(call));
            }
        }
    }

    fn error(&self, message: String) -> TraceError {
        TraceError { file: self.file.clone(), line: self.line, message }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Call, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_call().transpose()
    }
}

/// Reads a whole trace file.
///
/// # Errors
/// If the file cannot be read or has an error.
pub fn read_trace(path: &Path) -> Result<(Header, Vec<Call>), TraceError> {
    let file = path.display().to_string();
    let input = std::fs::File::open(path).map_err(|e| TraceError {
        file: file.clone(),
        line: 0,
        message: format!("cannot open the trace: {e}"),
    })?;
    let reader = Reader::new(file, BufReader::new(input))?;
    let header = reader.header().clone();
    Ok((header, reader.collect::<Result<_, _>>()?))
}

fn parse(text: &str) -> Result<Call, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| {
        format!("expected one call as a JSON object on this line; {}", e.to_string().replace(" at line 1", ""))
    })?;
    let number = |key: &str| value.get(key).and_then(Value::as_u64).ok_or_else(|| format!("expected a number `{key}`"));
    let name = value.get("call").and_then(Value::as_str).ok_or("expected `call`, the function's name")?;
    let function = FunctionId::from_name(name)
        .ok_or_else(|| format!("there is no function `{name}`: expected a name like MprAdminAcceptNewLink"))?;
    let row = function.row();
    let given = value.get("arguments").ok_or("expected `arguments`")?;
    let arguments = row
        .arguments
        .iter()
        .map(|argument| {
            let label = argument.ty.label();
            let value = given.get(label).ok_or_else(|| format!("`arguments` of {name} must have `{label}`"))?;
            from_json(argument.ty, value)
        })
        .collect::<Result<Vec<Buffer>, String>>()?;
    let mut after = Vec::new();
    if let Some(changed) = value.get("after") {
        for argument in row.arguments {
            if let Some(value) = changed.get(argument.ty.label()) {
                after.push((argument.ty, from_json(argument.ty, value)?));
            }
        }
    }
    let result = match (row.returns, value.get("result")) {
        (Returns::Nothing, _) => None,
        (_, Some(result)) => {
            let result = result.as_u64().and_then(|r| u32::try_from(r).ok());
            Some(result.ok_or("`result` must be a number of 32 bits")?)
        }
        (_, None) => return Err(format!("expected `result`: {name} returns something")),
    };
    Ok(Call {
        seq: number("seq")?,
        at_us: number("at_us")?,
        dll: usize::try_from(number("dll")?).map_err(|_| "`dll` is too large")?,
        function,
        arguments,
        result,
        after,
        took_ns: number("took_ns")?,
    })
}
