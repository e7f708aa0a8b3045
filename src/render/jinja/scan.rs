//! A light reading of a template's tags, for what minijinja does not tell at run time: where expressions stand, which
//! `if` and `for` enclose them, what names stand for, and which macro a call means.
//!
//! It runs only on templates that minijinja has parsed, so it need not find errors.

use super::lex::{Kind, Token, end_of_raw, lex};
use crate::source::Span;
use crate::value::{Path, Step};

/// The tags of one template.
#[derive(Debug, Default)]
pub struct Scan {
    /// In the order of the text.
    pub tags: Vec<Tag>,
    /// Tags with a body, in the order of their beginnings.
    pub blocks: Vec<Block>,
    /// Imported names.
    pub imports: Vec<Import>,
    bindings: Vec<Binding>,
}

/// `{{ … }}` or `{% … %}`.
#[derive(Debug)]
pub struct Tag {
    /// With its delimiters.
    pub span: Span,
    /// The first word of a statement; empty for an expression.
    pub keyword: String,
    /// What is inside.
    tokens: Vec<Token>,
}

/// A statement with a body.
#[derive(Debug)]
pub struct Block {
    /// Its first word.
    pub keyword: String,
    /// The name that a macro or a capture gives.
    pub name: String,
    /// The text between its tags.
    pub body: Span,
    /// Its own tag and those of its branches (`elif`, `else`).
    tags: Vec<usize>,
}

/// `{% from "file" import name as alias %}`; `{% import "file" as alias %}` has no name.
#[derive(Debug)]
pub struct Import {
    /// The template.
    pub file: String,
    /// The name there.
    pub name: Option<String>,
    /// The name here.
    pub alias: String,
}

/// A name that `set`, `with` or `for` gives to an expression, or to each of its elements.
#[derive(Debug)]
struct Binding {
    name: String,
    at: usize,
    expression: Vec<Token>,
    each: bool,
}

/// `values.user["name"]`, `labels(…)`.
#[derive(Debug)]
pub struct Chain {
    /// The first name.
    pub root: String,
    /// The keys after it; of a method call without the method.
    pub steps: Vec<Step>,
    /// The method, where one is called.
    pub method: Option<String>,
}

impl Scan {
    /// Reads a template.
    pub fn new(text: &str) -> Self {
        let mut scan = Self::default();
        let mut open: Vec<usize> = Vec::new();
        let mut at = 0;
        while let Some(found) = text[at..].find('{') {
            let start = at + found;
            at = start + 1;
            match text.as_bytes().get(at) {
                Some(b'#') => at = text[at..].find("#}").map_or(text.len(), |end| at + end + 2),
                Some(b'{') => {
                    let (tokens, end) = lex(text, start + 2, "}}");
                    scan.tags.push(Tag { span: Span::new(start, end), keyword: String::new(), tokens });
                    at = end;
                }
                Some(b'%') => {
                    let (tokens, end) = lex(text, start + 2, "%}");
                    at = end;
                    let keyword = tokens.first().and_then(Token::word).unwrap_or_default().to_owned();
                    if keyword == "raw" {
                        at = end_of_raw(text, at);
                        continue;
                    }
                    scan.tags.push(Tag { span: Span::new(start, end), keyword, tokens });
                    scan.statement(&mut open);
                }
                _ => {}
            }
        }
        scan
    }

    /// Registers the statement that was read last.
    fn statement(&mut self, open: &mut Vec<usize>) {
        let index = self.tags.len() - 1;
        let Some(tag) = self.tags.last() else { return };
        let words = &tag.tokens;
        let second = words.get(1).and_then(Token::word).unwrap_or_default().to_owned();
        match tag.keyword.as_str() {
            "set" | "with" => {
                let assigned = bindings(&words[1..], tag.span.end);
                let captures = tag.keyword == "set" && assigned.is_empty();
                self.bindings.extend(assigned);
                if captures || tag.keyword == "with" {
                    self.open(index, second, open);
                }
            }
            "for" => {
                let split = words.iter().position(|token| token.word() == Some("in")).unwrap_or(words.len());
                let (names, expression) = words.split_at(split);
                let at = tag.span.end;
                let expression = expression.get(1..).unwrap_or_default().to_vec();
                let named = names.iter().skip(1).filter_map(Token::word).map(|name| Binding {
                    name: name.to_owned(),
                    at,
                    expression: expression.clone(),
                    each: true,
                });
                self.bindings.extend(named);
                self.open(index, String::new(), open);
            }
            "if" | "filter" | "call" | "block" | "autoescape" => self.open(index, String::new(), open),
            "macro" => self.open(index, second, open),
            "elif" | "else" => {
                if let Some(block) = open.last().and_then(|&id| self.blocks.get_mut(id)) {
                    block.tags.push(index);
                }
            }
            "from" => self.imports.extend(imports(words)),
            "import" => {
                let (file, alias) = (words.get(1).and_then(Token::text), words.last().and_then(Token::word));
                if let (Some(file), Some(alias)) = (file, alias) {
                    self.imports.push(Import { file: file.to_owned(), name: None, alias: alias.to_owned() });
                }
            }
            keyword if keyword.starts_with("end") => {
                let end = tag.span.start;
                if let Some(block) = open.pop().and_then(|id| self.blocks.get_mut(id)) {
                    block.body.end = end;
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, tag: usize, name: String, open: &mut Vec<usize>) {
        let Tag { keyword, span, .. } = &self.tags[tag];
        open.push(self.blocks.len());
        let body = Span::new(span.end, usize::MAX);
        self.blocks.push(Block { keyword: keyword.clone(), name, body, tags: vec![tag] });
    }

    /// The blocks around a place, innermost first.
    pub fn around(&self, offset: usize) -> impl Iterator<Item = &Block> {
        self.blocks.iter().rev().filter(move |block| block.body.start <= offset && offset < block.body.end)
    }

    /// Whether a tag prints into the output, and not into a macro or a capture.
    pub fn prints(&self, tag: &Tag) -> bool {
        matches!(tag.keyword.as_str(), "" | "filter" | "call") && !self.around(tag.span.start).any(Block::captures)
    }

    /// The values keys that the conditions and loops around a place read, innermost first.
    pub fn guards(&self, offset: usize) -> Vec<Path> {
        let mut guards = Vec::new();
        for block in self.around(offset).filter(|block| block.keyword == "if" || block.keyword == "for") {
            for &tag in block.tags.iter().rev().filter(|&&tag| self.tags[tag].span.start < offset) {
                add(&mut guards, self.keys(&self.tags[tag], None));
            }
        }
        guards
    }

    /// The values keys that a tag names, through `set`, `with` and `for` too. With the index of the innermost loop, a
    /// loop's name is the element; also in a map, where the index counts its keys.
    pub fn keys(&self, tag: &Tag, index: Option<usize>) -> Vec<Path> {
        let start = tag.span.start;
        let innermost = self.around(start).find(|block| block.keyword == "for").map(|block| block.body.start);
        self.resolve(&tag.tokens, start, innermost.zip(index), 8)
    }

    fn resolve(&self, tokens: &[Token], offset: usize, element: Option<(usize, usize)>, depth: usize) -> Vec<Path> {
        let mut paths = Vec::new();
        for chain in chains(tokens) {
            if chain.root == "values" {
                add(&mut paths, vec![Path(chain.steps)]);
                continue;
            }
            let bound = self.bindings.iter().rfind(|binding| binding.name == chain.root && self.sees(binding, offset));
            let Some(binding) = bound.filter(|_| depth > 0) else { continue };
            let mut behind = self.resolve(&binding.expression, binding.at.saturating_sub(1), element, depth - 1);
            let index = element.filter(|(body, _)| *body == binding.at && binding.in_order()).map(|(_, index)| index);
            if let [path] = &mut behind[..] {
                path.0.extend(index.map(Step::Index));
                if index.is_some() || !binding.each {
                    path.0.extend(chain.steps);
                }
            }
            add(&mut paths, behind);
        }
        paths
    }

    /// Whether a place sees a name: what `for` and `with` bind ends with their bodies.
    fn sees(&self, binding: &Binding, offset: usize) -> bool {
        let body = self.blocks.iter().find(|block| block.body.start == binding.at && block.keyword != "set");
        binding.at <= offset && body.is_none_or(|block| offset < block.body.end)
    }
}

impl Binding {
    /// Whether it goes through all elements in their order: `in list`, `in map | items`.
    fn in_order(&self) -> bool {
        let ends_with_items = match &self.expression[..] {
            [.., pipe, filter] => pipe.is('|') && filter.word() == Some("items"),
            _ => false,
        };
        let chain = &self.expression[..self.expression.len() - if ends_with_items { 2 } else { 0 }];
        self.each && !chain.iter().any(|token| token.is('|') || token.is('(') || token.word() == Some("if"))
    }
}

impl Tag {
    /// What it names.
    pub fn chains(&self) -> Vec<Chain> {
        chains(&self.tokens)
    }

    /// What it names that is not in every template's scope.
    pub fn locals(&self) -> impl Iterator<Item = Chain> {
        const SCOPE: [&str; 6] = ["values", "release", "chart", "capabilities", "files", "template"];
        self.chains().into_iter().filter(|chain| !SCOPE.contains(&chain.root.as_str()))
    }

    /// The expression: what stands after `set name =`, `for name in`, or another statement's word.
    pub fn value(&self) -> Span {
        let begins = |token: &Token| token.is('=') || token.word() == Some("in");
        let after = match self.keyword.as_str() {
            "" => 0,
            "set" | "with" | "for" => self.tokens.iter().position(begins).map_or(1, |index| index + 1),
            _ => 1,
        };
        let inside = self.inside();
        self.tokens.get(after).map_or(inside, |token| Span::new(token.span.start, inside.end))
    }

    /// The expression or statement without its delimiters.
    pub fn inside(&self) -> Span {
        match (self.tokens.first(), self.tokens.last()) {
            (Some(first), Some(last)) => Span::new(first.span.start, last.span.end),
            _ => self.span,
        }
    }
}

impl Block {
    /// Whether its text is kept and printed elsewhere, or passed through a function first.
    pub fn captures(&self) -> bool {
        matches!(self.keyword.as_str(), "macro" | "set" | "filter" | "call")
    }
}

fn add(all: &mut Vec<Path>, more: Vec<Path>) {
    for path in more {
        if !all.contains(&path) {
            all.push(path);
        }
    }
}

/// The names in some text that is an expression.
pub fn names(expression: &str) -> Vec<Chain> {
    chains(&lex(expression, 0, "\0").0)
}

fn chains(tokens: &[Token]) -> Vec<Chain> {
    let mut chains = Vec::new();
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        let before = i.checked_sub(1).and_then(|i| tokens.get(i));
        i += 1;
        let Some(root) = token.word() else { continue };
        if before.is_some_and(|before| before.is('.') || before.is('|')) {
            continue;
        }
        let mut steps = Vec::new();
        loop {
            match (tokens.get(i).map(|t| &t.kind), tokens.get(i + 1).map(|t| &t.kind), tokens.get(i + 2)) {
                (Some(Kind::Sign('.')), Some(Kind::Word(key)), _) => {
                    steps.push(Step::Key(key.as_str().into()));
                    i += 2;
                }
                (Some(Kind::Sign('[')), Some(Kind::Text(key)), Some(close)) if close.is(']') => {
                    steps.push(Step::Key(key.as_str().into()));
                    i += 3;
                }
                (Some(Kind::Sign('[')), Some(Kind::Number(index)), Some(close)) if close.is(']') => {
                    let Ok(index) = index.parse() else { break };
                    steps.push(Step::Index(index));
                    i += 3;
                }
                _ => break,
            }
        }
        let mut method = None;
        if let (Some(Step::Key(name)), true) = (steps.last(), tokens.get(i).is_some_and(|token| token.is('('))) {
            method = Some(name.to_string());
            steps.pop();
        }
        chains.push(Chain { root: root.to_owned(), steps, method });
    }
    chains
}

/// `a = 1, b = 2` of `set` and `with`; nothing where `set` begins a capture.
fn bindings(tokens: &[Token], at: usize) -> Vec<Binding> {
    let Some(split) = tokens.iter().position(|token| token.is('=')) else { return Vec::new() };
    let (names, expression) = tokens.split_at(split);
    let expression = expression.get(1..).unwrap_or_default().to_vec();
    let named = names.iter().filter_map(Token::word);
    named.map(|name| Binding { name: name.to_owned(), at, expression: expression.clone(), each: false }).collect()
}

/// The names of `from "file" import a, b as c`.
fn imports(tokens: &[Token]) -> Vec<Import> {
    let Some(file) = tokens.get(1).and_then(Token::text) else { return Vec::new() };
    tokens
        .get(3..)
        .unwrap_or_default()
        .split(|token| token.is(','))
        .filter_map(|names| {
            let words: Vec<&str> = names.iter().filter_map(Token::word).collect();
            let (name, alias) = (words.first()?, words.last()?);
            Some(Import { file: file.to_owned(), name: Some((*name).to_owned()), alias: (*alias).to_owned() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let scan = Scan::new(text);
        scan.tags.last().map(|tag| scan.keys(tag, Some(2))).unwrap_or_default().iter().map(Path::to_string).collect()
    }

    #[test]
    fn keys_are_found_through_names() {
        assert_eq!(keys("{{ values.a.b }}"), ["a.b"]);
        assert_eq!(keys("{{ values['a/b'][0].c | default(values.d, 'values.e') }}"), ["[\"a/b\"][0].c", "d"]);
        assert_eq!(keys("{% set u = values.user %}{{ u.name }}"), ["user.name"]);
        assert_eq!(keys("{% for k in values.list if values.on %}{{ k }}"), ["list", "on"]);
        assert_eq!(keys("{% for k in values.list %}{{ k.name }}"), ["list[2].name"]);
        assert_eq!(keys("{% for k, v in values.map | items %}{{ v }}"), ["map[2]"]);
        assert_eq!(keys("{% for k in values.list %}{% endfor %}{{ k }}"), [""; 0]);
        assert_eq!(keys("{% set a = b %}{% set b = a %}{{ a }}"), [""; 0]);
        assert_eq!(keys("{{ values.m.items() }}"), ["m"]);
    }

    #[test]
    fn guards_go_from_the_inside_out() {
        let text = "{% if values.a == 1 %}x{% for v in values.l %}y{% endfor %}{% elif values.b %}z{% endif %}w";
        let scan = Scan::new(text);
        let at = |c| scan.guards(text.rfind(c).unwrap()).iter().map(Path::to_string).collect::<Vec<_>>();
        assert_eq!(at('x'), ["a"]);
        assert_eq!(at('y'), ["l", "a"]);
        assert_eq!(at('z'), ["b", "a"]);
        assert_eq!(at('w'), [""; 0]);
    }

    #[test]
    fn tags_end_where_minijinja_ends_them() {
        let text = "{{ {'a': '}}'} }}{# {{ no }} #}{% raw %}{{ no }}{% endraw %}{%- set x = {\"%}\": 1} -%}";
        let spans: Vec<&str> = Scan::new(text).tags.iter().map(|tag| &text[tag.span.start..tag.span.end]).collect();
        assert_eq!(spans, ["{{ {'a': '}}'} }}", "{%- set x = {\"%}\": 1} -%}"]);
    }

    #[test]
    fn imports_and_captures_are_named() {
        let scan = Scan::new("{% from '_h.j2' import a, b as c %}{% import '_x.j2' as x %}{% set t %}T{% endset %}");
        let names: Vec<_> =
            scan.imports.iter().map(|i| (i.file.as_str(), i.name.as_deref(), i.alias.as_str())).collect();
        assert_eq!(names, [("_h.j2", Some("a"), "a"), ("_h.j2", Some("b"), "c"), ("_x.j2", None, "x")]);
        assert_eq!((scan.blocks[0].keyword.as_str(), scan.blocks[0].name.as_str()), ("set", "t"));
        assert!(scan.blocks[0].captures());
    }
}
