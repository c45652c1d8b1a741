//! Which shades of a house's colour can be read, on light paper and on dark?
//!
//! The contrast is WCAG 2.2's (relative luminance, 1.4.3): a shade must have 4.5 : 1 on everything that the
//! page writes on. A colour that has less is mixed with black, or with white on dark paper, until it does.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What text needs.
pub const CONTRAST_MIN: f64 = 4.5;

/// sRGB, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour([u8; 3]);

impl FromStr for Colour {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, rgb @ ..] = value.ok_or("a colour is written #rrggbb")?.to_be_bytes();
        Ok(Self(rgb))
    }
}

impl TryFrom<String> for Colour {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

impl Display for Colour {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl Colour {
    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// `share` of `other` in it.
    fn mixed(self, other: Self, share: f64) -> Self {
        let mut parts = self.0;
        for (part, other) in parts.iter_mut().zip(other.0) {
            let mixed = f64::from(*part) * (1.0 - share) + f64::from(other) * share;
            *part = mixed.round() as u8;
        }
        Self(parts)
    }
}

/// What the page writes on in one of its themes, as `web/assets/style.css` has it.
struct Papers {
    on: [Colour; 4],
    /// Away from the papers.
    pole: Colour,
    /// How much of the accent its soft shade has.
    soft: f64,
}

const LIGHT: Papers = Papers {
    on: [
        Colour([0xfa, 0xf9, 0xf6]),
        Colour([0xff, 0xff, 0xff]),
        Colour([0xf1, 0xef, 0xe9]),
        Colour([0xec, 0xe9, 0xe1]),
    ],
    pole: Colour([0, 0, 0]),
    soft: 0.14,
};
const DARK: Papers = Papers {
    on: [
        Colour([0x15, 0x17, 0x1a]),
        Colour([0x1d, 0x20, 0x24]),
        Colour([0x19, 0x1b, 0x1f]),
        Colour([0x2a, 0x2e, 0x34]),
    ],
    pole: Colour([0xff, 0xff, 0xff]),
    soft: 0.16,
};

/// The shades of one theme.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Shades {
    /// Of links, buttons, marks.
    pub accent: Colour,
    /// What is written on it.
    pub ink: Colour,
    /// On which it can be written.
    pub soft: Colour,
    /// The least of the accent with anything that it meets.
    pub contrast: f64,
}

/// A house's colour in both themes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Themes {
    pub light: Shades,
    pub dark: Shades,
}

impl Themes {
    pub fn of(colour: Colour) -> Self {
        Self { light: LIGHT.shades(colour), dark: DARK.shades(colour) }
    }
}

impl Papers {
    fn shades(&self, colour: Colour) -> Shades {
        let mixed = (0..100).map(|percent| colour.mixed(self.pole, f64::from(percent) / 100.0));
        let mut shades = mixed.map(|accent| self.with(accent));
        // The pole itself has more than enough.
        let found = shades.find(|shades| shades.contrast >= CONTRAST_MIN);
        found.unwrap_or_else(|| self.with(self.pole))
    }

    fn with(&self, accent: Colour) -> Shades {
        let [paper, ..] = self.on;
        let soft = paper.mixed(accent, self.soft);
        let [black, white] = [Colour([0x0c, 0x10, 0x14]), Colour([0xff; 3])];
        let ink = if accent.contrast(white) >= accent.contrast(black) { white } else { black };
        let met = self.on.into_iter().chain([soft, ink]);
        let contrast = met.map(|other| accent.contrast(other)).fold(f64::INFINITY, f64::min);
        Shades { accent, ink, soft, contrast: (contrast * 100.0).floor() / 100.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        let colour = |text: &str| text.parse::<Colour>().unwrap();
        let near = |one: f64, other: f64| (one - other).abs() < 0.01;
        assert!(near(colour("#000000").contrast(colour("#ffffff")), 21.0));
        assert!(near(colour("#777777").contrast(colour("#ffffff")), 4.48));
        assert!(near(colour("#0d646d").contrast(colour("#ffffff")), 6.86));
        for wrong in ["", "#", "#12345", "#1234567", "123456", "#12345g", "#+12345", "red"] {
            assert!(wrong.parse::<Colour>().is_err(), "{wrong}");
        }
        assert_eq!(colour("#0D646d").to_string(), "#0d646d");
    }

    #[test]
    fn every_colour_becomes_readable_and_a_readable_one_stays() {
        for r in (0..=255).step_by(51) {
            for g in (0..=255).step_by(51) {
                for b in (0..=255).step_by(51) {
                    let colour = Colour([r, g, b]);
                    let Themes { light, dark } = Themes::of(colour);
                    for (theme, papers) in [(light, &LIGHT), (dark, &DARK)] {
                        assert!(theme.contrast >= CONTRAST_MIN, "{colour}: {theme:?}");
                        assert!(theme.accent.contrast(theme.ink) >= CONTRAST_MIN, "{theme:?}");
                        let on = papers.on.iter().chain([&theme.soft]);
                        assert!(on.clone().all(|on| theme.accent.contrast(*on) >= CONTRAST_MIN));
                    }
                }
            }
        }
        let dark_blue: Colour = "#123a7a".parse().unwrap();
        assert_eq!(Themes::of(dark_blue).light.accent, dark_blue);
        assert_ne!(Themes::of(dark_blue).dark.accent, dark_blue);
    }

    #[test]
    fn papers_are_those_of_the_page() {
        let style = include_str!("../../../../web/assets/style.css");
        for papers in [LIGHT, DARK] {
            for (name, colour) in ["paper", "surface", "sunken", "bubble"].iter().zip(papers.on) {
                assert!(style.contains(&format!("--{name}: {colour};")), "{name}: {colour}");
            }
        }
    }
}
