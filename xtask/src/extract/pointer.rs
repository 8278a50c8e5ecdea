//! Setting and removing one place of a JSON value, named by a JSON pointer (RFC 6901).
//!
//! Left out: creating the way to a place. The parent must exist, so that a recipe notices when a document changes.

use anyhow::{Context, Result, bail, ensure};
use refundproof::json::Value;

/// Puts `value` at `pointer`. A member that exists keeps its position; a new one goes to the end. In a list, the index
/// must exist, or be one past the last.
pub(crate) fn set(root: &mut Value, pointer: &str, value: Value) -> Result<()> {
    let (parent, last) = parent(root, pointer)?;
    match parent {
        Value::Object(members) => {
            members.insert(last, value);
        }
        Value::Array(items) => {
            let index = index(pointer, &last)?;
            ensure!(index <= items.len(), "{pointer}: the list has only {} items", items.len());
            if index == items.len() {
                items.push(value);
            } else {
                items[index] = value;
            }
        }
        _ => bail!("{pointer}: its parent is neither an object nor a list"),
    }
    Ok(())
}

/// Removes what stands at `pointer`; the other members keep their order.
pub(crate) fn remove(root: &mut Value, pointer: &str) -> Result<()> {
    let (parent, last) = parent(root, pointer)?;
    match parent {
        Value::Object(members) => {
            // The plain `remove` would move the last member into the gap.
            members.remove(&last).with_context(|| format!("{pointer}: there is no such member to remove"))?;
        }
        Value::Array(items) => {
            let index = index(pointer, &last)?;
            ensure!(index < items.len(), "{pointer}: there is no such item to remove");
            items.remove(index);
        }
        _ => bail!("{pointer}: its parent is neither an object nor a list"),
    }
    Ok(())
}

fn parent<'a>(root: &'a mut Value, pointer: &str) -> Result<(&'a mut Value, String)> {
    let (before, last) =
        pointer.rsplit_once('/').with_context(|| format!("`{pointer}`: a pointer begins with `/`; the whole value cannot be replaced"))?;
    let parent = root.pointer_mut(before).with_context(|| format!("{pointer}: its parent {before} does not exist"))?;
    Ok((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn index(pointer: &str, text: &str) -> Result<usize> {
    text.parse().with_context(|| format!("{pointer}: `{text}` is not an index of a list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! json {
        ($($text:tt)*) => {
            refundproof::json::to_value(&serde_json::json!($($text)*)).unwrap()
        };
    }

    #[test]
    fn set_keeps_positions() {
        let mut value = json!({"a": 1, "b": [1], "c/d": 0});
        set(&mut value, "/a", json!(2)).unwrap();
        set(&mut value, "/b/0", json!(3)).unwrap();
        set(&mut value, "/b/1", json!(4)).unwrap();
        set(&mut value, "/c~1d", json!(5)).unwrap();
        set(&mut value, "/e", json!(6)).unwrap();
        assert_eq!(value.to_string(), r#"{"a":2,"b":[3,4],"c/d":5,"e":6}"#);
    }

    #[test]
    fn remove_keeps_order() {
        let mut value = json!({"a": 1, "b": [1, 2], "c": 3});
        remove(&mut value, "/a").unwrap();
        remove(&mut value, "/b/0").unwrap();
        assert_eq!(value.to_string(), r#"{"b":[2],"c":3}"#);
    }

    #[test]
    fn wrong_places_are_errors() {
        let mut value = json!({"a": [1]});
        for pointer in ["", "a", "/x/y", "/a/2", "/a/x", "/a/0/z"] {
            assert!(set(&mut value, pointer, json!(1)).is_err(), "{pointer}");
        }
        for pointer in ["", "/x", "/a/1", "/a/0/z"] {
            assert!(remove(&mut value, pointer).is_err(), "{pointer}");
        }
    }
}
