//! What functions do with shapes: those that choose, those that make maps and lists, and those that only read.
//!
//! Both dialects have them under the same names; those that call templates are in [`super::go`].

use super::Use;
use super::pattern::Tolerance;
use super::record::Recorder;
use super::shape::{Atom, Place, Shape};
use crate::source::Location;
use crate::value::Value;

/// The longest text of which parts are known.
const MAX_GLOB: usize = 256;
/// The longest list that is known by its elements.
const MAX_ITEMS: usize = 64;

impl Recorder {
    /// Calls a function. Its name is one of the table's: arguments are in Helm's order.
    pub fn call(&mut self, name: &'static str, args: &[Shape], at: &Location) -> Shape {
        let plain = name.strip_prefix("must").filter(|rest| rest.starts_with(char::is_uppercase)).unwrap_or(name);
        match (lower_first(plain).as_str(), args) {
            ("default", [default, value]) => {
                self.ask(value, &Use::Default(default.as_default()));
                tolerated(value).or(&tolerated(default))
            }
            ("coalesce" | "or" | "and", _) => {
                args.iter().for_each(|arg| self.ask(arg, &Use::Condition));
                args.iter().fold(Shape::default(), |all, arg| all.or(&tolerated(arg)))
            }
            ("ternary", [yes, no, condition]) => {
                self.ask(condition, &Use::Condition);
                tolerated(yes).or(&tolerated(no))
            }
            ("not" | "empty", _) => {
                args.iter().for_each(|arg| self.ask(arg, &Use::Condition));
                Shape::other()
            }
            ("all" | "any", _) => self.used("any", args, false),
            ("required", [message, value]) => {
                self.consume(message, &Use::Call("required"), true);
                self.demand(value);
                tolerated(value)
            }
            ("eq" | "ne" | "lt" | "le" | "gt" | "ge" | "equal", _) => {
                for (i, arg) in args.iter().enumerate() {
                    let others = args.iter().enumerate().filter(|(other, _)| i == 0 || *other == 0).map(|(_, arg)| arg);
                    let literals: Vec<Option<&Value>> =
                        others.filter(|other| !std::ptr::eq(*other, arg)).map(Shape::as_literal).collect();
                    for literal in literals {
                        self.consume(arg, &Use::Compared(literal.cloned()), true);
                    }
                }
                Shape::other()
            }
            ("len" | "kindOf" | "typeOf" | "kindIs" | "typeIs" | "typeIsLike", _) => self.used(name, args, true),
            ("hasKey", [map, key]) => {
                let field = self.index(map, key, at);
                self.ask(&field, &Use::Tested);
                Shape::other()
            }
            ("index", [value, keys @ ..]) => keys.iter().fold(value.clone(), |value, key| self.index(&value, key, at)),
            ("get", [map, key]) => self.index(map, key, at),
            ("dig", [keys @ .., default, map]) => {
                let found = keys.iter().fold(map.clone(), |map, key| self.index(&map, key, at));
                self.ask(&guessed(&found), &Use::Default(default.as_default()));
                guessed(&found).or(&tolerated(default))
            }
            ("pluck", [key, maps @ ..]) => {
                let found = maps.iter().fold(Shape::default(), |all, map| all.or(&self.index(map, key, at)));
                self.ask(&found, &Use::Tested);
                Shape::list(vec![tolerated(&found)], false)
            }
            ("dict", _) => {
                let map = Shape(vec![Atom::Map(self.make())]);
                args.chunks(2).for_each(|pair| {
                    let empty = Shape::literal("");
                    let value = pair.get(1).unwrap_or(&empty);
                    pair.iter().take(1).for_each(|key| self.put(&map, key, value));
                });
                map
            }
            ("set", [map, key, value]) => {
                self.put(map, key, value);
                map.clone()
            }
            ("merge" | "mergeOverwrite", [map, others @ ..]) => {
                others.iter().for_each(|other| self.merge(map, other));
                map.clone()
            }
            ("unset" | "omit", [map, keys @ ..]) => {
                keys.iter().for_each(|key| self.consume(key, &Use::Call(name), true));
                map.clone()
            }
            ("pick", [map, keys @ ..]) => {
                let picked = Shape(vec![Atom::Map(self.make())]);
                for key in keys {
                    let field = tolerated(&self.index(map, key, at));
                    self.put(&picked, key, &field);
                }
                picked
            }
            ("deepCopy", [value]) => self.copy(value),
            ("list" | "tuple", _) if args.len() <= MAX_ITEMS => Shape::list(args.to_vec(), true),
            ("list" | "tuple" | "concat", _) => {
                let all = args.iter().fold(Shape::default(), |all, arg| {
                    let item = if plain == "concat" { self.each(arg, at) } else { arg.clone() };
                    all.or(&item)
                });
                args.iter().filter(|_| plain == "concat").for_each(|arg| self.ask(arg, &Use::Ranged));
                let all = self.narrowed(all);
                Shape::list(vec![all], false)
            }
            ("append" | "push" | "prepend", [list, item]) => {
                self.ask(list, &Use::Ranged);
                let known = self.items(list, at);
                if known.items.len() >= MAX_ITEMS {
                    let all = known.items.iter().fold(item.clone(), |all, item| all.or(item));
                    return Shape::list(vec![self.narrowed(all)], false);
                }
                let mut items = known.items.clone();
                items.insert(if plain == "prepend" { 0 } else { items.len() }, item.clone());
                Shape::list(items, known.exact)
            }
            ("first" | "last", [list]) => match &list.0[..] {
                [Atom::List(known)] if known.exact => {
                    let item = if plain == "first" { known.items.first() } else { known.items.last() };
                    item.cloned().unwrap_or_else(Shape::other)
                }
                _ => {
                    self.ask(list, &Use::Ranged);
                    tolerated(&self.each(list, at))
                }
            },
            ("rest" | "initial" | "reverse" | "compact" | "uniq" | "values", [list]) => {
                self.ask(list, &Use::Ranged);
                let each = self.each(list, at);
                Shape::list(vec![each], false)
            }
            ("slice" | "without", [list, rest @ ..]) => {
                rest.iter().for_each(|arg| self.consume(arg, &Use::Call(name), true));
                self.ask(list, &Use::Ranged);
                let each = self.each(list, at);
                Shape::list(vec![each], false)
            }
            ("chunk", [_, list]) => {
                self.ask(list, &Use::Ranged);
                let each = self.each(list, at);
                Shape::list(vec![Shape::list(vec![each], false)], false)
            }
            ("keys", maps) => {
                maps.iter().for_each(|map| self.ask(map, &Use::Ranged));
                let keys = maps.iter().fold(Shape::default(), |all, map| all.or(&self.keys_of(map)));
                Shape::list(vec![keys], false)
            }
            ("print" | "printf" | "toString" | "quote" | "squote" | "cat", _) => {
                self.used(name, args, false);
                if args.iter().any(is_foreign) {
                    return Shape(vec![Atom::Foreign]);
                }
                match plain {
                    "print" | "toString" => text(args.iter().map(known).collect()),
                    "printf" => text(format(args)),
                    "cat" => text(args.iter().map(known).collect::<Vec<_>>().join(" ")),
                    _ => Shape::other(),
                }
            }
            _ => self.used(name, args, false),
        }
    }

    /// Gives everything to a function.
    fn used(&mut self, name: &'static str, args: &[Shape], only_asks: bool) -> Shape {
        for arg in args {
            if only_asks {
                self.ask(arg, &Use::Call(name));
            } else {
                self.consume(arg, &Use::Call(name), true);
            }
        }
        if args.iter().any(is_foreign) { Shape(vec![Atom::Foreign]) } else { Shape::other() }
    }

    /// Maps that can be changed on their own; what they hold is shared, which can only add reads.
    fn copy(&mut self, shape: &Shape) -> Shape {
        let mut copied = |atom: &Atom| match atom {
            Atom::Map(map) => {
                let copy = self.make();
                copy.fields.replace(map.fields.borrow().clone());
                copy.any.replace(map.any.borrow().clone());
                copy.merged.replace(map.merged.borrow().clone());
                Atom::Map(copy)
            }
            other => other.clone(),
        };
        Shape(shape.0.iter().map(&mut copied).collect())
    }

    /// What the release cannot do without.
    fn demand(&mut self, value: &Shape) {
        self.ask(value, &Use::Required);
        for atom in &value.0 {
            if let Atom::Values(place) = atom {
                self.demanded.insert(place.path.clone());
            }
        }
    }
}

/// The same, of which the last step may be missing.
pub fn tolerated(shape: &Shape) -> Shape {
    places(shape, Place::tolerated)
}

/// The same, of which it is not certain that it is read.
pub fn guessed(shape: &Shape) -> Shape {
    places(shape, |place| Place { tolerates: Tolerance::ALL, ..place.clone() })
}

fn places(shape: &Shape, change: impl Fn(&Place) -> Place) -> Shape {
    let changed = |atom: &Atom| match atom {
        Atom::Values(place) => Atom::Values(change(place)),
        other => other.clone(),
    };
    Shape(shape.0.iter().map(changed).collect())
}

/// `mustToYaml` is `toYaml`.
fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

fn is_foreign(shape: &Shape) -> bool {
    shape.0.iter().any(|atom| matches!(atom, Atom::Foreign))
}

/// What is known of a printed operand, `*` for the rest.
fn known(shape: &Shape) -> String {
    match &shape.0[..] {
        [Atom::Literal(Value::String(text))] => text.replace('*', "?"),
        [Atom::Literal(Value::Int(number))] => number.to_string(),
        [Atom::Glob(glob)] => glob.to_string(),
        _ => "*".to_owned(),
    }
}

/// `printf` with what is known of its arguments.
fn format(args: &[Shape]) -> String {
    let Some((format, args)) = args.split_first() else { return "*".to_owned() };
    let Some(Value::String(format)) = format.as_literal() else { return "*".to_owned() };
    let mut args = args.iter();
    let mut text = String::new();
    let mut rest: &str = format;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let mut verb = after.chars();
        match verb.next() {
            Some('%') => text.push('%'),
            Some('s' | 'v' | 'd') => text.push_str(&args.next().map_or_else(|| "*".to_owned(), known)),
            // Flags and widths: what follows is text that is not known either.
            _ => return text + "*",
        }
        rest = verb.as_str();
    }
    text + rest
}

/// A text of which `*` stands for what is not known.
fn text(mut text: String) -> Shape {
    while text.contains("**") {
        text = text.replace("**", "*");
    }
    if text == "*" || text.len() > MAX_GLOB {
        return Shape::other();
    }
    if text.contains('*') { Shape(vec![Atom::Glob(text.into())]) } else { Shape::literal(Value::String(text.into())) }
}
