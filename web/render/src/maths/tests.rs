use proptest::prelude::*;

use super::*;

fn text_of(element: &Element) -> String {
    element
        .children
        .iter()
        .map(|child| match child {
            Node::Text(text) => text.clone(),
            Node::Element(element) => text_of(element),
        })
        .collect()
}

fn names(element: &Element, out: &mut Vec<&'static str>) {
    out.push(element.name);
    for child in &element.children {
        if let Node::Element(element) = child {
            names(element, out);
        }
    }
}

#[test]
fn formulas_that_models_write_become_mathml() {
    for tex in [
        "x^2 + y^2 = z^2",
        "\\frac{-b \\pm \\sqrt{b^2-4ac}}{2a}",
        "\\int_0^\\infty e^{-x^2}\\,dx = \\frac{\\sqrt{\\pi}}{2}",
        "\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}",
        "\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}",
        "\\begin{aligned} a &= b \\\\ &= c \\end{aligned}",
        "f(x) = \\begin{cases} 1 & x > 0 \\\\ 0 & \\text{otherwise} \\end{cases}",
        "\\mathbb{R}^n \\to \\mathcal{L}(\\mathbf{v})",
        "\\left( \\frac{a}{b} \\right)",
        "\\overline{AB} \\perp \\vec{v}",
        "\\lim_{x \\to 0} \\frac{\\sin x}{x}",
        "a < b \\& c > d",
    ] {
        let formula = formula(tex, true).unwrap_or_else(|error| panic!("{tex}: {error:?}"));
        assert_eq!(formula.name, "math");
        assert!(formula.attrs.contains(&("display", "block".to_owned())), "{formula:?}");
        let mut all = Vec::new();
        names(&formula, &mut all);
        assert!(!all.contains(&"merror"), "{tex}");
    }
    let root = formula("\\sqrt{2}", false).expect("a root");
    let mut all = Vec::new();
    names(&root, &mut all);
    assert!(all.contains(&"msqrt"), "{all:?}");
    assert!(text_of(&root).contains('2'));
}

#[test]
fn bad_formulas_are_refused_and_not_half_shown() {
    for tex in ["\\frac{1}", "{", "\\nosuchcommand x", "\\begin{pmatrix} a", "x^", "\\left( x"] {
        assert!(formula(tex, false).is_err(), "{tex}");
    }
    assert_eq!(formula(&"x".repeat(TEX_MAX_BYTES + 1), false), Err(MathsError::TooLong));
    assert_eq!(formula(&"{".repeat(100), false), Err(MathsError::TooDeep));
    assert_eq!(formula(&"\\sqrt".repeat(200), false), Err(MathsError::TooDeep));
    assert_eq!(formula("\\def\\a{\\a\\a}\\a", false), Err(MathsError::Defines));
}

#[test]
fn only_allowed_elements_and_attributes_pass() {
    let kept = sanitise::read(
        "<math display=\"block\" onclick=\"x\" href=\"javascript:1\" style=\"x\"><mi class=\"evil\">x</mi></math>",
    )
    .expect("well formed");
    assert_eq!(kept.attrs, [("display", "block".to_owned())]);
    assert_eq!(
        kept.children,
        [Node::Element(Element {
            name: "mi",
            attrs: Vec::new(),
            children: vec![Node::Text("x".to_owned())],
        })]
    );
    for refused in [
        "<math><maction actiontype=\"toggle\"><mi>x</mi></maction></math>",
        "<math><semantics><annotation-xml encoding=\"text/html\"><p>x</p></annotation-xml></semantics></math>",
        "<math><mtext><img src=\"x\" onerror=\"alert(1)\"/></mtext></math>",
        "<math><mglyph src=\"https://evil.example/x\"/></math>",
        "<math><script>alert(1)</script></math>",
        "<svg></svg>",
        "<math></math><math></math>",
        "<math>",
        "x<math></math>",
        "<math><mi>x</mo></math>",
    ] {
        assert!(sanitise::read(refused).is_err(), "{refused}");
    }
}

proptest! {
    /// Whatever is written, it is refused or becomes allowed elements; nothing panics.
    #[test]
    fn no_formula_gets_out_of_the_allow_list(
        parts in proptest::collection::vec(prop_oneof![
            "[a-z0-9+=<>&'\"^_{}\\\\ ]{0,6}",
            Just("\\frac".to_owned()), Just("\\sqrt".to_owned()), Just("\\text{<img src=x>}".to_owned()),
            Just("\\href{javascript:alert(1)}{x}".to_owned()), Just("\\begin{matrix}".to_owned()),
            Just("\\end{matrix}".to_owned()), Just("\\left(".to_owned()), Just("\\right)".to_owned()),
            Just("\\color{red}".to_owned()), Just("\\\\".to_owned()), Just("é😀".to_owned()),
            Just("\\begin{array}{c|c}".to_owned()), Just("\\end{array}".to_owned()), Just("&".to_owned()),
        ], 0..16)
    ) {
        if let Ok(formula) = formula(&parts.concat(), false) {
            let mut all = Vec::new();
            names(&formula, &mut all);
            prop_assert!(all.iter().all(|name| !["script", "maction", "semantics"].contains(name)));
        }
    }
}
