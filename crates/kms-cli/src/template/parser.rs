//! From tokens to what is evaluated.

use super::{
    lexer::{Piece, Token, Wrong},
    value::Value,
};

/// How deep blocks and parentheses may stand in each other.
const MAX_DEPTH: usize = 64;

/// A part of a template.
pub(super) enum Node {
    Text(String),
    Print(Pipeline),
    Assign {
        offset: usize,
        name: String,
        declares: bool,
        pipeline: Pipeline,
    },
    /// `if` and `with`; the latter moves the dot.
    Branch {
        moves_dot: bool,
        declares: Option<String>,
        on: Pipeline,
        then: Vec<Self>,
        otherwise: Vec<Self>,
    },
    Range {
        names: Vec<String>,
        over: Pipeline,
        body: Vec<Self>,
        otherwise: Vec<Self>,
    },
}

/// Commands that each get what the one before has given.
pub(super) struct Pipeline {
    pub(super) commands: Vec<Command>,
}

/// A function or an operand, with arguments.
pub(super) struct Command {
    pub(super) offset: usize,
    pub(super) head: Operand,
    pub(super) arguments: Vec<Operand>,
}

/// Something that has a value.
pub(super) enum Operand {
    Function(usize, String),
    Literal(Value),
    /// The dot, a variable or a pipeline in parentheses, then fields of it.
    Fields {
        offset: usize,
        of: Root,
        names: Vec<String>,
    },
}

/// What fields are of.
pub(super) enum Root {
    Dot,
    Variable(String),
    Pipeline(Box<Pipeline>),
}

/// Reads a template.
pub(super) fn parse(pieces: Vec<Piece>) -> Result<Vec<Node>, Wrong> {
    let mut parser = Parser { pieces: pieces.into_iter() };
    let (nodes, end) = parser.block(0)?;
    match end {
        None => Ok(nodes),
        Some((offset, ..)) => Err((offset, "there is no block that this ends".into())),
    }
}

struct Parser {
    pieces: std::vec::IntoIter<Piece>,
}

/// What ends a block: its offset, `end` or `else`, and what follows an `else`.
type End = (usize, String, Words);

impl Parser {
    fn block(&mut self, depth: usize) -> Result<(Vec<Node>, Option<End>), Wrong> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            match piece {
                Piece::Text(text) if text.is_empty() => {}
                Piece::Text(text) => nodes.push(Node::Text(text)),
                Piece::Action(offset, tokens) => {
                    let mut words = Words::new(offset, tokens);
                    match words.keyword() {
                        Some(word) if word == "end" || word == "else" => {
                            return Ok((nodes, Some((offset, word, words))));
                        }
                        Some(word) => nodes.push(self.opens(offset, &word, words, depth + 1)?),
                        None => nodes.push(words.statement()?),
                    }
                }
            }
        }
        Ok((nodes, None))
    }

    /// A block that a keyword opens.
    fn opens(
        &mut self,
        offset: usize,
        word: &str,
        mut words: Words,
        depth: usize,
    ) -> Result<Node, Wrong> {
        if depth > MAX_DEPTH {
            return Err((offset, "blocks stand too deep in each other".into()));
        }
        let names = words.declared(if word == "range" { 2 } else { 1 });
        let on = words.whole_pipeline(0)?;
        let (then, end) = self.block(depth)?;
        let otherwise = self.otherwise(offset, word, end, depth)?;
        Ok(match word {
            "range" => Node::Range { names, over: on, body: then, otherwise },
            _ => Node::Branch {
                moves_dot: word == "with",
                declares: names.into_iter().next(),
                on,
                then,
                otherwise,
            },
        })
    }

    /// What follows `else`, up to the end of the block.
    fn otherwise(
        &mut self,
        offset: usize,
        word: &str,
        end: Option<End>,
        depth: usize,
    ) -> Result<Vec<Node>, Wrong> {
        let Some((at, end, mut words)) = end else {
            return Err((offset, format!("this `{word}` has no `end`")));
        };
        if end == "end" {
            words.nothing_left()?;
            return Ok(Vec::new());
        }
        if let Some(next) = words.keyword() {
            if next == "range" || next == "end" || next == "else" {
                return Err((at, format!("`else {next}` has no meaning")));
            }
            return Ok(vec![self.opens(at, &next, words, depth + 1)?]);
        }
        words.nothing_left()?;
        let (nodes, end) = self.block(depth)?;
        match end {
            Some((_, end, mut words)) if end == "end" => words.nothing_left().map(|()| nodes),
            Some((at, ..)) => Err((at, "there is an `else` already".into())),
            None => Err((offset, format!("this `{word}` has no `end`"))),
        }
    }
}

/// The tokens of an action that are not read yet.
struct Words {
    offset: usize,
    tokens: std::iter::Peekable<std::vec::IntoIter<(usize, Token)>>,
}

impl Words {
    fn new(offset: usize, tokens: Vec<(usize, Token)>) -> Self {
        Self { offset, tokens: tokens.into_iter().peekable() }
    }

    fn skip_space(&mut self) {
        while self.tokens.next_if(|(_, token)| *token == Token::Space).is_some() {}
    }

    fn next_is(&mut self, wanted: &Token) -> bool {
        self.tokens.next_if(|(_, token)| token == wanted).is_some()
    }

    /// The keyword at the beginning.
    fn keyword(&mut self) -> Option<String> {
        self.skip_space();
        let is_keyword = |word: &str| matches!(word, "if" | "range" | "with" | "else" | "end");
        let found = self
            .tokens
            .next_if(|(_, token)| matches!(token, Token::Word(word) if is_keyword(word)));
        match found {
            Some((_, Token::Word(word))) => Some(word),
            _ => None,
        }
    }

    /// Variables that a block declares: `$a :=` or `$a, $b :=`.
    fn declared(&mut self, most: usize) -> Vec<String> {
        let before = self.tokens.clone();
        let mut names = Vec::new();
        loop {
            self.skip_space();
            let Some((_, Token::Variable(name))) = self.tokens.next() else { break };
            names.push(name);
            self.skip_space();
            if self.next_is(&Token::Declare) {
                return names;
            }
            if names.len() == most || !self.next_is(&Token::Comma) {
                break;
            }
        }
        self.tokens = before;
        Vec::new()
    }

    /// An action that is no block.
    fn statement(mut self) -> Result<Node, Wrong> {
        let before = self.tokens.clone();
        if let Some((offset, Token::Variable(name))) = self.tokens.next() {
            self.skip_space();
            let declares = self.next_is(&Token::Declare);
            if declares || self.next_is(&Token::Assign) {
                let pipeline = self.whole_pipeline(0)?;
                return Ok(Node::Assign { offset, name, declares, pipeline });
            }
        }
        self.tokens = before;
        Ok(Node::Print(self.whole_pipeline(0)?))
    }

    fn nothing_left(&mut self) -> Result<(), Wrong> {
        self.skip_space();
        match self.tokens.next() {
            None => Ok(()),
            Some((offset, _)) => Err((offset, "nothing is expected here".into())),
        }
    }

    fn whole_pipeline(&mut self, depth: usize) -> Result<Pipeline, Wrong> {
        let pipeline = self.pipeline(depth)?;
        self.nothing_left()?;
        Ok(pipeline)
    }

    fn pipeline(&mut self, depth: usize) -> Result<Pipeline, Wrong> {
        let mut commands = Vec::new();
        loop {
            self.skip_space();
            let offset = self.tokens.peek().map_or(self.offset, |(offset, _)| *offset);
            let Some(head) = self.operand(depth)? else {
                return Err((offset, "something is missing here".into()));
            };
            let mut arguments = Vec::new();
            loop {
                let blank = self.tokens.peek().is_some_and(|(_, token)| *token == Token::Space);
                self.skip_space();
                let at = self.tokens.peek().map_or(offset, |(offset, _)| *offset);
                let Some(argument) = self.operand(depth)? else { break };
                if !blank {
                    return Err((at, "a blank is missing before this".into()));
                }
                arguments.push(argument);
            }
            commands.push(Command { offset, head, arguments });
            self.skip_space();
            if !self.next_is(&Token::Pipe) {
                return Ok(Pipeline { commands });
            }
        }
    }

    fn operand(&mut self, depth: usize) -> Result<Option<Operand>, Wrong> {
        let starts = |token: &Token| {
            !matches!(
                token,
                Token::Pipe
                    | Token::Close
                    | Token::Comma
                    | Token::Assign
                    | Token::Declare
                    | Token::Space
            )
        };
        let Some((offset, token)) = self.tokens.next_if(|(_, token)| starts(token)) else {
            return Ok(None);
        };
        let of = match token {
            Token::Text(text) => return Ok(Some(Operand::Literal(Value::text(text)))),
            Token::Int(number) => return Ok(Some(Operand::Literal(Value::Int(number)))),
            Token::Word(word) => {
                return Ok(Some(match word.as_str() {
                    "true" | "false" => Operand::Literal(Value::Bool(word == "true")),
                    "nil" => Operand::Literal(Value::Nil),
                    _ => Operand::Function(offset, word),
                }));
            }
            Token::Field(name) => {
                let mut names = if name.is_empty() { Vec::new() } else { vec![name] };
                self.fields(&mut names);
                return Ok(Some(Operand::Fields { offset, of: Root::Dot, names }));
            }
            Token::Variable(name) => Root::Variable(name),
            _ => {
                if depth > MAX_DEPTH {
                    return Err((offset, "parentheses stand too deep in each other".into()));
                }
                let inner = self.pipeline(depth + 1)?;
                self.skip_space();
                if !self.next_is(&Token::Close) {
                    return Err((offset, "this parenthesis is not closed".into()));
                }
                Root::Pipeline(Box::new(inner))
            }
        };
        let mut names = Vec::new();
        self.fields(&mut names);
        Ok(Some(Operand::Fields { offset, of, names }))
    }

    /// Fields that follow without a blank.
    fn fields(&mut self, names: &mut Vec<String>) {
        let is_named =
            |(_, token): &(usize, Token)| matches!(token, Token::Field(name) if !name.is_empty());
        while let Some((_, Token::Field(name))) = self.tokens.next_if(is_named) {
            names.push(name);
        }
    }
}
