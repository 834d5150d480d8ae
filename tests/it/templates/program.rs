//! Template programs made from a string of choices: shorter and smaller choices give simpler programs.

use decryptor::sealed::template::Dot;

/// Bytes that decide what comes next; when they are used up, the first alternative.
pub(super) struct Choices<'s> {
    seed: &'s [u8],
    depth: usize,
    /// Variables that are declared here.
    variables: Vec<String>,
    /// Within a range.
    ranges: usize,
}

/// Strings that meet the edges of string functions.
const TEXTS: &[&str] = &[
    "a",
    "",
    "abc",
    "Hello World",
    "foo_bar-baz",
    "HTTPServer2Go",
    "  pad ",
    "a,b,c",
    "1",
    "42",
    "-7",
    "3.50",
    "0x1F",
    "010",
    "1e3",
    "x=1&y=2",
    "<b>'q'\"</b>",
    "äöü ß",
    "日本 語",
    "line\\none",
    "tab\\there",
    "/usr/../lib//x.tar.gz",
    "1.2.3-rc.1+b",
    "{\\\"a\\\": [1, null, \\\"x\\\"]}",
    "aGVsbG8=",
    "%d %s %v",
    "${1}$x",
    "a*b+",
    "true",
    "\\xff\\x00z",
    "2024-02-29",
    "1h30m",
];

const VERBS: &[&str] = &[
    "%v", "%d", "%s", "%q", "%x", "%X", "%t", "%f", "%g", "%e", "%c", "%U", "%o", "%b", "%T",
    "%5d", "%-5s|", "%05d", "%+d", "%+v", "%#v", "%.2f", "%8.3f", "%.3s", "% x", "%#x", "%6v",
    "%-8q|", "%[1]v", "%*d", "%G", "%E", "%O", "%#q", "%+q", "%%", "%!", "%08.3f", "%.0f", "%+.2e",
    "%z", "%3c", "%#o", "%.5d", "%x %X", "%v %v",
];

impl<'s> Choices<'s> {
    pub(super) fn new(seed: &'s [u8]) -> Self {
        Self {
            seed,
            depth: 0,
            variables: Vec::new(),
            ranges: 0,
        }
    }

    fn pick(&mut self, count: usize) -> usize {
        let Some((first, rest)) = self.seed.split_first() else {
            return 0;
        };
        self.seed = rest;
        usize::from(*first) % count
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        let at = self.pick(all.len());
        all[at]
    }

    /// A program and the values that it sees.
    pub(super) fn program(&mut self) -> (String, Dot) {
        let values = [
            b"admin".to_vec(),
            b"s3cret\"<&>".to_vec(),
            vec![],
            "Ä ß 日".into(),
            vec![0xff, 0, b'a', 0xc3],
            b"12".to_vec(),
        ];
        let dot = ["k0", "k1", "k2"].into_iter().map(|key| {
            (
                key.to_owned(),
                values[self.pick(values.len())].clone().into(),
            )
        });
        let dot = dot.collect();
        let count = 1 + self.pick(4);
        (self.body(count), dot)
    }

    /// Any sequence of pieces of the syntax.
    pub(super) fn pieces(&mut self) -> String {
        const PIECES: &[&str] = &[
            "{{",
            "}}",
            " ",
            "{{ ",
            " }}",
            "{{- ",
            " -}}",
            "if ",
            "else",
            "else if ",
            "end",
            "range ",
            "with ",
            "{{ end }}",
            ".user",
            ".",
            "$",
            "$x",
            " := ",
            " = ",
            ", ",
            "1",
            "-1",
            "1.5",
            "'a'",
            "\"s\"",
            "`r`",
            "(",
            ")",
            "|",
            " | ",
            "print ",
            "upper ",
            "add ",
            "list ",
            "nil",
            "true",
            "define \"t\"",
            "template \"t\" ",
            "block \"b\" .",
            "break",
            "continue",
            "/* c */",
            "text",
            "\n",
            "{{ $x := 1 }}",
            "{{ if true }}",
            "{{ range list 1 2 }}",
            "{{ define \"t\" }}",
            "{{ else }}",
            "0x1",
            "1_0",
            ".a.b",
            "$.user",
            "_",
            "é",
            "\\",
            "#",
            "{",
            "}",
            "len ",
            "index ",
            "\"",
            "'",
            "{{/* c */}}",
            "{{- /* c */ -}}",
            "unknown ",
        ];
        let count = 1 + self.pick(16);
        (0..count).map(|_| self.of(PIECES)).collect()
    }

    /// One of the functions that read a small language of their own, and odd texts in that language.
    pub(super) fn language(&mut self) -> (String, Dot) {
        const LANGUAGES: &[(&str, &[&str])] = &[
            (
                "{{ regexMatch .k0 .k1 }} {{ if regexMatch .k0 \"\" }}{{ end }}{{ mustRegexFindAll .k0 .k1 -1 | toJson }}{{ regexReplaceAll .k0 .k1 \"<$0|$1|${n}>\" }}{{ regexSplit .k0 .k1 -1 | toJson }}",
                &[
                    "a",
                    "b",
                    "ab",
                    "1",
                    "é",
                    " ",
                    "-",
                    ",",
                    "*",
                    "+",
                    "?",
                    "{2}",
                    "{1,3}",
                    "{,2}",
                    "{2,}",
                    "(",
                    ")",
                    "|",
                    "[",
                    "]",
                    "[^",
                    "a-z",
                    "\\d",
                    "\\w",
                    "\\s",
                    "\\b",
                    "\\B",
                    "\\W",
                    "\\D",
                    ".",
                    "^",
                    "$",
                    "(?:",
                    "(?i)",
                    "(?s)",
                    "(?m)",
                    "(?U)",
                    "(?P<n>",
                    "(?i:",
                    "[[:alpha:]]",
                    "\\pL",
                    "\\p{Greek}",
                    "\\PN",
                    "\\.",
                    "\\x41",
                    "\\Q",
                    "\\E",
                    "&&",
                    "--",
                    "\n",
                    "??",
                    "\\A",
                    "\\z",
                    "_",
                    "K",
                    "k",
                ],
            ),
            (
                "{{ printf .k0 1 \"aé\\n\" 2.5 }}|{{ printf .k0 (list 1 \"b\") (dict \"a\" nil) true }}|{{ printf .k0 -7 nil (add 1 2) }}",
                &[
                    "%", "d", "s", "v", "q", "x", "X", "f", "g", "e", "t", "c", "U", "b", "o", "O",
                    "T", "+", "-", "#", "0", " ", "5", "12", ".", ".2", "*", "[1]", "[2]", "[3]*",
                    "[4]", "[x]", "%%", "%v", "%d", "%s", "!", "w", "G", "E", "F", "é",
                ],
            ),
            (
                "{{ toDate .k0 .k1 }} {{ toDate .k0 .k1 | date .k0 }} {{ date .k0 1700000000 }} {{ dateInZone .k0 1700000000 \"America/New_York\" }}",
                &[
                    "2006",
                    "01",
                    "02",
                    "1",
                    "2",
                    "_2",
                    "Jan",
                    "January",
                    "Mon",
                    "Monday",
                    "15",
                    "3",
                    "03",
                    "4",
                    "04",
                    "5",
                    "05",
                    ".000",
                    ".999",
                    "PM",
                    "pm",
                    "MST",
                    "Z07:00",
                    "-0700",
                    "-07",
                    "Z0700",
                    "-07:00:00",
                    "002",
                    "__2",
                    "06",
                    "-",
                    " ",
                    ":",
                    "T",
                    ",",
                    "12",
                    "29",
                    "2024",
                    "Feb",
                    "march",
                    "Tue",
                    "+01:00",
                    "Z",
                    "AM",
                    "UTC",
                    "CET",
                    "GMT+3",
                    "0",
                    "1999",
                    "060",
                    "31",
                    "59",
                    ".5",
                ],
            ),
            (
                "{{ semverCompare .k0 \"1.2.3\" }} {{ semverCompare .k0 \"1.2.3-rc.1\" }} {{ semverCompare .k0 \"0.2.9\" }} {{ semverCompare .k0 .k1 }}",
                &[
                    "1", "2", "0", ".", "1.2", "1.2.3", "x", "*", "-", "-rc.1", "+b", ">", "<",
                    "=", "!", "~", "^", ">=", "||", ",", " ", " - ", "v", "0.2", "a", "01",
                ],
            ),
            (
                "{{ add .k0 0 }} {{ float64 .k0 }} {{ atoi .k0 }} {{ toDecimal .k0 }} {{ int .k0 }} {{ addf .k0 .k1 }} {{ mulf .k0 .k1 }} {{ subf .k0 .k1 }} {{ round .k0 2 }} {{ maxf .k0 .k1 }} {{ printf \"%e %g %.3f %x\" (float64 .k0) (float64 .k0) (float64 .k0) (float64 .k0) }} {{ float64 .k0 | toJson }} {{ durationRound .k0 }} {{ duration .k0 }}",
                &[
                    "1",
                    "0",
                    "9",
                    "12345",
                    "67890",
                    ".",
                    "-",
                    "+",
                    "e",
                    "E",
                    "x",
                    "0x",
                    "0b",
                    "0o",
                    "p",
                    "_",
                    "f",
                    "a",
                    "inf",
                    "nan",
                    "00",
                    "e10",
                    "e-5",
                    "e300",
                    "p3",
                    "h",
                    "m",
                    "s",
                    "ms",
                    "us",
                    "5",
                    "3",
                    "7777777777",
                    " ",
                ],
            ),
            (
                "{{ b64dec .k0 }}|{{ b32dec .k0 }}|{{ clean .k0 }}|{{ dir .k0 }}|{{ base .k0 }}|{{ ext .k0 }}|{{ quote .k0 }}|{{ js .k0 }}|{{ html .k0 }}|{{ toJson .k0 }}|{{ snakecase .k0 }}|{{ camelcase .k0 }}|{{ kebabcase .k0 }}|{{ title .k0 }}|{{ swapcase .k0 }}|{{ wrap 5 .k0 }}|{{ wrapWith 3 .k1 .k0 }}|{{ initials .k0 }}|{{ replace .k1 \"-\" .k0 }}|{{ splitn .k1 3 .k0 }}|{{ trimAll .k1 .k0 }}|{{ abbrev 7 .k0 }}|{{ abbrevboth 5 8 .k0 }}",
                &[
                    "a", "B", "cd", "EF", "Gh", "1", "23", "=", "==", "/", "..", ".", "_", "-",
                    " ", "\n", "é", "Ä", "日", "<", "\"", "'", "MFRGG", "YWJj", "\t", "ǆ",
                    "\u{2028}", "\u{7f}", "&", "\\", "ß", "İ", "σ",
                ],
            ),
            (
                "{{ urlParse .k0 | toJson }} {{ urlJoin (urlParse .k0) }}",
                &[
                    "http:", "https:", "x:", "//", "/", "host", "a.b", ":80", ":", "@", "u:p@",
                    "?q=1", "?", "#f", "#", "%41", "%zz", "%", " ", "[::1]", "[", "]", "é", "..",
                    "*", "%2F", "\"", "<", "+", ";", "1.2.3.4", "%25",
                ],
            ),
            (
                "{{ fromJson .k0 | toJson }} {{ fromJson .k0 }}",
                &[
                    "{",
                    "}",
                    "[",
                    "]",
                    ",",
                    ":",
                    "\"a\"",
                    "\"",
                    "\\u0041",
                    "\\ud83d",
                    "\\ude00",
                    "\\n",
                    "1",
                    "0",
                    "-",
                    ".5",
                    "e3",
                    "E+2",
                    "null",
                    "true",
                    "false",
                    " ",
                    "é",
                    "\n",
                    "1e400",
                    "[1]",
                    "{\"k\":2}",
                ],
            ),
        ];
        let (source, pieces) = LANGUAGES[self.pick(LANGUAGES.len())];
        let mut text = || -> Vec<u8> {
            let count = 1 + self.pick(8);
            (0..count).flat_map(|_| self.of(pieces).bytes()).collect()
        };
        let dot = [
            ("k0".to_owned(), text().into()),
            ("k1".to_owned(), text().into()),
        ];
        (source.to_owned(), dot.into_iter().collect())
    }

    fn body(&mut self, count: usize) -> String {
        let visible = self.variables.len();
        self.depth += 1;
        let body = (0..count).map(|_| self.element()).collect();
        self.depth -= 1;
        self.variables.truncate(visible);
        body
    }

    fn element(&mut self) -> String {
        let (open, close) = match self.pick(8) {
            0 => ("{{- ", " }}"),
            1 => ("{{ ", " -}}"),
            _ => ("{{ ", " }}"),
        };
        let action = |inner: String| format!("{open}{inner}{close}");
        match self.pick(if self.depth > 3 { 4 } else { 12 }) {
            0 => format!("{}|", action(self.any())),
            1 => self.of(&["text ", "\n  ", "x", " "]).to_owned(),
            2 => {
                let value = self.any();
                let name = format!("$v{}", self.variables.len());
                self.variables.push(name.clone());
                action(format!("{name} := {value}"))
            }
            3 if !self.variables.is_empty() => {
                let name = self.variable();
                let value = self.any();
                action(format!("{name} = {value}"))
            }
            3 if self.ranges > 0 => format!(
                "{{{{ if {} }}}}{{{{ {} }}}}{{{{ end }}}}",
                self.truth(),
                self.of(&["break", "continue"])
            ),
            4 | 5 => {
                let (condition, body) = (self.any(), self.body(1));
                match self.pick(3) {
                    0 => format!("{{{{ if {condition} }}}}{body}{{{{ end }}}}"),
                    1 => format!(
                        "{{{{ if {condition} }}}}{body}{{{{ else }}}}{}{{{{ end }}}}",
                        self.body(1)
                    ),
                    _ => format!(
                        "{{{{ if {condition} }}}}{body}{{{{ else if {} }}}}{}{{{{ else }}}}{}{{{{ end }}}}",
                        self.any(),
                        self.body(1),
                        self.body(1)
                    ),
                }
            }
            6 => format!(
                "{{{{ with {} }}}}{{{{ . }}}}{}{{{{ else }}}}{}{{{{ end }}}}",
                self.any(),
                self.body(1),
                self.body(1)
            ),
            7 | 8 => {
                let over = self.any();
                self.ranges += 1;
                let body = self.body(2);
                self.ranges -= 1;
                match self.pick(3) {
                    0 => format!("{{{{ range {over} }}}}{{{{ . }}}},{body}{{{{ end }}}}"),
                    1 => format!(
                        "{{{{ range $i, $e := {over} }}}}{{{{ $i }}}}={{{{ $e }}}},{body}{{{{ else }}}}none{{{{ end }}}}"
                    ),
                    _ => format!("{{{{ range $e := {over} }}}}{{{{ $e }}}},{body}{{{{ end }}}}"),
                }
            }
            9 => format!(
                "{{{{ template \"t\" {} }}}}{{{{ define \"t\" }}}}[{{{{ . }}}}]{{{{ end }}}}",
                self.any()
            ),
            10 => action(format!("{} | {}", self.any(), self.piped())),
            _ => format!("{}|", action(self.any())),
        }
    }

    fn variable(&mut self) -> String {
        let at = self.pick(self.variables.len());
        self.variables[at].clone()
    }

    /// A call that still lacks its last argument.
    fn piped(&mut self) -> String {
        let function = self.of(&[
            "upper",
            "lower",
            "title",
            "trim",
            "quote",
            "squote",
            "toString",
            "len",
            "toJson",
            "b64enc",
            "sha256sum",
            "kindOf",
            "typeOf",
            "default \"d\"",
            "printf \"%v\"",
            "printf \"%q\"",
            "add 1",
            "join \",\"",
            "indent 2",
            "trunc 3",
            "first",
            "last",
            "rest",
            "uniq",
            "sortAlpha",
            "toPrettyJson",
            "html",
            "js",
            "urlquery",
            "int",
            "float64",
            "splitList \",\"",
            "print",
            "not",
            "eq 1",
            "contains \"a\"",
            "replace \"a\" \"b\"",
            "snakecase",
            "camelcase",
            "kebabcase",
            "fromJson | toJson",
        ]);
        function.to_owned()
    }

    /// An expression of any type, in parentheses where it has several words.
    fn any(&mut self) -> String {
        match self.pick(12) {
            0 | 1 => self.text(),
            2 | 3 => self.int(),
            4 => self.number(),
            5 | 6 => self.list(),
            7 | 8 => self.dict(),
            9 => self.truth(),
            10 if !self.variables.is_empty() => self.variable(),
            10 => self.of(&[".", "$", "nil", ".missing", "$.k0"]).to_owned(),
            _ => self
                .of(&[".k0", ".k1", ".k2", ".k0.x", "(index . \"k0\")"])
                .to_owned(),
        }
    }

    /// Calls with what `arguments` makes; a leaf where the program is deep enough.
    fn nested(
        &mut self,
        leaf: impl FnOnce(&mut Self) -> String,
        call: impl FnOnce(&mut Self) -> String,
    ) -> String {
        if self.depth > 6 || self.pick(3) == 0 {
            return leaf(self);
        }
        self.depth += 1;
        let call = call(self);
        self.depth -= 1;
        format!("({call})")
    }

    fn text(&mut self) -> String {
        let leaf = |choices: &mut Self| match choices.pick(5) {
            0 => ".k0".to_owned(),
            1 => "$.k1".to_owned(),
            _ => format!("\"{}\"", choices.of(TEXTS)),
        };
        self.nested(leaf, |choices| {
            let (a, b) = (choices.text(), choices.text());
            match choices.pick(24) {
                0 => format!(
                    "{} {a}",
                    choices.of(&[
                        "upper", "lower", "title", "untitle", "swapcase", "trim", "nospace",
                        "initials"
                    ])
                ),
                1 => format!(
                    "{} {a}",
                    choices.of(&["snakecase", "camelcase", "kebabcase"])
                ),
                2 => format!(
                    "{} {a} {b}",
                    choices.of(&[
                        "trimAll",
                        "trimPrefix",
                        "trimSuffix",
                        "contains",
                        "hasPrefix",
                        "hasSuffix"
                    ])
                ),
                3 => format!(
                    "{} {} {a}",
                    choices.of(&["trunc", "wrap", "abbrev", "indent", "nindent"]),
                    choices.int()
                ),
                4 => format!("repeat {} {a}", choices.of(&["0", "1", "3", "-1"])),
                5 => format!("substr {} {} {a}", choices.int(), choices.int()),
                6 => format!("replace {a} {b} {}", choices.text()),
                7 => format!(
                    "{} {} {}",
                    choices.of(&[
                        "quote", "squote", "cat", "print", "println", "html", "js", "urlquery"
                    ]),
                    choices.any(),
                    choices.any()
                ),
                8 => format!(
                    "{} {}",
                    choices.of(&[
                        "toString",
                        "kindOf",
                        "typeOf",
                        "toJson",
                        "toPrettyJson",
                        "toRawJson"
                    ]),
                    choices.any()
                ),
                9 => format!("printf \"{}\" {}", choices.of(VERBS), choices.any()),
                10 => format!(
                    "printf \"{} {}\" {} {}",
                    choices.of(VERBS),
                    choices.of(VERBS),
                    choices.any(),
                    choices.any()
                ),
                11 => format!(
                    "{} {a}",
                    choices.of(&[
                        "b64enc",
                        "b64dec",
                        "b32enc",
                        "b32dec",
                        "sha1sum",
                        "sha256sum",
                        "sha512sum",
                        "adler32sum"
                    ])
                ),
                12 => format!(
                    "{} {a}",
                    choices.of(&[
                        "base", "dir", "clean", "ext", "osBase", "osDir", "osClean", "osExt"
                    ])
                ),
                13 => format!("join {a} {}", choices.any()),
                14 => format!("regexReplaceAll {} {a} {b}", choices.pattern()),
                15 => format!("regexFind {} {a}", choices.pattern()),
                16 => format!("default {a} {}", choices.any()),
                17 => format!("ternary {a} {b} {}", choices.truth()),
                18 => format!("plural {a} {b} {}", choices.int()),
                19 => format!("abbrevboth {} {} {a}", choices.int(), choices.int()),
                20 => format!("wrapWith {} {a} {b}", choices.int()),
                21 => format!(
                    "{} {a}",
                    choices.of(&["duration", "durationRound", "regexQuoteMeta"])
                ),
                22 => format!("date {} (toDate \"2006-01-02\" {b})", choices.layout()),
                _ => format!(
                    "seq {} {}",
                    choices.of(&["1", "5", "-3"]),
                    choices.of(&["3", "0", "9"])
                ),
            }
        })
    }

    fn layout(&mut self) -> &'static str {
        self.of(&[
            "\"2006-01-02\"",
            "\"Mon Jan _2 15:04:05 2006\"",
            "\"02/01/06 3:04PM MST -07:00\"",
            "\"002 .000\"",
        ])
    }

    fn pattern(&mut self) -> &'static str {
        self.of(&[
            "\"a\"",
            "\"[a-z]+\"",
            "\"(\\\\w)(\\\\w*)\"",
            "\"\"",
            "\"a*\"",
            "\"\\\\d+|x\"",
            "\"(?i)H\"",
            "\"^.\"",
            "\".$\"",
            "\"[^a-c]\"",
            "\"\\\\s+\"",
            "\"(\"",
            "\"b{2,3}\"",
            "\"\\\\bfoo\\\\b\"",
            "\"(?P<n>o+)\"",
            "\"\\\\pL\"",
            "\"a|ab\"",
            "\".\"",
        ])
    }

    fn int(&mut self) -> String {
        let leaf = |choices: &mut Self| {
            choices
                .of(&[
                    "1",
                    "0",
                    "2",
                    "3",
                    "-1",
                    "7",
                    "-20",
                    "100",
                    "'a'",
                    "0x1F",
                    "1_000",
                    "1.0",
                    "9223372036854775807",
                ])
                .to_owned()
        };
        self.nested(leaf, |choices| match choices.pick(6) {
            0 => format!("len {}", choices.any()),
            1 => format!("int {}", choices.any()),
            2 => format!("atoi {}", choices.text()),
            3 => format!("int (add {} {})", choices.any(), choices.any()),
            4 => format!("index (until 5) {}", choices.int()),
            _ => format!("int (floor {})", choices.any()),
        })
    }

    fn number(&mut self) -> String {
        let leaf = |choices: &mut Self| {
            choices
                .of(&[
                    "1.5",
                    "0.1",
                    "-2.75",
                    "1e21",
                    "1e-7",
                    "123456789.0",
                    "100000.0",
                    "3",
                    "-0.0",
                    "2.5",
                ])
                .to_owned()
        };
        self.nested(leaf, |choices| {
            let (a, b) = (choices.any(), choices.any());
            match choices.pick(9) {
                0 => format!(
                    "{} {a} {b}",
                    choices.of(&["add", "sub", "mul", "max", "min", "biggest"])
                ),
                1 => format!("{} {a} {b}", choices.of(&["div", "mod"])),
                2 => format!("{} {a} {b}", choices.of(&["addf", "subf", "mulf", "divf"])),
                3 => format!("{} {a} {b}", choices.of(&["maxf", "minf"])),
                4 => format!(
                    "{} {a}",
                    choices.of(&[
                        "floor",
                        "ceil",
                        "add1",
                        "add1f",
                        "int64",
                        "float64",
                        "toDecimal"
                    ])
                ),
                5 => format!("round {a} {}", choices.of(&["0", "1", "2", "-1", "5"])),
                6 => format!("index {} {}", choices.text(), choices.of(&["0", "1", "2"])),
                _ => format!("int64 {a}"),
            }
        })
    }

    fn list(&mut self) -> String {
        let leaf = |choices: &mut Self| {
            choices
                .of(&[
                    "(list 1 2 3)",
                    "(list)",
                    "(list \"b\" \"a\" \"b\")",
                    "(until 3)",
                    "(splitList \",\" \"x,y,x\")",
                    "(list nil 1 \"\")",
                ])
                .to_owned()
        };
        self.nested(leaf, |choices| {
            let (a, b) = (choices.any(), choices.any());
            let list = choices.list();
            match choices.pick(17) {
                0 => format!("list {a} {b}"),
                1 => format!(
                    "{} {list} {a}",
                    choices.of(&["append", "prepend", "push", "without", "mustAppend"])
                ),
                2 => format!(
                    "{} {list}",
                    choices.of(&[
                        "rest",
                        "initial",
                        "reverse",
                        "uniq",
                        "compact",
                        "sortAlpha",
                        "toStrings"
                    ])
                ),
                3 => format!("concat {list} {}", choices.list()),
                4 => format!("{} {list}", choices.of(&["first", "last", "mustFirst"])),
                5 => format!("slice {list} {}", choices.of(&["0", "1", "2"])),
                14 => format!(
                    "slice (slice (list {a} {b} 3 4) {}) {} {}",
                    choices.of(&["0", "1", "2"]),
                    choices.of(&["0", "1", "2"]),
                    choices.of(&["1", "2", "3"])
                ),
                6 => format!("chunk {} {list}", choices.of(&["2", "1", "5", "0", "-1"])),
                7 => format!("splitList {} {}", choices.text(), choices.text()),
                8 => format!(
                    "regexFindAll {} {} {}",
                    choices.pattern(),
                    choices.text(),
                    choices.of(&["-1", "0", "2"])
                ),
                9 => format!(
                    "regexSplit {} {} {}",
                    choices.pattern(),
                    choices.text(),
                    choices.of(&["-1", "0", "2"])
                ),
                10 => format!("sortAlpha (keys {})", choices.dict()),
                11 => format!(
                    "untilStep {} {} {}",
                    choices.of(&["0", "5", "-3"]),
                    choices.of(&["3", "0", "9"]),
                    choices.of(&["1", "2", "-1"])
                ),
                12 => format!(
                    "pluck {} {} {}",
                    choices.text(),
                    choices.dict(),
                    choices.dict()
                ),
                13 => format!("deepCopy {list}"),
                15 => format!("fromJson (toJson {list})"),
                _ => format!("without {list} {a} {b}"),
            }
        })
    }

    fn dict(&mut self) -> String {
        let leaf = |choices: &mut Self| {
            choices
                .of(&[
                    "(dict \"a\" 1 \"b\" \"x\")",
                    "(dict)",
                    "(dict \"a\" (dict \"b\" 2))",
                    "(split \",\" \"x,y\")",
                    "(dict \"a\" nil \"c\" (list 1))",
                ])
                .to_owned()
        };
        self.nested(leaf, |choices| {
            let (key, value) = (
                choices.of(&["\"a\"", "\"b\"", "\"c\"", ".k0"]),
                choices.any(),
            );
            let dict = choices.dict();
            match choices.pick(12) {
                0 => format!("dict {key} {value}"),
                1 => format!("set {dict} {key} {value}"),
                2 => format!("unset {dict} {key}"),
                3 => format!("{} {dict} {key}", choices.of(&["pick", "omit"])),
                4 => format!(
                    "{} {dict} {}",
                    choices.of(&["merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite"]),
                    choices.dict()
                ),
                5 => format!("get {dict} {key}"),
                6 => format!("dig {key} \"b\" {value} {dict}"),
                7 => format!("fromJson (toJson {dict})"),
                8 => format!("index {dict} {key}"),
                9 => format!(
                    "urlParse {}",
                    choices.of(&[
                        "\"https://u:p@h:1/a%20b?q#f\"",
                        "\"mailto:x@y\"",
                        ".k0",
                        "\"/p\""
                    ])
                ),
                10 => format!("deepCopy {dict}"),
                _ => format!("dict {value} {value}"),
            }
        })
    }

    fn truth(&mut self) -> String {
        let leaf = |choices: &mut Self| choices.of(&["true", "false"]).to_owned();
        self.nested(leaf, |choices| {
            let (a, b) = (choices.any(), choices.any());
            match choices.pick(10) {
                0 => format!(
                    "{} {a} {b}",
                    choices.of(&["eq", "ne", "lt", "le", "gt", "ge"])
                ),
                1 => format!("{} {a} {b}", choices.of(&["and", "or"])),
                2 => format!("not {a}"),
                3 => format!("empty {a}"),
                4 => format!("{} {a} {b}", choices.of(&["all", "any", "deepEqual"])),
                5 => format!("has {a} {}", choices.list()),
                6 => format!("hasKey {} {}", choices.dict(), choices.text()),
                7 => format!("regexMatch {} {}", choices.pattern(), choices.text()),
                8 => format!(
                    "{} {} {a}",
                    choices.of(&["kindIs", "typeIs"]),
                    choices.of(&["\"string\"", "\"int\"", "\"map\""])
                ),
                _ => format!(
                    "semverCompare {} {}",
                    choices.of(&[
                        "\">=1.2\"",
                        "\"^1.2.3-0\"",
                        "\"~1\"",
                        "\"1.x || >=3\"",
                        "\"1.2 - 2\""
                    ]),
                    choices.text()
                ),
            }
        })
    }
}
