//! The orientation inside XMP, the XML that Adobe's programs put beside EXIF or in its place.

/// The first digit that `tiff:Orientation` has as an attribute or as an element, as Pillow looks for it.
pub(crate) fn orientation(packet: &[u8]) -> Option<u32> {
    const NAME: &[u8] = b"tiff:Orientation";
    let mut rest = packet;
    while let Some(at) = rest.windows(NAME.len()).position(|window| window == NAME) {
        rest = &rest[at + NAME.len()..];
        let value = rest.strip_prefix(b"=\"").or_else(|| rest.strip_prefix(b"='")).or_else(|| rest.strip_prefix(b">"));
        if let Some(digit @ b'0'..=b'9') = value.and_then(<[u8]>::first) {
            return Some(u32::from(digit - b'0'));
        }
    }
    None
}
