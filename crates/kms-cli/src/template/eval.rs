//! Evaluating a template.

use secrecy::zeroize::Zeroizing;

use super::{
    Source, functions,
    parser::{Command, Node, Operand, Pipeline, Root},
    value::Value,
};
use crate::error::CliError;

/// Nodes that are evaluated at most, so that nested loops end.
const MAX_STEPS: usize = 1_000_000;
/// Bytes that are written at most.
const MAX_OUTPUT: usize = 64 * 1024 * 1024;
/// Bytes that all calls together read and make at most.
const MAX_WORK: usize = 64 * 1024 * 1024;

/// Why it stopped, with the offset in bytes.
pub(super) enum Failure {
    Wrong(usize, String),
    Source(usize, CliError),
}

type Result<T> = std::result::Result<T, Failure>;

/// Evaluates all nodes.
pub(super) fn run(nodes: &[Node], source: &dyn Source) -> Result<Zeroizing<String>> {
    let out = Zeroizing::new(String::new());
    let mut eval = Eval { source, out, variables: Vec::new(), steps: 0, left: MAX_WORK };
    eval.variables.push((String::new(), Value::Nil));
    eval.nodes(nodes, &Value::Nil)?;
    Ok(eval.out)
}

struct Eval<'a> {
    source: &'a dyn Source,
    out: Zeroizing<String>,
    /// The latest of a name counts; `$` alone is the first.
    variables: Vec<(String, Value)>,
    steps: usize,
    /// What is left of the bytes that calls read and make.
    left: usize,
}

impl Eval<'_> {
    /// Evaluates nodes in a scope of their own.
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<()> {
        let scope = self.variables.len();
        for node in nodes {
            self.step()?;
            self.node(node, dot)?;
        }
        self.variables.truncate(scope);
        Ok(())
    }

    fn step(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.out.len() > MAX_OUTPUT {
            return Err(Failure::Wrong(0, "the template goes on for too long".into()));
        }
        Ok(())
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<()> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Print(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                value.print(&mut self.out);
            }
            Node::Assign { offset, name, declares, pipeline } => {
                let value = self.pipeline(pipeline, dot)?;
                if *declares {
                    self.variables.push((name.clone(), value));
                } else {
                    let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
                    let known = known.ok_or_else(|| unknown_variable(*offset, name))?;
                    known.1 = value;
                }
            }
            Node::Branch { moves_dot, declares, on, then, otherwise } => {
                let value = self.pipeline(on, dot)?;
                let scope = self.variables.len();
                if let Some(name) = declares {
                    self.variables.push((name.clone(), value.clone()));
                }
                match (value.is_true(), moves_dot) {
                    (true, true) => self.nodes(then, &value)?,
                    (true, false) => self.nodes(then, dot)?,
                    (false, _) => self.nodes(otherwise, dot)?,
                }
                self.variables.truncate(scope);
            }
            Node::Range { names, over, body, otherwise } => {
                let mut items = self.items(over, dot)?.peekable();
                if items.peek().is_none() {
                    return self.nodes(otherwise, dot);
                }
                let scope = self.variables.len();
                for (key, item) in items {
                    self.step()?;
                    match names.as_slice() {
                        [one] => self.variables.push((one.clone(), item.clone())),
                        [first, second] => {
                            self.variables.push((first.clone(), key));
                            self.variables.push((second.clone(), item.clone()));
                        }
                        _ => {}
                    }
                    self.nodes(body, &item)?;
                    self.variables.truncate(scope);
                }
            }
        }
        Ok(())
    }

    /// What a loop goes over, each with its index or key.
    fn items(
        &mut self,
        over: &Pipeline,
        dot: &Value,
    ) -> Result<impl Iterator<Item = (Value, Value)> + use<>> {
        let offset = over.commands.first().map_or(0, |command| command.offset);
        let over = self.pipeline(over, dot)?;
        let count = match &over {
            Value::Nil => 0,
            Value::List(items) => items.len(),
            Value::Map(fields) => fields.len(),
            other => {
                let reason = format!("a loop cannot go over {}", other.kind());
                return Err(Failure::Wrong(offset, reason));
            }
        };
        let mut keys = Vec::new();
        if let Value::Map(fields) = &over {
            over.weigh(&mut self.left).map_err(|reason| Failure::Wrong(offset, reason.into()))?;
            keys.extend(fields.keys().cloned());
        }
        Ok((0..count).zip(0..).map_while(move |(at, index)| match &over {
            Value::List(items) => Some((Value::Int(index), items.get(at)?.clone())),
            Value::Map(fields) => {
                let key = keys.get(at)?;
                Some((Value::text(key), fields.get(key)?.clone()))
            }
            _ => None,
        }))
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value> {
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, piped, dot)?);
        }
        Ok(piped.unwrap_or(Value::Nil))
    }

    fn command(&mut self, command: &Command, piped: Option<Value>, dot: &Value) -> Result<Value> {
        let Operand::Function(offset, name) = &command.head else {
            if !command.arguments.is_empty() || piped.is_some() {
                let reason = "only a function takes arguments".to_owned();
                return Err(Failure::Wrong(command.offset, reason));
            }
            return self.operand(&command.head, dot);
        };
        let mut arguments = Vec::with_capacity(command.arguments.len() + 1);
        for argument in &command.arguments {
            arguments.push(self.operand(argument, dot)?);
        }
        arguments.extend(piped);
        self.call(*offset, name, &arguments)
    }

    fn call(&mut self, offset: usize, name: &str, arguments: &[Value]) -> Result<Value> {
        let too_much = |reason: &str| Failure::Wrong(offset, reason.to_owned());
        for argument in arguments {
            argument.weigh_read(&mut self.left).map_err(too_much)?;
        }
        let made = functions::call(name, arguments, self.source).map_err(|error| match error {
            functions::Refused::Wrong(reason) => Failure::Wrong(offset, reason),
            functions::Refused::Source(error) => Failure::Source(offset, *error),
        })?;
        made.weigh(&mut self.left).map_err(too_much)?;
        Ok(made)
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value> {
        match operand {
            Operand::Literal(value) => Ok(value.clone()),
            Operand::Function(offset, name) => self.call(*offset, name, &[]),
            Operand::Fields { offset, of, names } => {
                let root = match of {
                    Root::Dot => dot.clone(),
                    Root::Variable(name) => self.variable(*offset, name)?,
                    Root::Pipeline(pipeline) => self.pipeline(pipeline, dot)?,
                };
                let field = names.iter().try_fold(&root, |value, name| value.field(name));
                field.cloned().map_err(|reason| Failure::Wrong(*offset, reason))
            }
        }
    }

    fn variable(&self, offset: usize, name: &str) -> Result<Value> {
        let known = self.variables.iter().rev().find(|(known, _)| known == name);
        known.map(|(_, value)| value.clone()).ok_or_else(|| unknown_variable(offset, name))
    }
}

fn unknown_variable(offset: usize, name: &str) -> Failure {
    Failure::Wrong(offset, format!("there is no variable `${name}`"))
}
