//! Doc comments as plain text.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of the doc comments among `attributes`: one line for each paragraph, up to the
/// first heading, since headings such as `# Errors` are for Rust's readers.
pub fn text(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(line).collect::<Vec<_>>().join("\n");
    let prose: Vec<_> =
        lines.lines().map(str::trim).take_while(|line| !line.starts_with('#')).collect();
    prose
        .split(|line| line.is_empty())
        .filter(|paragraph| !paragraph.is_empty())
        .map(|paragraph| paragraph.join(" "))
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    match &pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if pair.path.is_ident("doc") => {
            Some(text.value())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_become_lines_and_headings_end_the_text() {
        let attributes: Vec<Attribute> = syn::parse_quote! {
            /// Blurs
            /// images.
            #[inline]
            ///
            /// In both directions.
            ///
            /// # Errors
            /// Some.
        };
        assert_eq!(text(&attributes), "Blurs images.\n\nIn both directions.");
    }

    #[test]
    fn nothing_is_said_where_there_is_no_comment() {
        assert_eq!(text(&[]), "");
    }
}
