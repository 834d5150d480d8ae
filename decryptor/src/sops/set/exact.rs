//! Whole numbers that documents cannot hold: SOPS has 64 bits and a sign for them, and would make others of larger ones.

/// Whether a whole number in JSON does not fit.
pub(super) fn too_large(json: &str) -> bool {
    let mut rest = json;
    while let Some(start) = rest.find(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    {
        rest = &rest[start..];
        if rest.starts_with('"') {
            rest = behind_text(rest);
            continue;
        }
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(end);
        let is_whole = !number.contains(['.', 'e', 'E']);
        if is_whole && number.parse::<i64>().is_err() {
            return true;
        }
        rest = behind;
    }
    false
}

/// What comes behind a text in double quotes.
fn behind_text(json: &str) -> &str {
    let mut escaped = false;
    let end = json[1..].find(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    });
    end.map_or("", |end| &json[end + 2..])
}

#[cfg(test)]
mod tests {
    use super::too_large;

    #[test]
    fn only_whole_numbers_outside_of_texts_count() {
        let large = "9223372036854775808";
        for (json, expected) in [
            ("9223372036854775807", false),
            ("-9223372036854775808", false),
            (large, true),
            ("{\"a\": [1, 9223372036854775808]}", true),
            ("\"9223372036854775808\"", false),
            (r#""\\" 9223372036854775808"#, true),
            (r#""\" 9223372036854775808""#, false),
            ("9223372036854775808.5", false),
            ("1e30", false),
            ("\"é", false),
        ] {
            assert_eq!(too_large(json), expected, "{json}");
        }
    }
}
