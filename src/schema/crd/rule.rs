//! The rules of `x-kubernetes-validations` as they are written.

use std::sync::Arc;

use super::node::{Flaw, Node};
use super::schema::Rule;

/// Reads the rules of a schema, with the checks that the API server makes before it compiles them.
pub(super) fn read(schema: &Node<'_>) -> Result<Vec<Rule>, Flaw> {
    let at = schema.at.key("x-kubernetes-validations");
    let list = schema.list("x-kubernetes-validations")?;
    list.iter().enumerate().map(|(i, rule)| read_one(&Node::new(rule, &at.index(i))?)).collect()
}

fn read_one(node: &Node<'_>) -> Result<Rule, Flaw> {
    const REASONS: [&str; 4] =
        ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
    let expression = node.need("rule")?;
    if expression.trim().is_empty() {
        return Err(node.flaw("rule", "`rule` is empty"));
    }
    let message = not_blank(node, "message")?;
    match &message {
        Some(message) if message.contains('\n') => return Err(node.flaw("message", "must be a single line")),
        None if expression.trim().contains('\n') => {
            return Err(node.flaw("message", "`message` is missing: a rule of several lines needs one"));
        }
        _ => {}
    }
    if let Some(reason) = node.text("reason")?
        && !REASONS.contains(&&**reason)
    {
        return Err(node.flaw("reason", format!("no reason is called {reason:?}; there are {}", REASONS.join(", "))));
    }
    let field_path = not_blank(node, "fieldPath")?;
    if field_path.as_ref().is_some_and(|path| path.contains('\n')) {
        return Err(node.flaw("fieldPath", "must be a single line"));
    }
    Ok(Rule {
        expression: expression.clone(),
        message,
        message_expression: not_blank(node, "messageExpression")?,
        field_path,
        optional_old_self: node.flag("optionalOldSelf")?,
        path: node.at.path(),
    })
}

/// A text that must say something where it is given; without blanks around it.
fn not_blank(node: &Node<'_>, key: &str) -> Result<Option<Arc<str>>, Flaw> {
    match node.text(key)? {
        None => Ok(None),
        Some(text) if text.trim().is_empty() => Err(node.flaw(key, format!("`{key}` is blank"))),
        Some(text) => Ok(Some(text.trim().into())),
    }
}
