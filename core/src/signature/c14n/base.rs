//! Joining `xml:base` values of elements that are left out (Canonical XML 1.1 §2.4 and Appendix A).

/// Resolves `reference` against `base` (RFC 3986 §5.2), either of which may be relative; leading `..` segments of a
/// relative result stay.
pub(super) fn join(base: &str, reference: &str) -> String {
    let (b, r) = (Parts::of(base), Parts::of(reference));
    if r.scheme.is_some() {
        return Parts { fragment: None, ..r }.with_path(&without_dots(r.path));
    }
    let target = Parts { scheme: b.scheme, fragment: None, ..r };
    if r.authority.is_some() {
        return target.with_path(&without_dots(r.path));
    }
    let target = Parts { authority: b.authority, ..target };
    if r.path.is_empty() {
        return Parts { query: r.query.or(b.query), ..target }.with_path(&without_dots(b.path));
    }
    if r.path.starts_with('/') {
        return target.with_path(&without_dots(r.path));
    }
    // Appendix A: a base that ends in `..` or `.` is a folder
    let folder = match b.path.rsplit_once('/') {
        Some((folder, last @ (".." | "."))) => format!("{folder}/{last}/"),
        Some((folder, _)) => format!("{folder}/"),
        None if matches!(b.path, ".." | ".") => format!("{}/", b.path),
        None if b.authority.is_some() => "/".to_owned(),
        None => String::new(),
    };
    target.with_path(&without_dots(&format!("{folder}{}", r.path)))
}

/// A URI reference, split as RFC 3986 Appendix B does.
#[derive(Clone, Copy)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (text, fragment) = split(text, '#');
        let (text, query) = split(text, '?');
        let (scheme, text) = match text.split_once(':') {
            Some((scheme, rest)) if !scheme.is_empty() && !scheme.contains('/') => (Some(scheme), rest),
            _ => (None, text),
        };
        let Some(rest) = text.strip_prefix("//") else {
            return Self { scheme, authority: None, path: text, query, fragment };
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Self { scheme, authority: Some(authority), path, query, fragment }
    }

    fn with_path(&self, path: &str) -> String {
        let part = |before: &str, part: Option<&str>, after: &str| {
            part.map(|part| format!("{before}{part}{after}")).unwrap_or_default()
        };
        [
            part("", self.scheme, ":"),
            part("//", self.authority, ""),
            path.to_owned(),
            part("?", self.query, ""),
            part("#", self.fragment, ""),
        ]
        .concat()
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// RFC 3986 §5.2.4 as changed by Appendix A: `..` above a relative start stays, several `/` become one, a trailing
/// `..` gets a `/`.
fn without_dots(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    let mut is_folder = false;
    for segment in path.split('/') {
        is_folder = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => {
                kept.pop();
            }
            ".." if absolute => {}
            segment => kept.push(segment),
        }
    }
    let start = if absolute { "/" } else { "" };
    let end = if is_folder && !kept.is_empty() { "/" } else { "" };
    format!("{start}{}{end}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn references_join_as_in_rfc_3986_5_4_with_dots_kept_when_relative() {
        let base = "http://a/b/c/d;p?q";
        for (reference, joined) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../../../g", "http://a/g"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g#s", "http://a/b/c/g"),
            ("/", "http://a/"),
            ("./g:h", "http://a/b/c/g:h"),
            ("i/g:h", "http://a/b/c/i/g:h"),
            (":h", "http://a/b/c/:h"),
        ] {
            assert_eq!(join(base, reference), joined, "{reference}");
        }
        // Canonical XML 1.1 Appendix A
        for (base, reference, joined) in [
            ("a/b", "../../c", "../c"),
            ("..", "x", "../x"),
            ("../..", "../foo", "../../../foo"),
            ("../..", "..", "../../../"),
            ("../x", "..", "../../"),
            ("foo/bar", "../", ""),
            ("a//b/", "c", "a/b/c"),
            ("http://host", "x", "http://host/x"),
        ] {
            assert_eq!(join(base, reference), joined, "{base} {reference}");
        }
    }
}
