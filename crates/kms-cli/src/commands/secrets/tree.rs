//! Folders, drawn as a tree.

use std::collections::BTreeMap;

use crate::ui;

/// Folders cannot be nested that deep; a server that says so does not exhaust the stack.
const DEEPEST: usize = 100;

#[derive(Default)]
struct Node<'a>(BTreeMap<&'a str, Node<'a>>);

/// Draws the folders below `root`, given by their paths below it, in bytewise order.
pub(super) fn draw<'a>(root: &str, paths: impl Iterator<Item = &'a str>) -> String {
    let mut tree = Node::default();
    for path in paths {
        let mut node = &mut tree;
        for name in path.trim_matches('/').splitn(DEEPEST, '/').filter(|name| !name.is_empty()) {
            node = node.0.entry(name).or_default();
        }
    }
    let mut text = ui::escape_line(root) + "\n";
    draw_below(&tree, "", &mut text);
    text
}

fn draw_below(node: &Node<'_>, indent: &str, text: &mut String) {
    let last = node.0.len().saturating_sub(1);
    for (position, (name, below)) in node.0.iter().enumerate() {
        let (branch, deeper) =
            if position == last { ("└── ", "    ") } else { ("├── ", "│   ") };
        text.push_str(indent);
        text.push_str(branch);
        text.push_str(&ui::escape_line(name));
        text.push('\n');
        draw_below(below, &format!("{indent}{deeper}"), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_hang_below_their_parents() {
        let paths = ["b", "a", "/a/y/z", "a/x"];
        assert_eq!(
            draw("/", paths.into_iter()),
            "/\n├── a\n│   ├── x\n│   └── y\n│       └── z\n└── b\n"
        );
        assert_eq!(draw("/a", [].into_iter()), "/a\n");
    }

    #[test]
    fn l11_a_folder_cannot_steer_the_terminal_or_fill_the_stack() {
        assert_eq!(draw("/", ["a\u{1b}[2J\nb"].into_iter()), "/\n└── a\\u{1b}[2J\\nb\n");
        let deep = "a/".repeat(100_000);
        assert_eq!(draw("/", [deep.as_str()].into_iter()).lines().count(), DEEPEST + 1);
    }
}
