//! The syntax tree of a Go template. Immutable and shared between threads; displays as Go's error messages show it.

use std::fmt;
use std::sync::Arc;

use crate::render::any::Text;
use crate::render::functions::{Row, Type};
use crate::source::SourceFile;

/// One template: a file, or a `define` in it. Cloning shares the body.
#[derive(Debug, Clone)]
pub struct Template {
    /// The name under which it is called.
    pub name: Arc<str>,
    /// What error messages call the file: `chart/templates/x.yaml`, `gotpl` for the text of `tpl`.
    pub file_name: Arc<str>,
    /// The text that it was parsed from.
    pub file: Arc<SourceFile>,
    /// Whether it is the file itself and no `define` in it.
    pub is_file: bool,
    /// What it does.
    pub body: Arc<[Node]>,
}

/// A piece of a template's body.
#[derive(Debug)]
pub enum Node {
    /// Literal text: a range of the file
    Text {
        /// First byte
        start: u32,
        /// One past the last byte
        end: u32,
    },
    /// `{{ pipeline }}`
    Action(Pipe),
    /// `{{ if }}`
    If(Branch),
    /// `{{ with }}`
    With(Branch),
    /// `{{ range }}`
    Range(Branch),
    /// `{{ template "name" pipeline }}`
    Template(Call),
    /// `{{ break }}`
    Break,
    /// `{{ continue }}`
    Continue,
}

/// The parts of `if`, `with` and `range`.
#[derive(Debug)]
pub struct Branch {
    /// The condition, or what is ranged over.
    pub pipe: Pipe,
    /// What happens when it holds, or for each element.
    pub body: Vec<Node>,
    /// What happens otherwise.
    pub otherwise: Vec<Node>,
}

/// A `template` action.
#[derive(Debug)]
pub struct Call {
    /// Where the name is.
    pub pos: u32,
    /// The template's name.
    pub name: Arc<str>,
    /// Its dot.
    pub pipe: Option<Pipe>,
}

/// Commands, each of which gets the result of the one before as its last argument.
#[derive(Debug)]
pub struct Pipe {
    /// Where it starts.
    pub pos: u32,
    /// Variables that get the result.
    pub variables: Vec<Name>,
    /// Whether these exist already (`=` instead of `:=`).
    pub assign: bool,
    /// At least one.
    pub commands: Vec<Command>,
}

/// Operands, the first of which may be called with the others.
#[derive(Debug)]
pub struct Command {
    /// Where it starts.
    pub pos: u32,
    /// What comes first.
    pub head: Operand,
    /// Its arguments.
    pub args: Vec<Operand>,
}

/// The name of a field or variable.
#[derive(Debug, Clone)]
pub struct Name {
    /// The name as it is written, `$` included.
    pub text: Arc<str>,
    /// For variables: equal in a file exactly when the names are.
    pub id: u32,
}

/// Something that has a value.
#[derive(Debug)]
pub struct Operand {
    /// Where it is, as Go counts: the last field of a chain.
    pub pos: u32,
    /// What it is.
    pub kind: Expr,
}

/// What an [`Operand`] is.
#[derive(Debug)]
pub enum Expr {
    /// `.`
    Dot,
    /// `nil`
    Nil,
    /// `true`, `false`
    Bool(bool),
    /// A number as it is written and what it can be
    Number(Box<Number>),
    /// A string: the literal and what it stands for
    String(Box<str>, Text),
    /// `.a.b`
    Field(Vec<Text>),
    /// `$x.a`
    Variable(Name, Vec<Text>),
    /// `(pipeline).a`, `function.a`
    Chain(Box<Operand>, Vec<Text>),
    /// `(pipeline)`
    Pipe(Box<Pipe>),
    /// A function
    Function(Function),
}

/// A function that a template calls.
#[derive(Debug, Clone, Copy)]
pub enum Function {
    /// One that the engine itself has to know
    Builtin(Builtin),
    /// One of the shared table
    Row(&'static Row),
}

/// The functions of Go's template package and those of Helm that need the engine, each under its name.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    And,
    Call,
    Eq,
    Fail,
    Ge,
    Gt,
    Html,
    Include,
    Index,
    Js,
    Le,
    Len,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Required,
    Tpl,
    Urlquery,
}

/// A numeric constant under every type that can hold it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Number {
    /// As it is written.
    pub text: String,
    /// As an integer.
    pub int: Option<i64>,
    /// As an unsigned integer.
    pub uint: Option<u64>,
    /// As a floating-point number.
    pub float: Option<f64>,
    /// As a complex number: real and imaginary part.
    pub complex: Option<(f64, f64)>,
}

impl Name {
    /// The [`Self::id`] of `$`.
    pub const ROOT: u32 = 0;
}

impl Template {
    /// Whether there is nothing but white space: such a definition does not replace another.
    pub fn is_empty(&self) -> bool {
        self.body.iter().all(|node| match node {
            Node::Text { start, end } => self.text(*start, *end).trim().is_empty(),
            _ => false,
        })
    }

    /// A range of the file's text.
    pub fn text(&self, start: u32, end: u32) -> &str {
        self.file.text.get(start as usize..end as usize).unwrap_or_default()
    }
}

impl Builtin {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::And,
        Self::Call,
        Self::Eq,
        Self::Fail,
        Self::Ge,
        Self::Gt,
        Self::Html,
        Self::Include,
        Self::Index,
        Self::Js,
        Self::Le,
        Self::Len,
        Self::Lt,
        Self::Ne,
        Self::Not,
        Self::Or,
        Self::Print,
        Self::Printf,
        Self::Println,
        Self::Required,
        Self::Tpl,
        Self::Urlquery,
    ];

    /// The name in templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Call => "call",
            Self::Eq => "eq",
            Self::Fail => "fail",
            Self::Ge => "ge",
            Self::Gt => "gt",
            Self::Html => "html",
            Self::Include => "include",
            Self::Index => "index",
            Self::Js => "js",
            Self::Le => "le",
            Self::Len => "len",
            Self::Lt => "lt",
            Self::Ne => "ne",
            Self::Not => "not",
            Self::Or => "or",
            Self::Print => "print",
            Self::Printf => "printf",
            Self::Println => "println",
            Self::Required => "required",
            Self::Tpl => "tpl",
            Self::Urlquery => "urlquery",
        }
    }

    /// The declared types of the parameters, and of those that may follow. What Go declares as `reflect.Value` is
    /// [`Type::Any`] here.
    pub fn params(self) -> (&'static [Type], Option<Type>) {
        match self {
            Self::And | Self::Or | Self::Eq | Self::Index | Self::Call => (&[Type::Any], Some(Type::Any)),
            Self::Html | Self::Js | Self::Urlquery | Self::Print | Self::Println => (&[], Some(Type::Any)),
            Self::Printf => (&[Type::String], Some(Type::Any)),
            Self::Not | Self::Len => (&[Type::Any], None),
            Self::Ge | Self::Gt | Self::Le | Self::Lt | Self::Ne => (&[Type::Any, Type::Any], None),
            Self::Include | Self::Tpl | Self::Required => (&[Type::String, Type::Any], None),
            Self::Fail => (&[Type::String], None),
        }
    }
}

impl Function {
    /// The function of a name: Helm's own, then the shared table, then Go's.
    pub fn find(name: &str) -> Option<Self> {
        let builtin = Builtin::ALL.into_iter().find(|builtin| builtin.name() == name).map(Self::Builtin);
        builtin.or_else(|| crate::render::functions::find(name).map(Self::Row))
    }

    /// The name in templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::Builtin(builtin) => builtin.name(),
            Self::Row(row) => row.name,
        }
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, variable) in self.variables.iter().enumerate() {
            write!(f, "{}{}", if i > 0 { ", " } else { "" }, variable.text)?;
        }
        if !self.variables.is_empty() {
            f.write_str(if self.assign { " = " } else { " := " })?;
        }
        for (i, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if i > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Parenthesised(&self.head))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", Parenthesised(arg)))
    }
}

/// An operand of a command or chain: only there do pipelines show their parentheses.
struct Parenthesised<'a>(&'a Operand);

impl fmt::Display for Parenthesised<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Expr::Pipe(pipe) => write!(f, "({pipe})"),
            _ => self.0.fmt(f),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Expr::Dot => f.write_str("."),
            Expr::Nil => f.write_str("nil"),
            Expr::Bool(value) => value.fmt(f),
            Expr::Number(number) => f.write_str(&number.text),
            Expr::String(literal, _) => f.write_str(literal),
            Expr::Field(names) => fields(f, names),
            Expr::Variable(name, names) => {
                f.write_str(&name.text)?;
                fields(f, names)
            }
            Expr::Chain(operand, names) => {
                write!(f, "{}", Parenthesised(operand))?;
                fields(f, names)
            }
            Expr::Pipe(pipe) => pipe.fmt(f),
            Expr::Function(function) => f.write_str(function.name()),
        }
    }
}

fn fields(f: &mut fmt::Formatter<'_>, names: &[Text]) -> fmt::Result {
    names.iter().try_for_each(|name| write!(f, ".{}", name.to_str()))
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", crate::render::strconv::quote(self.name.as_bytes(), false))?;
        if let Some(pipe) = &self.pipe {
            write!(f, " {pipe}")?;
        }
        f.write_str("}}")
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
