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

/// Why it stopped, with the offset in bytes.
pub(super) enum Failure {
    Wrong(usize, String),
    Source(usize, CliError),
}

type Result<T> = std::result::Result<T, Failure>;

/// Evaluates all nodes.
pub(super) fn run(nodes: &[Node], source: &dyn Source) -> Result<Zeroizing<String>> {
    let out = Zeroizing::new(String::new());
    let mut eval = Eval { source, out, variables: Vec::new(), steps: 0 };
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
}

impl Eval<'_> {
    /// Evaluates nodes in a scope of their own.
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<()> {
        let scope = self.variables.len();
        for node in nodes {
            self.steps += 1;
            if self.steps > MAX_STEPS || self.out.len() > MAX_OUTPUT {
                return Err(Failure::Wrong(0, "the template goes on for too long".into()));
            }
            self.node(node, dot)?;
        }
        self.variables.truncate(scope);
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
                let items = self.items(over, dot)?;
                if items.is_empty() {
                    return self.nodes(otherwise, dot);
                }
                let scope = self.variables.len();
                for (key, item) in items {
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
    fn items(&mut self, over: &Pipeline, dot: &Value) -> Result<Vec<(Value, Value)>> {
        match self.pipeline(over, dot)? {
            Value::Nil => Ok(Vec::new()),
            Value::List(items) => {
                let indices = (0..).map(Value::Int);
                Ok(indices.zip(items).collect())
            }
            Value::Map(fields) => {
                Ok(fields.into_iter().map(|(name, field)| (Value::text(name), field)).collect())
            }
            other => {
                let offset = over.commands.first().map_or(0, |command| command.offset);
                Err(Failure::Wrong(offset, format!("a loop cannot go over {}", other.kind())))
            }
        }
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

    fn call(&self, offset: usize, name: &str, arguments: &[Value]) -> Result<Value> {
        functions::call(name, arguments, self.source).map_err(|error| match error {
            functions::Refused::Wrong(reason) => Failure::Wrong(offset, reason),
            functions::Refused::Source(error) => Failure::Source(offset, *error),
        })
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value> {
        match operand {
            Operand::Literal(value) => Ok(value.clone()),
            Operand::Function(offset, name) => self.call(*offset, name, &[]),
            Operand::Fields { offset, of, names } => {
                let mut value = match of {
                    Root::Dot => dot.clone(),
                    Root::Variable(name) => self.variable(*offset, name)?,
                    Root::Pipeline(pipeline) => self.pipeline(pipeline, dot)?,
                };
                for name in names {
                    value = field(*offset, value, name)?;
                }
                Ok(value)
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

fn field(offset: usize, value: Value, name: &str) -> Result<Value> {
    match value {
        Value::Map(mut fields) => {
            let found = fields.remove(name);
            found.ok_or_else(|| {
                let known: Vec<_> = fields.keys().map(|name| format!("`.{name}`")).collect();
                let reason = format!("there is no field `.{name}`; there are {}", known.join(", "));
                Failure::Wrong(offset, reason)
            })
        }
        other => Err(Failure::Wrong(offset, format!("{} has no field `.{name}`", other.kind()))),
    }
}
