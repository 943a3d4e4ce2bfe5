//! What is sent in place of an image, and what is said about it.

use grnet_image::{Error, ErrorKind, Limits, Text, probe};

fn kind(bytes: &[u8]) -> Text {
    let error = probe(bytes, &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadImage);
    match error {
        Error::NoImage { text } => text,
        other => panic!("{}: {other}", String::from_utf8_lossy(bytes)),
    }
}

#[test]
fn every_text_is_called_what_it_is() {
    for (text, wanted) in [
        ("/srv/images/1.jpg", Text::Path),
        ("/srv/images/without-an-ending", Text::Path),
        ("./1.png\n", Text::Path),
        ("../1.png", Text::Path),
        ("~/Pictures/dress.HEIC", Text::Path),
        ("C:\\images\\1.jpg", Text::Path),
        ("c:/images/1.jpg", Text::Path),
        ("\\\\server\\images\\1.jpg", Text::Path),
        ("file:///srv/images/1.jpg", Text::Path),
        ("dress.webp", Text::Path),
        ("a red dress.TIFF", Text::Path),
        ("\"/srv/images/1.jpg\"", Text::Path),
        ("http://example.org/1.jpg", Text::Url),
        ("https://example.org/?id=1", Text::Url),
        ("s3://bucket/1.jpg", Text::Url),
        ("gs://bucket/1", Text::Url),
        ("www.example.org/1", Text::Url),
        ("\\xffd8ffe000104a464946", Text::Hex),
        ("\\x1234", Text::Hex),
        ("FFD8FFE000104A464946", Text::Hex),
        ("ffd8ffe0 00104a46 4946", Text::Hex),
        ("0x89504e470d0a1a0a", Text::Hex),
        ("\\377\\330\\377\\340\\000\\020JFIF", Text::Escaped),
        ("\\211PNG\\015\\012", Text::Escaped),
        ("/9j/4AAQSkZJRgABAQ", Text::Base64),
        ("/9j/4AAQSkZJ\nRgABAQAAAQ\nABAAD/2wBD", Text::Base64),
        ("iVBORw0KGgoAAAANSUhEUgAA", Text::Base64),
        ("R0lGODlhAQABAIAAAP", Text::Base64),
        ("UklGRiQAAABXRUJQVlA4IBgAAAAwAQCd", Text::Base64),
        ("AAAAGGZ0eXBoZWljAAAAAG1pZjFoZWlj", Text::Base64),
        ("data:image/png;base64,iVBORw0KGgo", Text::DataUrl),
        ("an image of a red dress, front view", Text::Plain),
        ("face", Text::Plain),
        ("deadbeef", Text::Plain),
        ("BMW is a car maker, not a bitmap", Text::Plain),
        ("null", Text::Plain),
    ] {
        assert_eq!(kind(text.as_bytes()), wanted, "{text}");
    }
    // Bytes that went through a text column: converted, or lost.
    assert_eq!(kind("\u{ff}\u{d8}\u{ff}\u{e0}\0\u{10}JFIF".as_bytes()), Text::Utf8);
    assert_eq!(kind("\u{fffd}\u{fffd}\u{fffd}\u{fffd}\0\u{10}JFIF".as_bytes()), Text::Utf8);
    assert_eq!(kind("\u{89}PNG\r\n\u{1a}\n".as_bytes()), Text::Utf8);
    // A long text that begins as a path does is a text.
    assert_eq!(kind(format!("/ {}", "words ".repeat(2000)).as_bytes()), Text::Plain);
}

/// One sentence about what it is, one about what to do, and the list of formats in neither twice.
#[test]
fn messages_and_hints_say_what_to_send() {
    let said = |bytes: &[u8]| {
        let error = probe(bytes, &Limits::default()).unwrap_err();
        (error.to_string(), error.hint().unwrap_or_default())
    };
    let (message, hint) = said(b"/srv/images/1.jpg");
    assert_eq!(message, "these bytes are a path, not an image");
    assert!(hint.contains("pg_read_binary_file") && hint.contains("base64"), "{hint}");
    for bytes in
        [&b"http://example.org/1.jpg"[..], b"\\xffd8ffe0", b"/9j/4AAQSkZJRg", b"words", b"%PDF-1.7", b"\0\0\0\0", b""]
    {
        let (message, hint) = said(bytes);
        assert!(!message.contains("JPEG, PNG"), "{message}");
        assert!(hint.matches("JPEG, PNG").count() <= 1 && hint.ends_with('.'), "{hint}");
    }
}
