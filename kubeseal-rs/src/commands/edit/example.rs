//! What a new document holds before somebody writes in it.

use decryptor::format::Format;

/// A small document that shows what can be written.
pub(super) fn text(format: Format) -> &'static str {
    match format {
        Format::Yaml => {
            "\
hello: Write your own keys and values here
example_key: example_value
# A comment is encrypted too
example_array:
    - example_value1
    - example_value2
example_number: 1234.56789
example_booleans:
    - true
    - false
"
        }
        Format::Json => {
            "\
{
\t\"hello\": \"Write your own keys and values here\",
\t\"example_key\": \"example_value\",
\t\"example_array\": [
\t\t\"example_value1\",
\t\t\"example_value2\"
\t],
\t\"example_number\": 1234.56789,
\t\"example_booleans\": [
\t\ttrue,
\t\tfalse
\t]
}
"
        }
        Format::Dotenv => {
            "\
# A comment is encrypted too
hello=Write your own keys and values here
example_key=example_value
example_multiline=foo\\nbar\\nbaz
"
        }
        Format::Ini => {
            "\
; A comment is encrypted too
[Welcome!]
hello       = Write your own keys and values here
example_key = example_value
"
        }
        Format::Binary => "Write anything here\n",
    }
}
