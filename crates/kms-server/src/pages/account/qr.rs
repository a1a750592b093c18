//! A QR code as a drawing in the page itself: nothing is fetched, and no script draws it.

use std::fmt::Write as _;

use kms_core::Error;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::ApiError;

/// Modules of white around the code (ISO/IEC 18004).
const QUIET: i32 = 4;

/// The drawing of a QR code, one unit a module.
pub(super) struct Drawing {
    /// Width and height.
    pub(super) size: i32,
    /// The dark modules as an SVG path.
    pub(super) path: String,
}

/// Draws a text.
pub(super) fn draw(text: &str) -> Result<Drawing, ApiError> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium);
    let code = code.map_err(|error| Error::Internal(Box::new(error)))?;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let dark = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let length = i32::try_from(dark).unwrap_or_default();
            if length > 0 {
                // Writing to a text does not fail.
                let _ = write!(path, "M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET);
            }
            x += length + 1;
        }
    }
    Ok(Drawing { size: code.size() + 2 * QUIET, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The drawing, as modules.
    fn modules(drawing: &Drawing) -> Vec<(i32, i32)> {
        let mut found = Vec::new();
        for run in drawing.path.split('M').skip(1) {
            let numbers: Vec<i32> = run
                .split(|character: char| !character.is_ascii_digit())
                .filter_map(|number| number.parse().ok())
                .collect();
            found.extend((0..numbers[2]).map(|step| (numbers[0] + step, numbers[1])));
        }
        found
    }

    #[test]
    fn every_dark_module_is_drawn_and_no_other() {
        let text = "otpauth://totp/Hanzo%20KMS:ada%40example.test?secret=ABCDEFGHIJKLMNOP";
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let mut expected = Vec::new();
        for y in 0..code.size() {
            let dark = (0..code.size()).filter(|x| code.get_module(*x, y));
            expected.extend(dark.map(|x| (x + QUIET, y + QUIET)));
        }
        let Ok(drawing) = draw(text) else { panic!("it is short enough") };
        assert_eq!(modules(&drawing), expected);
        assert_eq!(drawing.size, code.size() + 8);
    }
}
