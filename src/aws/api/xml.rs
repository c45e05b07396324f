//! Reads answers in XML into values. It is pure.
//!
//! A value is found by the names on the path to it, whatever stands beside it. An answer with more
//! parts than AWS ever sends is refused, so that none can fill the memory.

use roxmltree::{Document, Node, ParsingOptions};

/// The most parts of an answer that are read: AWS's longest have less than 100,000.
const MAX_NODES: u32 = 2_000_000;

/// Reads a document and returns what `read` finds in its root element. `None` if it is not a whole
/// document of XML.
pub(super) fn read_document<T>(body: &[u8], read: impl FnOnce(Node) -> T) -> Option<T> {
    let text = std::str::from_utf8(body).ok()?;
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).ok()?;
    Some(read(document.root_element()))
}

/// Returns the first child element with this name.
pub(super) fn child_element<'a, 'input>(
    node: Node<'a, 'input>,
    name: &str,
) -> Option<Node<'a, 'input>> {
    node.children()
        .find(|child| child.is_element() && child.tag_name().name() == name)
}

/// Returns the element at the end of a path of names.
pub(super) fn element_at<'a, 'input>(
    node: Node<'a, 'input>,
    path: &[&str],
) -> Option<Node<'a, 'input>> {
    let mut element = node;
    for name in path {
        element = child_element(element, name)?;
    }
    Some(element)
}

/// Returns the child elements of the list at a path; none where there is no such list.
pub(super) fn list_members<'a, 'input>(
    node: Node<'a, 'input>,
    path: &[&str],
) -> Vec<Node<'a, 'input>> {
    match element_at(node, path) {
        Some(list) => list.children().filter(Node::is_element).collect(),
        None => Vec::new(),
    }
}

/// Returns the text at a path. An empty text counts as none.
pub(super) fn text_at(node: Node, path: &[&str]) -> Option<String> {
    match element_at(node, path)?.text()?.trim() {
        "" => None,
        text => Some(text.to_owned()),
    }
}

/// Returns the `true` or `false` at a path.
pub(super) fn flag_at(node: Node, path: &[&str]) -> Option<bool> {
    text_at(node, path)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_path() {
        let body = b"<R xmlns='https://x/'><A><B> one&amp;two </B><B>2</B></A><F>true</F><N/></R>";
        let found = read_document(body, |root| {
            assert_eq!(text_at(root, &["A", "B"]).as_deref(), Some("one&two"));
            assert_eq!(list_members(root, &["A"]).len(), 2);
            assert_eq!(flag_at(root, &["F"]), Some(true));
            assert_eq!(flag_at(root, &["A", "B"]), None);
            assert_eq!(text_at(root, &["N"]), None);
            assert!(list_members(root, &["X", "Y"]).is_empty());
        });
        assert!(found.is_some());
    }

    /// A document that is cut is refused, and so is one that would take all of the memory.
    #[test]
    fn what_is_no_whole_document_is_refused() {
        let deep = "<a>".repeat(500_000);
        let closed = format!("{deep}{}", "</a>".repeat(500_000));
        let entities = "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>";
        for body in [
            "",
            "<a>",
            "<a></b>",
            "{}",
            "<a/><b/>",
            "<a>&x;</a>",
            &deep,
            entities,
        ] {
            assert!(
                read_document(body.as_bytes(), |_| ()).is_none(),
                "{body:.20}"
            );
        }
        assert!(read_document(b"<a>\xff</a>", |_| ()).is_none());
        assert!(read_document(closed.as_bytes(), |_| ()).is_some()); // and no stack ends
    }

    proptest::proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn documents_that_are_nearly_right(body in crate::text::mutation::bytes(
            &["<E xmlns='a'><Error><Code>X</Code><Message>m &lt; n</Message></Error></E>"],
            &["<", ">", "/", "&", ";", "<![CDATA[", "]]>", "<!--", "<?", "xmlns:b='c'", "b:"],
        )) {
            let _ = read_document(&body, |root| text_at(root, &["Error", "Code"]));
        }
    }
}
