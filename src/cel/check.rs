//! Type inference: cel-go's `checker` package, by its rules and with its texts.
//!
//! Types that are not known yet are variables, bound when an operand says more. An attempt that fails leaves nothing
//! bound.

use std::sync::{Arc, LazyLock};

use super::CompileErrorKind;
use super::declarations;
use super::functions::{self, Row, Style};
use super::tree::MacroKind;
use super::types::{Signature, Type};

/// The syntax that is checked like calls of functions, and has no functions to evaluate.
const SYNTAX: [(&str, &[&str]); 5] = [
    ("_?_:_", &["(bool, A, A) -> A"]),
    (
        "_[_]",
        &[
            "(list(A), int) -> A",
            "(map(A, B), A) -> B",
            "(optional_type(list(A)), int) -> optional_type(A)",
            "(optional_type(map(A, B)), A) -> optional_type(B)",
        ],
    ),
    (
        "_[?_]",
        &[
            "(list(A), int) -> optional_type(A)",
            "(optional_type(list(A)), int) -> optional_type(A)",
            "(map(A, B), A) -> optional_type(B)",
            "(optional_type(map(A, B)), A) -> optional_type(B)",
        ],
    ),
    ("cel.@mapInsert", &["(map(A, B), A, B) -> map(A, B)", "(map(A, B), map(A, B)) -> map(A, B)"]),
    (
        "@sortByAssociatedKeys",
        &[
            "(list(A), list(int)) -> list(A)",
            "(list(A), list(uint)) -> list(A)",
            "(list(A), list(double)) -> list(A)",
            "(list(A), list(bool)) -> list(A)",
            "(list(A), list(duration)) -> list(A)",
            "(list(A), list(timestamp)) -> list(A)",
            "(list(A), list(string)) -> list(A)",
            "(list(A), list(bytes)) -> list(A)",
        ],
    ),
];

/// What is known of types while an expression is checked.
#[derive(Debug, Default)]
pub struct Checker {
    bindings: Vec<Option<Type>>,
    /// What was bound, with what was there before: to take back what failed.
    trail: Vec<(usize, Option<Type>)>,
}

/// The overloads that a call may mean, the declaration of the one if it can be no other, and the type of its result.
type Resolved = Result<(Vec<&'static Row>, Option<&'static str>, Type), CompileErrorKind>;

impl Checker {
    /// A type that is to be found out.
    pub fn fresh(&mut self) -> Type {
        self.bindings.push(None);
        Type::Var(self.bindings.len() - 1)
    }

    /// Whether a value of one type may stand where another is wanted; if so, what that tells is remembered.
    pub fn assignable(&mut self, given: &Type, wanted: &Type) -> bool {
        self.attempt(|checker| checker.unify(given, wanted))
    }

    /// Refuses a type where another is wanted.
    pub fn expect(&mut self, wanted: &Type, given: &Type) -> Result<(), CompileErrorKind> {
        if self.assignable(given, wanted) { Ok(()) } else { Err(self.mismatch(wanted, given)) }
    }

    /// The error of a type where another is wanted.
    pub fn mismatch(&self, wanted: &Type, given: &Type) -> CompileErrorKind {
        CompileErrorKind::Type { expected: self.known(wanted).to_string(), found: self.known(given).to_string() }
    }

    /// The type as far as it is known.
    pub fn known(&self, given: &Type) -> Type {
        match given {
            Type::Var(index) => match self.bindings.get(*index) {
                Some(Some(bound)) => self.known(bound),
                _ => given.clone(),
            },
            Type::List(_) | Type::Map(_) | Type::Optional(_) | Type::Type(Some(_)) => {
                given.instantiate(&|index| self.known(&Type::Var(index)))
            }
            _ => given.clone(),
        }
    }

    /// The type as far as it is known, and `dyn` where it is not.
    pub fn settled(&self, given: &Type) -> Type {
        self.known(given).instantiate(&|_| Type::Dyn)
    }

    /// The common type of the elements of a list, or of the keys or values of a map, so far.
    pub fn join(&mut self, known: Option<Type>, next: &Type) -> Type {
        match known {
            None => next.clone(),
            Some(known) if self.assignable(&known, next) => {
                if is_less_specific(&known, next) {
                    known
                } else {
                    next.clone()
                }
            }
            Some(_) => Type::Dyn,
        }
    }

    /// The type of `operand.field`.
    pub fn select(&mut self, operand: &Type, field: &str, optional: bool) -> Result<Type, CompileErrorKind> {
        let operand = self.known(operand);
        let (target, wraps) = match &operand {
            Type::Optional(inner) => ((**inner).clone(), true),
            _ => (operand, optional),
        };
        let found = match &target {
            Type::Map(inner) => inner.1.clone(),
            Type::Object(name) => match declarations::field(name, field) {
                Some(Ok(found)) => found,
                Some(Err(())) => return Err(CompileErrorKind::UndefinedField(field.to_owned())),
                None => return Err(CompileErrorKind::NoFields((*name).to_owned())),
            },
            Type::Struct(of) => {
                let found = of.fields.get(field).cloned();
                found.ok_or_else(|| CompileErrorKind::UndefinedField(field.to_owned()))?
            }
            Type::Var(_) => {
                self.assignable(&Type::Dyn, &target);
                Type::Dyn
            }
            Type::Dyn | Type::Error => Type::Dyn,
            _ => return Err(CompileErrorKind::Selection(self.settled(&target).to_string())),
        };
        Ok(if wraps { Type::Optional(Arc::new(found)) } else { found })
    }

    /// The types of a macro's one or two variables, by what it runs over.
    pub fn bindings(&mut self, range: &Type, two: bool) -> Result<[Type; 2], CompileErrorKind> {
        let range = self.known(range);
        match &range {
            Type::List(element) if two => Ok([Type::Int, (**element).clone()]),
            Type::List(element) => Ok([(**element).clone(), Type::Dyn]),
            Type::Map(inner) => Ok([inner.0.clone(), inner.1.clone()]),
            Type::Dyn | Type::Error | Type::Var(_) => {
                self.assignable(&Type::Dyn, &range);
                Ok([Type::Dyn, Type::Dyn])
            }
            _ => Err(CompileErrorKind::Range(self.settled(&range).to_string())),
        }
    }

    /// The overloads of a function that take arguments of these types, the receiver first.
    pub fn call(&mut self, name: &str, style: Style, args: &[Type]) -> Resolved {
        let overloads = functions::named(name).iter().filter(|overload| overload.row.style == style);
        let mut rows: Vec<&'static Row> = Vec::new();
        let mut declared = Vec::new();
        let mut result = None;
        for overload in overloads {
            if self.matches(&overload.signature, args, &mut result) {
                declared.push(overload.declared);
                if !rows.iter().any(|known| std::ptr::eq(*known, overload.row)) {
                    rows.push(overload.row);
                }
            }
        }
        let result = result.ok_or_else(|| self.no_overload(name, style, args))?;
        let only = if let [only] = declared.as_slice() { Some(*only) } else { None };
        Ok((rows, only, result))
    }

    /// The type of syntax that is checked like a call.
    pub fn syntax(&mut self, name: &str, args: &[Type]) -> Result<Type, CompileErrorKind> {
        static READ: LazyLock<Vec<(&str, Vec<Signature>)>> = LazyLock::new(|| {
            let read = |texts: &[&'static str]| texts.iter().map(|text| Signature::read(text)).collect();
            SYNTAX.iter().map(|(name, texts)| (*name, read(texts))).collect()
        });
        let mut result = None;
        for signature in READ.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, signatures)| signatures) {
            self.matches(signature, args, &mut result);
        }
        let style = if name.starts_with('@') { Style::Member } else { Style::Global };
        result.ok_or_else(|| self.no_overload(name, style, args))
    }

    /// Whether a signature takes the arguments. The first that does gives the result; others can make it uncertain.
    fn matches(&mut self, signature: &Signature, args: &[Type], result: &mut Option<Type>) -> bool {
        if signature.args.len() != args.len() {
            return false;
        }
        let first = self.bindings.len();
        self.bindings.resize(first + signature.variables, None);
        let own = |wanted: &Type| match signature.variables {
            0 => wanted.clone(),
            _ => wanted.instantiate(&|index| Type::Var(first + index)),
        };
        let fits = self
            .attempt(|checker| args.iter().zip(&signature.args).all(|(arg, wanted)| checker.unify(arg, &own(wanted))));
        if !fits {
            self.bindings.truncate(first);
            return false;
        }
        let given = self.known(&own(&signature.result));
        *result = Some(match result.take() {
            None => given,
            Some(Type::Dyn) => Type::Dyn,
            Some(known) if known == given => known,
            Some(_) => Type::Dyn,
        });
        true
    }

    fn no_overload(&self, name: &str, style: Style, args: &[Type]) -> CompileErrorKind {
        let types: Vec<String> = args.iter().map(|arg| self.settled(arg).to_string()).collect();
        let given = match (style, types.split_first()) {
            (Style::Member, Some((target, types))) => format!("{target}.({})", types.join(", ")),
            _ => format!("({})", types.join(", ")),
        };
        CompileErrorKind::NoOverload { name: name.to_owned(), given }
    }

    fn attempt(&mut self, run: impl FnOnce(&mut Self) -> bool) -> bool {
        self.trail.clear();
        let done = run(self);
        while let Some((index, before)) = self.trail.pop() {
            if !done && let Some(binding) = self.bindings.get_mut(index) {
                *binding = before;
            }
        }
        done
    }

    fn unify(&mut self, given: &Type, wanted: &Type) -> bool {
        if let Type::Var(index) = wanted {
            match self.bind(given, *index) {
                (true, _) => return true,
                (false, true) => return false,
                (false, false) => {}
            }
        }
        if let Type::Var(index) = given {
            return self.bind(wanted, *index).0;
        }
        match (given, wanted) {
            (Type::Dyn | Type::Error, _) | (_, Type::Dyn | Type::Error) | (Type::Type(_), Type::Type(_)) => true,
            (Type::Null, other) | (other, Type::Null) => other.is_nullable(),
            (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => self.unify(a, b),
            (Type::Map(a), Type::Map(b)) => self.unify(&a.0, &b.0) && self.unify(&a.1, &b.1),
            (a, b) => a == b,
        }
    }

    /// Whether a variable can be a type, and whether it was bound before.
    fn bind(&mut self, given: &Type, index: usize) -> (bool, bool) {
        if *given == Type::Var(index) {
            return (true, true);
        }
        let Some(bound) = self.bindings.get(index).cloned().flatten() else {
            let free = self.is_free_of(index, given);
            if free {
                self.set(index, given.clone());
            }
            return (free, false);
        };
        if *given == bound {
            return (true, true);
        }
        if !self.unify(given, &bound) {
            return (false, true);
        }
        let general = if is_less_specific(given, &bound) { given.clone() } else { bound };
        if self.is_free_of(index, &general) {
            self.set(index, general);
        }
        (true, true)
    }

    fn set(&mut self, index: usize, bound: Type) {
        if let Some(binding) = self.bindings.get_mut(index) {
            self.trail.push((index, binding.replace(bound)));
        }
    }

    /// Whether a variable is no part of a type.
    fn is_free_of(&self, index: usize, within: &Type) -> bool {
        match within {
            Type::Var(other) if *other == index => false,
            Type::Var(other) => match self.bindings.get(*other) {
                Some(Some(bound)) => self.is_free_of(index, bound),
                _ => true,
            },
            Type::List(inner) | Type::Optional(inner) | Type::Type(Some(inner)) => self.is_free_of(index, inner),
            Type::Map(inner) => self.is_free_of(index, &inner.0) && self.is_free_of(index, &inner.1),
            _ => true,
        }
    }
}

impl MacroKind {
    /// The types of a macro's variables, by what it runs over.
    pub fn bound(self, types: &mut Checker, range: &Type, two: bool) -> Result<[Type; 2], CompileErrorKind> {
        if !matches!(self, Self::OptMap | Self::OptFlatMap) {
            return types.bindings(range, two);
        }
        let range = std::slice::from_ref(range);
        types.call("hasValue", Style::Member, range)?;
        let (_, _, value) = types.call("value", Style::Member, range)?;
        Ok([value, Type::Dyn])
    }

    /// The type of a macro's value: that of what cel-go's parser expands it to.
    pub fn result(
        self,
        types: &mut Checker,
        range: &Type,
        [first, _]: [Type; 2],
        filter: Option<Type>,
        body: Type,
    ) -> Result<Type, CompileErrorKind> {
        let (so_far, next) = match self {
            Self::All | Self::Exists => return Ok(Type::Bool),
            Self::ExistsOne => {
                types.syntax("_?_:_", &[body, Type::Int, Type::Int])?;
                return Ok(Type::Bool);
            }
            Self::OptMap | Self::OptFlatMap => {
                let none = Type::Optional(Arc::new(types.fresh()));
                let some = if self == Self::OptMap { Type::Optional(Arc::new(body)) } else { body };
                return types.syntax("_?_:_", &[Type::Bool, some, none]);
            }
            // Ours alone: a list becomes a map of lists.
            Self::GroupBy => {
                types.expect(&Type::list(first.clone()), range)?;
                return Ok(Type::map(body, Type::list(first)));
            }
            Self::SortBy => return types.syntax("@sortByAssociatedKeys", &[range.clone(), Type::list(body)]),
            Self::Filter | Self::Map => {
                let so_far = Type::list(types.fresh());
                let element = if self == Self::Filter { first } else { body.clone() };
                let (_, _, next) = types.call("_+_", Style::Global, &[so_far.clone(), Type::list(element)])?;
                (so_far, next)
            }
            Self::TransformMap | Self::TransformMapEntry => {
                let so_far = Type::map(types.fresh(), types.fresh());
                let mut args = vec![so_far.clone()];
                args.extend((self == Self::TransformMap).then_some(first));
                args.push(body.clone());
                let next = types.syntax("cel.@mapInsert", &args)?;
                (so_far, next)
            }
        };
        let next = match if self == Self::Filter { Some(body) } else { filter } {
            Some(condition) => types.syntax("_?_:_", &[condition, next, so_far.clone()])?,
            None => next,
        };
        types.expect(&so_far, &next)?;
        Ok(types.known(&so_far))
    }

    /// cel-go's text for a variable that is no name.
    pub fn wants_a_name(self, variables: usize) -> &'static str {
        match self {
            Self::OptMap => "optMap() variable name must be a simple identifier",
            Self::OptFlatMap => "optFlatMap() variable name must be a simple identifier",
            Self::Map | Self::Filter | Self::SortBy | Self::GroupBy if variables == 1 => {
                "argument is not an identifier"
            }
            _ => "argument must be a simple name",
        }
    }
}

/// Whether the first of two types that go together is the other or says less.
fn is_less_specific(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dyn | Type::Var(_), _) => true,
        (_, Type::Dyn | Type::Var(_)) => false,
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => is_less_specific(a, b),
        (Type::Map(a), Type::Map(b)) => is_less_specific(&a.0, &b.0) && is_less_specific(&a.1, &b.1),
        (Type::Type(_), Type::Type(_)) => true,
        (a, b) => a == b,
    }
}
