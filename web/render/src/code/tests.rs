use proptest::prelude::*;

use super::*;

/// `keyword:fn name:main`
fn told(language: &str, text: &str) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let spans = spans(language, text).expect("a known language");
    let told = spans.iter().map(|span| {
        let words = String::from_utf16_lossy(&units[span.start as usize..span.end as usize]);
        format!("{}:{words}", Class::NAMES[span.class as usize])
    });
    told.collect::<Vec<_>>().join(" ")
}

#[test]
fn words_are_told_apart() {
    let cases = [
        ("rust", "fn main<'a>() { // hi\n}", "keyword:fn comment:// hi"),
        ("rust", "let x = \"a\\\"b\";", "keyword:let string:\"a\\\"b\""),
        (
            "py",
            "def f(x): return 'ä' # ok",
            "keyword:def name:f keyword:return string:'ä' comment:# ok",
        ),
        ("python", "\"\"\"a\nb\"\"\" 12.5", "string:\"\"\"a\nb\"\"\" number:12.5"),
        ("ts", "const a = `x\n${1}`", "keyword:const string:`x\n${1}`"),
        ("json", "{\"a\": [1, \"b\", true]}", "name:\"a\" number:1 string:\"b\" keyword:true"),
        ("yaml", "a-b: yes # c", "name:a-b keyword:yes comment:# c"),
        ("toml", "key = \"v\"", "name:key string:\"v\""),
        ("bash", "echo $HOME # x", "keyword:echo meta:$HOME comment:# x"),
        ("SQL", "SELECT a FROM b -- c", "keyword:SELECT keyword:FROM comment:-- c"),
        ("css", "a { color: red; }", "name:color"),
        (
            "html",
            "<a href=\"x\">y</a><!-- c -->",
            "keyword:a name:href string:\"x\" keyword:a comment:<!-- c -->",
        ),
        ("diff", "@@ 1 @@\n+a\n-b\n c", "meta:@@ 1 @@ inserted:+a deleted:-b"),
        ("go", "func f() {}", "keyword:func name:f"),
        ("c++", "int x = 0xff; /* y */", "keyword:int number:0xff comment:/* y */"),
        ("java", "class A {}", "keyword:class"),
    ];
    for (language, text, expect) in cases {
        assert_eq!(told(language, text), expect, "{language}: {text}");
    }
}

#[test]
fn a_language_that_is_not_known_is_left_alone() {
    assert_eq!(spans("brainfuck", "+"), None);
    assert_eq!(spans("rust", &"x".repeat(TEXT_MAX_BYTES + 1)), None);
}

proptest! {
    /// Any text in any language: stretches in order, apart, and within it.
    #[test]
    fn spans_are_in_order_and_within(text in "[a-z0-9\"'`#/*<>!=@$\\\\ä😀\n+-]{0,80}") {
        let units = text.encode_utf16().count() as u32;
        for language in ["rust", "py", "js", "html", "css", "json", "yaml", "toml", "sh", "sql", "c", "go", "diff"] {
            let mut last = 0;
            for span in spans(language, &text).expect("a known language") {
                prop_assert!(span.start >= last && span.start < span.end && span.end <= units);
                last = span.end;
            }
        }
    }
}
