//! Writes traces.

use crate::call::{Call, Header};
use crate::json::to_json;
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Writes a trace, one line per call. Each line is flushed, so that a crash loses no earlier call.
pub struct Writer<W: Write> {
    output: W,
    seq: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn new(mut output: W, header: &Header) -> io::Result<Self> {
        write_line(&mut output, &serde_json::to_value(header)?)?;
        Ok(Self { output, seq: 0 })
    }

    /// Writes a call. Its `seq` is replaced by the next number.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn call(&mut self, call: &Call) -> io::Result<()> {
        self.seq += 1;
        let arguments: Map<String, Value> = call
            .function
            .row()
            .arguments
            .iter()
            .zip(&call.arguments)
            .map(|(argument, buffer)| (argument.ty.label().to_owned(), to_json(argument.ty, buffer)))
            .collect();
        let mut line = json!({
            "seq": self.seq, "at_us": call.at_us, "dll": call.dll, "call": call.function.name(),
            "arguments": arguments, "took_ns": call.took_ns,
        });
        if let Some(result) = call.result {
            line["result"] = json!(result);
        }
        if !call.after.is_empty() {
            let after: Map<String, Value> =
                call.after.iter().map(|(ty, buffer)| (ty.label().to_owned(), to_json(*ty, buffer))).collect();
            line["after"] = Value::Object(after);
        }
        write_line(&mut self.output, &line)
    }

    /// Returns the underlying writer.
    pub fn into_inner(self) -> W {
        self.output
    }
}

/// Writes a line in one step, so that two processes that append to one file do not mix their lines.
fn write_line(output: &mut impl Write, value: &Value) -> io::Result<()> {
    let mut line = value.to_string();
    line.push('\n');
    output.write_all(line.as_bytes())?;
    output.flush()
}
