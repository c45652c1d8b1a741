//! Where does a page lead?

use quick_xml::Reader;
use quick_xml::events::Event;
use scraper::{Html, Selector};
use url::Url;

/// Links of one page, or entries of one sitemap, at most.
const LINKS_MAX: usize = 10_000;
const URL_BYTES_MAX: usize = 2_000;

/// What a page says to those who read it by program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    pub urls: Vec<String>,
    /// `<meta name=robots content=noindex>`
    pub is_hidden: bool,
}

/// The addresses that an HTML page links to, as they are fetched: absolute, without a fragment.
pub fn links(html: &str, base: &Url) -> Links {
    let html = Html::parse_document(html);
    let attribute = |selector: &str, name: &str| -> Vec<String> {
        let Ok(selector) = Selector::parse(selector) else { return Vec::new() };
        let elements = html.select(&selector);
        elements.filter_map(|element| element.value().attr(name).map(str::to_owned)).collect()
    };
    let robots = attribute("meta[name=robots i]", "content").join(",").to_ascii_lowercase();
    if robots.contains("nofollow") || robots.contains("none") {
        let is_hidden = robots.contains("noindex") || robots.contains("none");
        return Links { urls: Vec::new(), is_hidden };
    }
    let named = attribute("base", "href").first().and_then(|href| base.join(href).ok());
    let base = named.unwrap_or_else(|| base.clone());
    let urls = attribute("a[href]:not([rel~=nofollow])", "href");
    let urls = urls.iter().take(LINKS_MAX).filter_map(|href| absolute(href, &base));
    Links { urls: urls.collect(), is_hidden: robots.contains("noindex") }
}

/// An address as it is fetched and kept; none for what is no web address.
pub fn absolute(href: &str, base: &Url) -> Option<String> {
    let mut url = base.join(href.trim()).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    if !is_web || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_fragment(None);
    let text = String::from(url);
    (text.len() <= URL_BYTES_MAX).then_some(text)
}

/// The addresses of a sitemap, or of the sitemaps that an index lists; none for other XML.
pub fn sitemap(xml: &str) -> Option<Vec<String>> {
    let mut reader = Reader::from_str(xml);
    let (mut urls, mut text) = (Vec::new(), String::new());
    let (mut is_sitemap, mut in_loc) = (false, false);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                let name = start.local_name();
                is_sitemap |= matches!(name.as_ref(), "urlset" | "sitemapindex");
                in_loc = name.as_ref() == "loc";
                text.clear();
            }
            Ok(Event::Text(part)) if in_loc => text.push_str(&part),
            Ok(Event::GeneralRef(entity)) if in_loc => match entity.as_ref() {
                "amp" => text.push('&'),
                "apos" => text.push('\''),
                "quot" => text.push('"'),
                _ => {}
            },
            Ok(Event::CData(part)) if in_loc => text.push_str(&part),
            Ok(Event::End(end)) => {
                if end.local_name().as_ref() == "loc" && urls.len() < LINKS_MAX {
                    urls.push(text.trim().to_owned());
                }
                in_loc = false;
            }
            // What was read of a broken one counts.
            Ok(Event::Eof) | Err(_) => return is_sitemap.then_some(urls),
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_absolute_and_of_the_web() {
        let base = Url::parse("https://example.org/a/b.html").unwrap();
        let html = "<a href='c.html#x'>c</a><A HREF=/d?e=1&amp;f=2>d</A><a href=mailto:x@y>m</a>
            <a href='javascript:x'>j</a><a rel='x nofollow' href=no>n</a><a>none</a>
            <a href='https://user:pw@example.org/'>u</a><a href='//other.org/'>o</a>";
        let expected =
            ["https://example.org/a/c.html", "https://example.org/d?e=1&f=2", "https://other.org/"];
        assert_eq!(links(html, &base).urls, expected);
        let based = links("<base href='/x/'><a href=y>y</a>", &base);
        assert_eq!(based.urls, ["https://example.org/x/y"]);
        let closed = links("<meta name=ROBOTS content='noindex, nofollow'><a href=y>y</a>", &base);
        assert!(closed.is_hidden && closed.urls.is_empty());
    }

    #[test]
    fn a_sitemap_is_read_and_other_xml_is_not() {
        let xml =
            "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>
            <url><loc> https://example.org/?a=1&amp;b=2 </loc><lastmod>x</lastmod></url>
            <url><loc><![CDATA[https://example.org/c]]></loc></url></urlset>";
        let expected = ["https://example.org/?a=1&b=2", "https://example.org/c"];
        assert_eq!(sitemap(xml).unwrap(), expected);
        assert_eq!(sitemap("<rss><loc>https://example.org/</loc></rss>"), None);
        assert_eq!(sitemap("<urlset><url><loc>https://a.org/</loc>").unwrap(), ["https://a.org/"]);
    }
}
