//! Go's template parser (`text/template/parse/parse.go`), with its checks and its words.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{Branch, Call, Command, Expr, Function, Name, Node, Number, Operand, Pipe, Template};
use super::lexer::{Kind, Lexer, Token};
use crate::render::any::Text;
use crate::render::strconv::{quote, unquote};
use crate::source::{SourceFile, Span};

/// Deepest nesting of parentheses and of control structures. Go allows 10,000 parentheses and any number of blocks.
const MAX_NESTING: usize = 1_000;

/// Largest template: positions are 32 bits wide.
const MAX_SIZE: usize = 1 << 30;

/// Why a template cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{line}: {message}")]
pub struct ParseError {
    /// The template's file.
    pub name: String,
    /// The line that Go names.
    pub line: usize,
    /// Where the parser stood.
    pub span: Span,
    /// What is wrong, in Go's words.
    pub message: String,
}

/// Parses a file: the template that has the file's name, and all that it defines.
pub fn parse(file_name: &Arc<str>, file: &Arc<SourceFile>) -> Result<Vec<Template>, ParseError> {
    let mut parser = Parser {
        lexer: Lexer::new(&file.text),
        file_name,
        file,
        ahead: Vec::new(),
        last: Token { kind: Kind::Eof, pos: 0, text: "" },
        scope: Scope::default(),
        names: HashMap::from([("$", Name { text: "$".into(), id: Name::ROOT })]),
        nesting: 0,
        trees: Vec::new(),
    };
    if file.text.len() > MAX_SIZE {
        return Err(parser.error("template is larger than 1 GiB"));
    }
    parser.file()?;
    Ok(parser.trees)
}

/// What is separate for each template of a file.
#[derive(Default)]
struct Scope<'a> {
    /// Variables that can be named; `$` always can.
    variables: Vec<&'a str>,
    /// How many `range`s are open.
    ranges: usize,
    /// Where the action that is being parsed began.
    action: Option<usize>,
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    file_name: &'a Arc<str>,
    file: &'a Arc<SourceFile>,
    /// Tokens put back, the next one last.
    ahead: Vec<Token<'a>>,
    /// The token that was scanned last: errors are on its line.
    last: Token<'a>,
    scope: Scope<'a>,
    names: HashMap<&'a str, Name>,
    nesting: usize,
    trees: Vec<Template>,
}

type Parsed<T> = Result<T, ParseError>;

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    Else,
}

impl Stop {
    fn shown(self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

/// A node, or what ends the list that it would be in.
enum Item {
    Node(Node),
    Stop(Stop),
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Token<'a> {
        self.ahead.pop().unwrap_or_else(|| {
            self.last = self.lexer.next_token();
            self.last
        })
    }

    fn back(&mut self, token: Token<'a>) {
        self.ahead.push(token);
    }

    fn peek(&mut self) -> Token<'a> {
        let token = self.next();
        self.back(token);
        token
    }

    fn next_non_space(&mut self) -> Token<'a> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token<'a> {
        let token = self.next_non_space();
        self.back(token);
        token
    }

    fn line(&self, pos: usize) -> usize {
        1 + self.file.text.as_bytes().iter().take(pos).filter(|b| **b == b'\n').count()
    }

    fn error(&self, message: impl Into<String>) -> ParseError {
        ParseError {
            name: self.file_name.to_string(),
            line: self.line(self.last.pos),
            span: Span::new(self.last.pos, self.last.pos + self.last.text.len()),
            message: message.into(),
        }
    }

    fn unexpected(&self, token: Token<'a>, context: &str) -> ParseError {
        let Some(problem) = self.lexer.problem().filter(|_| token.kind == Kind::Error) else {
            return self.error(format!("unexpected {token} in {context}"));
        };
        let mut message = problem.to_string();
        if let Some(line) = self.scope.action.map(|pos| self.line(pos)).filter(|line| *line != self.line(token.pos)) {
            let what = if message.ends_with(" action") { "" } else { " in action" };
            message.push_str(&format!("{what} started at {}:{line}", self.file_name));
        }
        self.error(message)
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token<'a>> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(token, context)) }
    }

    /// Counts a level of nesting while `parse` runs.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= MAX_NESTING {
            return Err(self.error("max expression depth exceeded"));
        }
        self.nesting += 1;
        let result = parse(self);
        self.nesting -= 1;
        result
    }

    /// Parses with a scope of its own, as another template does.
    fn scoped<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let outer = std::mem::take(&mut self.scope);
        let last = self.last;
        let result = parse(self)?;
        self.scope = outer;
        self.last = last;
        Ok(result)
    }

    fn file(&mut self) -> Parsed<()> {
        let mut body = Vec::new();
        loop {
            let token = self.peek();
            if token.kind == Kind::Eof {
                break;
            }
            if token.kind == Kind::LeftDelim {
                let delim = self.next();
                let token = self.next_non_space();
                if token.kind == Kind::Define {
                    self.scoped(Self::definition)?;
                    continue;
                }
                self.back(token);
                self.back(delim);
            }
            match self.text_or_action()? {
                Item::Node(node) => body.push(node),
                Item::Stop(stop) => return Err(self.error(format!("unexpected {}", stop.shown()))),
            }
        }
        self.add(self.file_name.clone(), body, true)
    }

    fn add(&mut self, name: Arc<str>, body: Vec<Node>, is_file: bool) -> Parsed<()> {
        let (file_name, file) = (self.file_name.clone(), self.file.clone());
        let template = Template { name, file_name, file, is_file, body: body.into() };
        match self.trees.iter_mut().find(|known| known.name == template.name) {
            None => self.trees.push(template),
            Some(known) if known.is_empty() => *known = template,
            Some(_) if template.is_empty() => {}
            Some(_) => {
                let name = quote(template.name.as_bytes(), false);
                return Err(self.error(format!("template: multiple definition of template {name}")));
            }
        }
        Ok(())
    }

    fn definition(&mut self) -> Parsed<()> {
        let token = self.next_non_space();
        let name = self.template_name(token, "define clause")?;
        self.expect(Kind::RightDelim, "define clause")?;
        let (body, stop) = self.list()?;
        if stop == Stop::Else {
            return Err(self.error("unexpected {{else}} in define clause"));
        }
        self.add(name, body, false)
    }

    fn list(&mut self) -> Parsed<(Vec<Node>, Stop)> {
        let mut nodes = Vec::new();
        while self.peek_non_space().kind != Kind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => nodes.push(node),
                Item::Stop(stop) => return Ok((nodes, stop)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Parsed<Item> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => {
                Ok(Item::Node(Node::Text { start: token.pos as u32, end: (token.pos + token.text.len()) as u32 }))
            }
            Kind::LeftDelim => {
                self.scope.action = Some(token.pos);
                let item = self.action()?;
                self.scope.action = None;
                Ok(item)
            }
            _ => Err(self.unexpected(token, "input")),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let token = self.next_non_space();
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break => self.jump(Node::Break, "{{break}}")?,
            Kind::Continue => self.jump(Node::Continue, "{{continue}}")?,
            Kind::Else => {
                if !matches!(self.peek_non_space().kind, Kind::If | Kind::With) {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Item::Stop(Stop::Else));
            }
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::Stop(Stop::End));
            }
            Kind::If => Node::If(self.control("if")?),
            Kind::Range => Node::Range(self.control("range")?),
            Kind::Template => self.template_action()?,
            Kind::With => Node::With(self.control("with")?),
            _ => {
                self.back(token);
                Node::Action(self.pipeline("command", Kind::RightDelim)?)
            }
        };
        Ok(Item::Node(node))
    }

    fn jump(&mut self, node: Node, shown: &str) -> Parsed<Node> {
        self.expect(Kind::RightDelim, shown)?;
        if self.scope.ranges == 0 {
            return Err(self.error(format!("{shown} outside {{{{range}}}}")));
        }
        Ok(node)
    }

    fn control(&mut self, context: &str) -> Parsed<Branch> {
        self.nested(|parser| {
            let variables = parser.scope.variables.len();
            let pipe = parser.pipeline(context, Kind::RightDelim)?;
            let in_range = usize::from(context == "range");
            parser.scope.ranges += in_range;
            let (body, stop) = parser.list()?;
            parser.scope.ranges -= in_range;
            let mut otherwise = Vec::new();
            if stop == Stop::Else {
                // `else if` is an `if` inside `else`, and shares its `end`.
                match (context, parser.peek().kind) {
                    ("if", Kind::If) => {
                        parser.next();
                        otherwise.push(Node::If(parser.control("if")?));
                    }
                    ("with", Kind::With) => {
                        parser.next();
                        otherwise.push(Node::With(parser.control("with")?));
                    }
                    _ => {
                        let (nodes, stop) = parser.list()?;
                        if stop == Stop::Else {
                            return Err(parser.error("expected end; found {{else}}"));
                        }
                        otherwise = nodes;
                    }
                }
            }
            parser.scope.variables.truncate(variables);
            Ok(Branch { pipe, body, otherwise })
        })
    }

    fn block(&mut self) -> Parsed<Node> {
        let token = self.next_non_space();
        let name = self.template_name(token, "block clause")?;
        let pipe = self.pipeline("block clause", Kind::RightDelim)?;
        let pos = token.pos as u32;
        let stop = self.nested(|parser| {
            parser.scoped(|parser| {
                let (body, stop) = parser.list()?;
                if stop == Stop::End {
                    parser.add(name.clone(), body, false)?;
                }
                Ok(stop)
            })
        })?;
        if stop == Stop::Else {
            return Err(self.error("unexpected {{else}} in block clause"));
        }
        Ok(Node::Template(Call { pos, name, pipe: Some(pipe) }))
    }

    fn template_action(&mut self) -> Parsed<Node> {
        let token = self.next_non_space();
        let name = self.template_name(token, "template clause")?;
        let next = self.next_non_space();
        let pipe = if next.kind == Kind::RightDelim {
            None
        } else {
            self.back(next);
            Some(self.pipeline("template clause", Kind::RightDelim)?)
        };
        Ok(Node::Template(Call { pos: token.pos as u32, name, pipe }))
    }

    fn template_name(&mut self, token: Token<'a>, context: &str) -> Parsed<Arc<str>> {
        match token.kind {
            Kind::String | Kind::RawString => {
                let name = self.unquoted(token)?;
                Ok(String::from_utf8_lossy(&name).into())
            }
            _ => Err(self.unexpected(token, context)),
        }
    }

    fn unquoted(&self, token: Token<'a>) -> Parsed<Vec<u8>> {
        unquote(token.text).ok_or_else(|| self.error("invalid syntax"))
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let pos = self.peek_non_space().pos as u32;
        let mut pipe = Pipe { pos, variables: Vec::new(), assign: false, commands: Vec::new() };
        self.declarations(context, &mut pipe)?;
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.back(token);
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(token, context)),
            }
        }
        if pipe.commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        for (i, command) in pipe.commands.iter().enumerate().skip(1) {
            if matches!(command.head.kind, Expr::Bool(_) | Expr::Dot | Expr::Nil | Expr::Number(_) | Expr::String(..)) {
                return Err(self.error(format!("non executable command in pipeline stage {}", i + 1)));
            }
        }
        Ok(pipe)
    }

    fn declarations(&mut self, context: &str, pipe: &mut Pipe) -> Parsed<()> {
        loop {
            let variable = self.peek_non_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.next();
            // The token behind the variable: a space tells `$x .y` from `$x.y`.
            let after = self.peek();
            let next = self.peek_non_space();
            let comma = next.kind == Kind::Char && next.text == ",";
            if !comma && !matches!(next.kind, Kind::Assign | Kind::Declare) {
                if after.kind == Kind::Space {
                    self.back(after);
                }
                self.back(variable);
                return Ok(());
            }
            self.next_non_space();
            let name = self.name(variable.text);
            pipe.variables.push(name);
            self.scope.variables.push(variable.text);
            if !comma {
                pipe.assign = next.kind == Kind::Assign;
                return Ok(());
            }
            if context != "range" || pipe.variables.len() >= 2 {
                return Err(self.error(format!("too many declarations in {context}")));
            }
            if !matches!(self.peek_non_space().kind, Kind::Variable | Kind::RightDelim | Kind::RightParen) {
                return Err(self.error("range can only initialize variables"));
            }
        }
    }

    fn name(&mut self, text: &'a str) -> Name {
        let id = self.names.len() as u32;
        self.names.entry(text).or_insert_with(|| Name { text: text.into(), id }).clone()
    }

    fn command(&mut self) -> Parsed<Command> {
        let pos = self.peek_non_space().pos as u32;
        let mut operands = Vec::new();
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                operands.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.back(token),
                Kind::Pipe => {}
                _ => return Err(self.unexpected(token, "operand")),
            }
            break;
        }
        let mut operands = operands.into_iter();
        let head = operands.next().ok_or_else(|| self.error("empty command"))?;
        Ok(Command { pos, head, args: operands.collect() })
    }

    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(mut operand) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.kind != Kind::Field {
            return Ok(Some(operand));
        }
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(Text::from(&self.next().text[1..]));
        }
        let pos = first.pos as u32;
        match &mut operand.kind {
            Expr::Field(names) | Expr::Variable(_, names) => {
                names.extend(fields);
                operand.pos = pos;
                Ok(Some(operand))
            }
            Expr::Bool(_) | Expr::String(..) | Expr::Number(_) | Expr::Nil | Expr::Dot => {
                let shown = quote(operand.to_string().as_bytes(), false);
                Err(self.error(format!("unexpected . after term {shown}")))
            }
            Expr::Chain(..) | Expr::Pipe(_) | Expr::Function(_) => {
                Ok(Some(Operand { pos, kind: Expr::Chain(Box::new(operand), fields) }))
            }
        }
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let token = self.next_non_space();
        let kind =
            match token.kind {
                Kind::Identifier => Expr::Function(Function::find(token.text).ok_or_else(|| {
                    self.error(format!("function {} not defined", quote(token.text.as_bytes(), false)))
                })?),
                Kind::Dot => Expr::Dot,
                Kind::Nil => Expr::Nil,
                Kind::Variable => {
                    if token.text != "$" && !self.scope.variables.contains(&token.text) {
                        let shown = quote(token.text.as_bytes(), false);
                        return Err(self.error(format!("undefined variable {shown}")));
                    }
                    Expr::Variable(self.name(token.text), Vec::new())
                }
                Kind::Field => Expr::Field(vec![token.text[1..].into()]),
                Kind::Bool => Expr::Bool(token.text == "true"),
                Kind::CharConstant | Kind::Complex | Kind::Number => {
                    let number = Number::parse(token.text, token.kind).map_err(|message| self.error(message))?;
                    Expr::Number(Box::new(number))
                }
                Kind::LeftParen => {
                    let pipe = self.nested(|parser| parser.pipeline("parenthesized pipeline", Kind::RightParen))?;
                    // Go places a parenthesised pipeline behind its parenthesis.
                    return Ok(Some(Operand { pos: pipe.pos, kind: Expr::Pipe(Box::new(pipe)) }));
                }
                Kind::String | Kind::RawString => Expr::String(token.text.into(), self.unquoted(token)?.into()),
                _ => {
                    self.back(token);
                    return Ok(None);
                }
            };
        Ok(Some(Operand { pos: token.pos as u32, kind }))
    }
}
