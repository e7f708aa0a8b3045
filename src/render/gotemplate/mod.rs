//! Go's text/template as Helm uses it.

mod ast;
mod builtins;
mod compare;
mod error;
mod eval;
mod exec;
mod lexer;
mod library;
mod number;
mod parser;
