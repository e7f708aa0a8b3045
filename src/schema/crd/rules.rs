//! The CEL rules of a custom resource, compiled and evaluated as the API server does.
//!
//! Source: apiextensions-apiserver, `pkg/apiserver/schema/cel/{compilation,validation}.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::declare::{declare, typed};
use super::field_path;
use super::node::Flaw;
use super::schema::{Additional, Rule, Schema};
use super::trail::Trail;
use crate::cel::types::Type;
use crate::cel::value::{Data, Val};
use crate::cel::{self, Evaluation, Failure, Globals, Program};
use crate::schema::words::field;
use crate::schema::{Check, Problem};
use crate::value::{Path, Value};

/// The variables of a rule.
const GLOBALS: &[&str] = &["self", "oldSelf"];
const OLD_SELF: usize = 1;

/// The longest message that a `messageExpression` may make, in bytes.
const MAX_MESSAGE: usize = 5 << 10;

/// The rules of a schema and of all below it.
#[derive(Debug)]
pub(super) struct Rules {
    own: Vec<Compiled>,
    is_resource: bool,
    items: Option<Box<Rules>>,
    each: Option<Box<Rules>>,
    properties: BTreeMap<Arc<str>, Rules>,
}

#[derive(Debug)]
struct Compiled {
    expression: Program,
    message_expression: Option<Program>,
    /// The rule in a message: its own, or its text
    name: String,
    /// What is wrong where no `messageExpression` says it
    message: Option<Arc<str>>,
    /// The field at fault, from the one that is judged
    field: Path,
    /// Whether it compares with the object as it was before
    is_transition: bool,
    /// Whether it can do without
    optional_old_self: bool,
}

impl Rules {
    /// Compiles the rules of a schema and below it; `None` where there are none.
    ///
    /// `can_compare` is false below lists whose items nothing can find again when the object changes.
    pub fn compile(schema: &Schema, is_resource: bool, can_compare: bool) -> Result<Option<Self>, Flaw> {
        compile(schema, is_resource, can_compare, true)
    }

    /// What the rules find wrong with an object that is new.
    pub fn problems(&self, object: &Value, schema: &Schema, at: &Trail<'_>) -> Vec<Problem> {
        let mut run = Run { left: cel::BUDGET, problems: Vec::new() };
        // What ended it has been told.
        let _ended = self.judge(object, schema, at, &mut run);
        run.problems
    }

    fn judge(&self, value: &Value, schema: &Schema, at: &Trail<'_>, run: &mut Run) -> Result<(), Ended> {
        if matches!(value, Value::Null) {
            return Ok(());
        }
        if !self.own.is_empty() {
            match typed(value, schema, self.is_resource) {
                Some(own) => run.evaluate(&self.own, &own, at)?,
                None => {
                    let path = at.path();
                    let message =
                        format!("the rules for {} cannot be evaluated: it is not what the schema says", field(&path));
                    run.add(path, message);
                }
            }
        }
        match value {
            Value::List(items) => {
                if let (Some(rules), Some(of_items)) = (&self.items, &schema.items) {
                    for (i, item) in items.iter().enumerate() {
                        rules.judge(item, of_items, &at.index(i), run)?;
                    }
                }
            }
            Value::Map(map) => {
                for (name, value) in map.iter() {
                    let rules = self.properties.get(name).or(self.each.as_deref());
                    if let (Some(rules), Some(of_field)) = (rules, schema.field(name)) {
                        rules.judge(value, of_field, &at.key(name), run)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn compile(schema: &Schema, is_resource: bool, can_compare: bool, is_seen: bool) -> Result<Option<Rules>, Flaw> {
    let declared = declare(schema, is_resource, "self").filter(|_| is_seen);
    let is_seen = declared.is_some();
    let own = match (&declared, schema.rules.first()) {
        (_, None) => Vec::new(),
        (Some(of_self), _) => {
            schema.rules.iter().map(|rule| compile_one(rule, schema, of_self, can_compare)).collect::<Result<_, _>>()?
        }
        (None, Some(rule)) => {
            let message = "rules cannot see this value: it, or one around it, has no type";
            return Err(Flaw { path: rule.path.clone(), message: message.into() });
        }
    };
    let below = |schema: &Schema, can_compare| compile(schema, schema.embedded, can_compare, is_seen);
    let items = match &schema.items {
        Some(items) => below(items, can_compare && matches!(schema.list, super::schema::ListType::Map(_)))?,
        None => None,
    };
    let each = match &schema.additional {
        Some(Additional::Each(each)) => below(each, can_compare)?,
        _ => None,
    };
    let mut properties = BTreeMap::new();
    for (name, property) in &schema.properties {
        if let Some(rules) = below(property, can_compare)? {
            properties.insert(name.clone(), rules);
        }
    }
    let is_empty = own.is_empty() && items.is_none() && each.is_none() && properties.is_empty();
    let (items, each) = (items.map(Box::new), each.map(Box::new));
    Ok((!is_empty).then_some(Rules { own, is_resource, items, each, properties }))
}

fn compile_one(rule: &Rule, schema: &Schema, of_self: &Type, can_compare: bool) -> Result<Compiled, Flaw> {
    let flaw = |key: &str, message: String| Flaw { path: rule.path.key(key), message };
    let optional_old_self = rule.optional_old_self == Some(true);
    let of_old_self = if optional_old_self { Type::Optional(Arc::new(of_self.clone())) } else { of_self.clone() };
    let types = [of_self.clone(), of_old_self];
    let scope = cel::Scope { globals: GLOBALS, types: &types, composed: &[], joins: false };
    let compile = |key: &str, text: &str, wanted: &Type| {
        let compiled = Program::compile_to(text, scope, wanted);
        compiled.map_err(|error| flaw(key, format!("the expression does not compile: {error}")))
    };
    let expression = compile("rule", &rule.expression, &Type::Bool)?;
    let message_expression = match &rule.message_expression {
        Some(text) => Some(compile("messageExpression", text, &Type::String)?),
        None => None,
    };
    let is_transition = cel::common(std::slice::from_ref(&expression), &|global| global == OLD_SELF) != [true];
    if is_transition && !can_compare {
        let message = "`oldSelf` cannot be used here: nothing tells which item of the list it was";
        return Err(flaw("rule", message.into()));
    }
    if !is_transition && rule.optional_old_self.is_some() {
        return Err(flaw("optionalOldSelf", "must not be set: the rule does not use `oldSelf`".into()));
    }
    let field = match &rule.field_path {
        Some(text) => field_path::read(text, schema).map_err(|reason| flaw("fieldPath", reason))?,
        None => Path::default(),
    };
    let message = rule.message.clone();
    let name =
        message.as_ref().map_or_else(|| format!("`{}`", rule.expression.trim()), |message| format!("{message:?}"));
    Ok(Compiled { expression, message_expression, name, message, field, is_transition, optional_old_self })
}

/// That the budget is used up: no more rules are evaluated.
struct Ended;

/// The evaluation of all rules on one object.
struct Run {
    left: u64,
    problems: Vec<Problem>,
}

/// `self`, and `oldSelf` where there is one.
struct Selves<'a> {
    own: &'a Val,
    old: Option<Val>,
}

impl Globals for Selves<'_> {
    fn get(&self, index: usize) -> Result<Val, Failure> {
        let value = if index == OLD_SELF { self.old.as_ref() } else { Some(self.own) };
        value.cloned().ok_or_else(|| Failure::new("no such attribute(s): oldSelf"))
    }
}

impl Run {
    fn evaluate(&mut self, rules: &[Compiled], own: &Val, at: &Trail<'_>) -> Result<(), Ended> {
        for rule in rules {
            // The object is new: there is nothing to compare it with.
            if rule.is_transition && !rule.optional_old_self {
                continue;
            }
            let result = self.call(&rule.expression, own, rule.optional_old_self.then(Val::none));
            let (path, failure) = match result {
                Ok(Data::Bool(true)) => continue,
                Ok(_) => {
                    let message = self.message(rule, own).map_err(|Ended| self.end(at))?;
                    let path = at.path().join(&rule.field);
                    let message = said(&path, message.as_deref(), &rule.name);
                    self.add(path, message);
                    continue;
                }
                Err(Failure::OverBudget) if self.left == 0 => return Err(self.end(at)),
                Err(failure) => (at.path(), failure),
            };
            let why = match failure {
                Failure::OverBudget => {
                    "it costs more than the API server allows a rule; those after it are not evaluated".into()
                }
                Failure::NoSuchOverload => "it does something with a value that cannot be done with its type".into(),
                _ => failure.to_string(),
            };
            let message = format!("the rule {} cannot be evaluated for {}: {why}", rule.name, field(&path));
            self.add(path, message);
            if matches!(failure, Failure::OverBudget) {
                return Err(Ended);
            }
        }
        Ok(())
    }

    /// What a rule that is false says. A `messageExpression` without a value has nothing to say; one that uses up the budget
    /// is the last thing that is evaluated.
    fn message(&mut self, rule: &Compiled, own: &Val) -> Result<Option<Arc<str>>, Ended> {
        let Some(expression) = &rule.message_expression else { return Ok(rule.message.clone()) };
        match self.call(expression, own, None) {
            Ok(Data::String(text)) => {
                let text = text.trim();
                let is_good = !text.is_empty() && text.len() <= MAX_MESSAGE && !text.contains('\n');
                Ok(if is_good { Some(text.into()) } else { rule.message.clone() })
            }
            Err(Failure::OverBudget) => Err(Ended),
            _ => Ok(rule.message.clone()),
        }
    }

    fn call(&mut self, program: &Program, own: &Val, old: Option<Val>) -> Result<Data, Failure> {
        let selves = Selves { own, old };
        let evaluation = Evaluation::new(&selves, &[]).with_budget(self.left).of_admission();
        let result = evaluation.value(program);
        self.left = evaluation.left();
        result.map(|value| value.data).map_err(|error| error.failure)
    }

    fn add(&mut self, path: Path, message: String) {
        self.problems.push(Problem { check: Check::CustomRule, path, message });
    }

    fn end(&mut self, at: &Trail<'_>) -> Ended {
        let message = "the rules cost more than the API server allows all rules of an object; those from here on are not evaluated";
        self.add(at.path(), message.into());
        Ended
    }
}

/// What is wrong with a field, by the message of the rule that it breaks.
fn said(path: &Path, message: Option<&str>, rule: &str) -> String {
    match message {
        Some(message) if path.0.is_empty() => message.to_owned(),
        Some(message) => format!("{}: {message}", field(path)),
        None => format!("{} breaks the rule {rule} of its CRD", field(path)),
    }
}
