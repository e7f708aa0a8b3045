//! From text to syntax, by cel-go's grammar (`parser/gen/CEL.g4`) with Kubernetes' options: optional syntax, no names in
//! backticks. Macros stay calls: the tree is as written.

use super::lexer::{Token, tokens};
use super::value::{Data, Val};
use super::{CompileError, CompileErrorKind};
use crate::source::Span;

/// The longest expression in bytes.
const MAX_LENGTH: usize = 64 << 10;
/// The most expressions inside each other, in brackets or branches: parsing is recursive.
const MAX_NESTING: usize = 96;
/// The deepest tree: compiling and evaluating are recursive walks.
const MAX_HEIGHT: u8 = 120;

/// The words that are no names of variables or functions. `in`, `true`, `false` and `null` are no names at all.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// Whether a text can name a variable.
pub fn is_identifier(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_word = name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit());
    is_word && !RESERVED.contains(&name) && !["true", "false", "null", "in"].contains(&name)
}

/// A node of the syntax.
#[derive(Debug)]
pub struct Syntax<'a> {
    /// What it is.
    pub node: Node<'a>,
    /// The bytes of the source that name it: an operator, a field, the bracket of a call.
    pub span: Span,
    /// The levels of the tree below and with it.
    height: u8,
}

/// The kinds of nodes.
#[derive(Debug)]
pub enum Node<'a> {
    /// A constant
    Literal(Val),
    /// A variable
    Name(&'a str),
    /// `a.b`, `a.?b`
    Select { operand: Box<Syntax<'a>>, field: &'a str, optional: bool },
    /// `a[b]`, `a[?b]`
    Index { operand: Box<Syntax<'a>>, key: Box<Syntax<'a>>, optional: bool },
    /// `[a, ?b]`
    List(Vec<(Syntax<'a>, bool)>),
    /// `{a: b, ?c: d}`
    Map(Vec<(Syntax<'a>, Syntax<'a>, bool)>),
    /// `a.B{c: d}`; as nothing here declares messages, its name is enough
    Message(String),
    /// `a && b`
    And(Box<Syntax<'a>>, Box<Syntax<'a>>),
    /// `a || b`
    Or(Box<Syntax<'a>>, Box<Syntax<'a>>),
    /// `a ? b : c`
    Conditional(Box<[Syntax<'a>; 3]>),
    /// `f(a)`, `a.f(b)`; operators are functions such as `_+_`
    Call { target: Option<Box<Syntax<'a>>>, name: &'a str, args: Vec<Syntax<'a>> },
}

type Parsed<'a> = Result<Syntax<'a>, CompileError>;

/// Parses an expression.
pub fn parse(source: &str) -> Parsed<'_> {
    if source.len() > MAX_LENGTH {
        let kind = CompileErrorKind::TooLarge("more than 64 KiB");
        return Err(CompileError { kind, span: Span::new(0, source.len()) });
    }
    let mut parser = Parser { source, tokens: tokens(source)?, at: 0, nesting: 0 };
    let syntax = parser.expr()?;
    match parser.token() {
        Token::End => Ok(syntax),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

/// The operators with a function for two operands, and how tightly they bind.
fn binary_operator(sign: &str) -> Option<(&'static str, u8)> {
    Some(match sign {
        "==" => ("_==_", 0),
        "!=" => ("_!=_", 0),
        "<" => ("_<_", 0),
        "<=" => ("_<=_", 0),
        ">" => ("_>_", 0),
        ">=" => ("_>=_", 0),
        "in" => ("@in", 0),
        "+" => ("_+_", 1),
        "-" => ("_-_", 1),
        "*" => ("_*_", 2),
        "/" => ("_/_", 2),
        "%" => ("_%_", 2),
        _ => return None,
    })
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<(Token<'a>, Span)>,
    at: usize,
    nesting: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self, ahead: usize) -> &Token<'a> {
        self.tokens.get(self.at + ahead).map_or(&Token::End, |(token, _)| token)
    }

    fn token(&self) -> &Token<'a> {
        self.peek(0)
    }

    fn span(&self) -> Span {
        let end = Span::new(self.source.len(), self.source.len());
        self.tokens.get(self.at).map_or(end, |(_, span)| *span)
    }

    /// Goes on to the next word and returns the bytes of this one.
    fn step(&mut self) -> Span {
        let span = self.span();
        self.at += 1;
        span
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Sign(found) if *found == sign)
    }

    fn accept(&mut self, sign: &str) -> Option<Span> {
        self.is(sign).then(|| self.step())
    }

    fn need(&mut self, sign: &str) -> Result<Span, CompileError> {
        self.accept(sign).ok_or_else(|| self.unexpected(&format!("'{sign}'")))
    }

    fn field(&mut self) -> Result<(&'a str, Span), CompileError> {
        match *self.token() {
            Token::Name(name) => Ok((name, self.step())),
            _ => Err(self.unexpected("a field name")),
        }
    }

    fn unexpected(&self, expected: &str) -> CompileError {
        let span = self.span();
        let found = match self.token() {
            Token::End => "<EOF>",
            _ => self.source.get(span.start..span.end).unwrap_or_default(),
        };
        syntax_error(format!("Syntax error: mismatched input '{found}' expecting {expected}"), span)
    }

    /// A node above others.
    fn node<'n>(&self, node: Node<'a>, span: Span, below: impl IntoIterator<Item = &'n u8>) -> Parsed<'a> {
        let height = below.into_iter().max().map_or(1, |height| height + 1);
        if height > MAX_HEIGHT {
            let kind = CompileErrorKind::TooLarge("nested more than 120 deep");
            return Err(CompileError { kind, span: Span::new(0, self.source.len()) });
        }
        Ok(Syntax { node, span, height })
    }

    fn call(&self, name: &'a str, target: Option<Syntax<'a>>, args: Vec<Syntax<'a>>, span: Span) -> Parsed<'a> {
        let heights: Vec<u8> = target.iter().chain(&args).map(|below| below.height).collect();
        self.node(Node::Call { target: target.map(Box::new), name, args }, span, &heights)
    }

    fn expr(&mut self) -> Parsed<'a> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(syntax_error("nested too deeply".to_owned(), self.span()));
        }
        let mut syntax = self.either()?;
        if let Some(span) = self.accept("?") {
            let yes = self.either()?;
            self.need(":")?;
            let no = self.expr()?;
            let heights = [syntax.height, yes.height, no.height];
            syntax = self.node(Node::Conditional(Box::new([syntax, yes, no])), span, &heights)?;
        }
        self.nesting -= 1;
        Ok(syntax)
    }

    fn either(&mut self) -> Parsed<'a> {
        self.joined("||", Self::both, Node::Or)
    }

    fn both(&mut self) -> Parsed<'a> {
        self.joined("&&", |parser| parser.binary(0), Node::And)
    }

    /// Operands of `&&` or `||`.
    fn joined(
        &mut self,
        sign: &str,
        operand: impl Fn(&mut Self) -> Parsed<'a>,
        node: fn(Box<Syntax<'a>>, Box<Syntax<'a>>) -> Node<'a>,
    ) -> Parsed<'a> {
        let first = operand(self)?;
        if !self.is(sign) {
            return Ok(first);
        }
        let mut operands = vec![first];
        let mut signs = Vec::new();
        while let Some(span) = self.accept(sign) {
            signs.push(span);
            operands.push(operand(self)?);
        }
        self.balanced(operands, &signs, node)
    }

    /// A tree of operands that is as flat as can be, in the shape of cel-go's `logicManager`.
    fn balanced(
        &self,
        mut operands: Vec<Syntax<'a>>,
        signs: &[Span],
        node: fn(Box<Syntax<'a>>, Box<Syntax<'a>>) -> Node<'a>,
    ) -> Parsed<'a> {
        let (before, after) = signs.split_at(signs.len() / 2);
        let Some((span, after)) = after.split_first() else {
            return operands.pop().ok_or_else(|| self.unexpected("an expression"));
        };
        let right = operands.split_off(before.len() + 1);
        let left = self.balanced(operands, before, node)?;
        let right = self.balanced(right, after, node)?;
        let heights = [left.height, right.height];
        self.node(node(Box::new(left), Box::new(right)), *span, &heights)
    }

    /// Operands of operators that bind at least so tightly.
    fn binary(&mut self, least: u8) -> Parsed<'a> {
        let mut left = self.unary()?;
        while let Token::Sign(sign) = self.token()
            && let Some((name, strength)) = binary_operator(sign).filter(|(_, strength)| *strength >= least)
        {
            let span = self.step();
            let right = self.binary(strength + 1)?;
            left = self.call(name, None, vec![left, right], span)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<'a> {
        let (sign, name) = match self.token() {
            Token::Sign("!") => ("!", "!_"),
            Token::Sign("-") if !self.is_negative_number() => ("-", "-_"),
            _ => return self.member(),
        };
        let span = self.span();
        let mut odd = false;
        while self.accept(sign).is_some() {
            odd = !odd;
        }
        let operand = self.member()?;
        if odd { self.call(name, None, vec![operand], span) } else { Ok(operand) }
    }

    fn is_negative_number(&self) -> bool {
        self.is("-") && matches!(self.peek(1), Token::Int(_) | Token::Double(_))
    }

    fn member(&mut self) -> Parsed<'a> {
        let mut operand = self.primary()?;
        loop {
            if self.accept(".").is_some() {
                let optional = self.accept("?").is_some();
                let (field, span) = self.field()?;
                if !optional && let Some(span) = self.accept("(") {
                    let args = self.args()?;
                    operand = self.call(field, Some(operand), args, span)?;
                    continue;
                }
                let height = operand.height;
                operand = self.node(Node::Select { operand: Box::new(operand), field, optional }, span, &[height])?;
            } else if let Some(span) = self.accept("[") {
                let optional = self.accept("?").is_some();
                let key = self.expr()?;
                self.need("]")?;
                let heights = [operand.height, key.height];
                let node = Node::Index { operand: Box::new(operand), key: Box::new(key), optional };
                operand = self.node(node, span, &heights)?;
            } else {
                return Ok(operand);
            }
        }
    }

    fn args(&mut self) -> Result<Vec<Syntax<'a>>, CompileError> {
        let mut args = Vec::new();
        if self.accept(")").is_some() {
            return Ok(args);
        }
        loop {
            args.push(self.expr()?);
            if self.accept(",").is_none() {
                self.need(")")?;
                return Ok(args);
            }
        }
    }

    fn primary(&mut self) -> Parsed<'a> {
        match self.token().clone() {
            Token::Literal(value) => self.literal(Some(value), "literal"),
            Token::Sign("-") | Token::Int(_) | Token::Double(_) => self.number(),
            Token::Name(_) => self.name(),
            Token::Sign(".") if matches!(self.peek(1), Token::Name(_)) => {
                self.step();
                self.name()
            }
            Token::Sign("(") => {
                self.step();
                let inner = self.expr()?;
                self.need(")")?;
                Ok(inner)
            }
            Token::Sign("[") => self.list(),
            Token::Sign("{") => self.map(),
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// A constant of one word; without a value it is none that there is.
    fn literal(&mut self, value: Option<Val>, what: &str) -> Parsed<'a> {
        let span = self.span();
        let value = value.ok_or_else(|| syntax_error(format!("invalid {what} literal"), span))?;
        self.step();
        self.node(Node::Literal(value), span, &[])
    }

    fn number(&mut self) -> Parsed<'a> {
        let sign = if self.is_negative_number() {
            self.step();
            "-"
        } else {
            ""
        };
        match *self.token() {
            Token::Int(text) => {
                let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
                let value = i64::from_str_radix(&format!("{sign}{digits}"), radix);
                self.literal(value.ok().map(|value| Val::new(Data::Int(value))), "int")
            }
            Token::Double(text) => {
                let value = format!("{sign}{text}").parse().ok().filter(|value: &f64| value.is_finite());
                self.literal(value.map(|value| Val::new(Data::Double(value))), "double")
            }
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// A variable, a call of a function, or a message.
    fn name(&mut self) -> Parsed<'a> {
        if let Some(name) = self.message_name() {
            return self.message(name);
        }
        let (name, span) = self.field()?;
        if RESERVED.contains(&name) {
            return Err(syntax_error(format!("reserved identifier: {name}"), span));
        }
        match self.accept("(") {
            Some(span) => {
                let args = self.args()?;
                self.call(name, None, args, span)
            }
            None => self.node(Node::Name(name), span, &[]),
        }
    }

    /// The names before a `{`, and the number of their words.
    fn message_name(&self) -> Option<(String, usize)> {
        let mut names = Vec::new();
        loop {
            let Token::Name(name) = self.peek(2 * names.len()) else { return None };
            names.push(*name);
            match self.peek(2 * names.len() - 1) {
                Token::Sign(".") => {}
                Token::Sign("{") => return Some((names.join("."), 2 * names.len() - 1)),
                _ => return None,
            }
        }
    }

    fn message(&mut self, (name, words): (String, usize)) -> Parsed<'a> {
        self.at += words;
        let span = self.step();
        let mut heights = Vec::new();
        self.items("}", |parser| {
            parser.accept("?");
            parser.field()?;
            parser.need(":")?;
            heights.push(parser.expr()?.height);
            Ok(())
        })?;
        self.node(Node::Message(name), span, &heights)
    }

    fn list(&mut self) -> Parsed<'a> {
        let span = self.step();
        let mut elements = Vec::new();
        self.items("]", |parser| {
            let optional = parser.accept("?").is_some();
            elements.push((parser.expr()?, optional));
            Ok(())
        })?;
        let heights: Vec<u8> = elements.iter().map(|(element, _)| element.height).collect();
        self.node(Node::List(elements), span, &heights)
    }

    fn map(&mut self) -> Parsed<'a> {
        let span = self.step();
        let mut entries = Vec::new();
        self.items("}", |parser| {
            let optional = parser.accept("?").is_some();
            let key = parser.expr()?;
            parser.need(":")?;
            entries.push((key, parser.expr()?, optional));
            Ok(())
        })?;
        let heights: Vec<u8> = entries.iter().map(|(key, value, _)| key.height.max(value.height)).collect();
        self.node(Node::Map(entries), span, &heights)
    }

    /// What commas separate, up to and with the bracket. Another comma may stand before it, even alone.
    fn items(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<(), CompileError>,
    ) -> Result<(), CompileError> {
        if !self.is(close) && !self.is(",") {
            item(self)?;
            while self.is(",") && !matches!(self.peek(1), Token::Sign(sign) if *sign == close) {
                self.step();
                item(self)?;
            }
        }
        self.accept(",");
        self.need(close).map(|_| ())
    }
}

fn syntax_error(message: String, span: Span) -> CompileError {
    CompileError { kind: CompileErrorKind::Syntax(message), span }
}
