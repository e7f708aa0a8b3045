//! Why YAML could not be read, in the words of sigs.k8s.io/yaml.

use crate::source::Span;

/// A text that is not the YAML that was asked for. Prints what Helm prints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not YAML, or YAML that go-yaml refuses.
    #[error("error converting YAML to JSON: yaml: {}{problem}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
    Yaml {
        /// What is wrong.
        problem: String,
        /// The line that go-yaml names: often one off, and left out for the first. Read `span` for the truth.
        line: Option<usize>,
        /// Where.
        span: Span,
    },
    /// Keys given twice, in strict mode.
    #[error("error converting YAML to JSON: yaml: unmarshal errors:{}", problems.iter().map(|(problem, _)| format!("\n  {problem}")).collect::<String>())]
    Duplicates {
        /// One sentence for each second key, and its place.
        problems: Vec<(String, Span)>,
    },
    /// YAML that JSON has no words for.
    #[error("error converting YAML to JSON: {problem}")]
    Json {
        /// What is wrong.
        problem: String,
        /// Where.
        span: Span,
    },
    /// Something else than a mapping, or than a sequence.
    #[error(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type {wanted}"
    )]
    Type {
        /// What it is, in JSON's words.
        found: &'static str,
        /// What it should be, in Go's words.
        wanted: &'static str,
        /// Where.
        span: Span,
    },
    /// Text behind a `---` where Helm allows none.
    #[error("invalid Yaml document separator: {rest}")]
    Separator {
        /// The text.
        rest: String,
        /// Where.
        span: Span,
    },
}

impl Error {
    /// What go-yaml says without a line.
    pub(super) fn yaml(problem: impl Into<String>, span: Span) -> Self {
        Self::Yaml { problem: problem.into(), line: None, span }
    }

    /// The place in the text that was read.
    pub fn span(&self) -> Span {
        match self {
            Self::Yaml { span, .. }
            | Self::Json { span, .. }
            | Self::Type { span, .. }
            | Self::Separator { span, .. } => *span,
            Self::Duplicates { problems } => problems.first().map(|(_, span)| *span).unwrap_or_default(),
        }
    }

    /// The same for a text that begins `offset` bytes into another.
    pub(super) fn shifted(mut self, offset: usize) -> Self {
        let shift = |span: &mut Span| *span = Span::new(span.start + offset, span.end + offset);
        match &mut self {
            Self::Yaml { span, .. }
            | Self::Json { span, .. }
            | Self::Type { span, .. }
            | Self::Separator { span, .. } => shift(span),
            Self::Duplicates { problems } => problems.iter_mut().for_each(|(_, span)| shift(span)),
        }
        self
    }
}
