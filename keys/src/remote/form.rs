//! Forms (RFC 6749, appendix B), with secrets in them.

use zeroize::Zeroizing;

/// A form of these fields.
pub(super) fn form(fields: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    let length = |(name, value): &(&str, &str)| name.len() + 2 + value.len() * 3;
    // Growing would leave copies behind.
    let mut form = Zeroizing::new(Vec::with_capacity(fields.iter().map(length).sum()));
    for (name, value) in fields {
        if !form.is_empty() {
            form.push(b'&');
        }
        form.extend_from_slice(name.as_bytes());
        form.push(b'=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                form.push(byte);
            } else {
                let digit = |half: u8| b"0123456789ABCDEF"[usize::from(half)];
                form.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    form
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn whatever_means_something_else_is_escaped() {
        let fields = [("a", "x-._~1"), ("b", "+/=& é\n"), ("c", "")];
        let expected = "a=x-._~1&b=%2B%2F%3D%26%20%C3%A9%0A&c=";
        assert_eq!(form(&fields).as_slice(), expected.as_bytes());
    }
}
