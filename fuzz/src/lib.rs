//! What the fuzz targets know without the parsers: all names that there are, from `qemu/targets` itself.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Every spelling of an architecture, and QEMU's name of it.
pub static SPELLINGS: LazyLock<HashMap<String, &str>> = LazyLock::new(|| {
    let mut spellings = HashMap::new();
    for (name, aliases) in rows() {
        for alias in aliases.split(',').filter(|alias| *alias != "-").chain([name]) {
            for platform in [alias.to_string(), format!("linux/{alias}")] {
                spellings.extend((1..=9).map(|version| (format!("{platform}/v{version}"), name)));
                spellings.insert(platform, name);
            }
        }
    }
    spellings
});

/// The name of every entry that the tool makes, QEMU's name of its architecture, and whether it is a stand-in.
pub static ENTRIES: LazyLock<HashMap<String, (&str, bool)>> = LazyLock::new(|| {
    let of = |name| [(format!("qemu-{name}"), (name, false)), (format!("qemu-{name}.new"), (name, true))];
    rows().flat_map(|(name, _)| of(name)).collect()
});

/// The first and the eighth column of each row of the table: the name, and the aliases.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("../../qemu/targets").lines().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        line.starts_with(|first: char| first.is_ascii_lowercase()).then(|| (columns[0], columns[7]))
    })
}

/// The bytes as they are looked up there. There are no names but of ASCII, and no blank one.
pub fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}
