//! The OpenAPI document, made from the table of routes and the types of their handlers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema as _, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::route::{Access, Route};

/// What the parts of a handler's signature say, collected.
#[derive(Default)]
pub struct Operation {
    schemas: BTreeMap<String, RefOr<Schema>>,
    query: Vec<Value>,
    request: Option<Value>,
    answer: Option<Value>,
    stream: Option<&'static str>,
    refusal: Option<Value>,
}

impl Operation {
    /// Answers with this type.
    pub(crate) fn answers<T: ToSchema>(&mut self) {
        self.answer = Some(self.schema::<T>());
    }

    /// Answers with events of this media type for as long as both sides want it to.
    pub(crate) fn streams(&mut self, media_type: &'static str) {
        self.stream = Some(media_type);
    }

    /// Refuses what it is asked with this type in the place of the usual one.
    pub(crate) fn refuses<T: ToSchema>(&mut self) {
        self.refusal = Some(self.schema::<T>());
    }

    /// Takes this type as its body, in these media types.
    pub(crate) fn takes<T: ToSchema>(&mut self, media_types: &[&str]) {
        let schema = self.schema::<T>();
        let content = media_types.iter().map(|&media| (media.into(), json!({ "schema": schema })));
        let content: Map<_, _> = content.collect();
        self.request = Some(json!({ "content": content }));
    }

    /// Takes the fields of this type as its query.
    pub(crate) fn queries<T: ToSchema>(&mut self) {
        let schema = self.schema::<T>();
        let mut fields = Vec::new();
        self.fields(&schema, &mut fields);
        self.query.extend(fields);
    }

    fn schema<T: ToSchema>(&mut self) -> Value {
        let mut nested = Vec::new();
        T::schemas(&mut nested);
        self.schemas.extend(nested);
        let name = T::name().into_owned();
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        self.schemas.insert(name, T::schema());
        reference
    }

    /// The properties of an object, those of flattened objects included.
    fn fields(&self, schema: &Value, fields: &mut Vec<Value>) {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            if let Some(schema) = self.schemas.get(name) {
                self.fields(&json!(schema), fields);
            }
            return;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.fields(part, fields);
        }
        let required = schema["required"].as_array();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let required = required.is_some_and(|names| names.iter().any(|field| field == name));
            fields.push(json!({
                "name": name,
                "in": "query",
                "required": required,
                "description": property["description"],
                "schema": property,
            }));
        }
    }
}

/// The document of a table of routes.
pub(crate) fn document(routes: &[Route]) -> Value {
    let mut paths = Map::new();
    let mut schemas = BTreeMap::new();
    for route in routes {
        let mut operation = Operation::default();
        (route.describe)(&mut operation);
        let entry = paths.entry(route.info.path).or_insert_with(|| json!({}));
        entry[route.method.as_str().to_ascii_lowercase()] = describe(route, &operation);
        for (name, schema) in operation.schemas {
            let former = schemas.insert(name.clone(), schema);
            // Two types of one name would document each other.
            debug_assert!(former.is_none_or(|former| former == schemas[&name]), "{name}");
        }
    }
    schemas.insert("ErrorBody".into(), kms_api::ErrorBody::schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hanzo KMS",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn describe(route: &Route, operation: &Operation) -> Value {
    let mut parameters: Vec<_> = path_parameters(route.info.path)
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        })
        .collect();
    parameters.extend(operation.query.iter().cloned());
    let mut value = json!({
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "Done",
                "content": { "application/json": { "schema": operation.answer } },
            },
            "default": {
                "description": "Refused or failed",
                "content": {
                    "application/json": { "schema": { "$ref": "#/components/schemas/ErrorBody" } },
                },
            },
        },
    });
    if let Some(media_type) = operation.stream {
        let content = json!({ media_type: { "schema": { "type": "string" } } });
        value["responses"]["200"]["content"] = content;
    }
    if let Some(request) = &operation.request {
        value["requestBody"] = request.clone();
    }
    if let Some(refusal) = &operation.refusal {
        value["responses"]["400"] = json!({
            "description": "Refused",
            "content": { "application/json": { "schema": refusal } },
        });
    }
    if route.info.access != Access::Public {
        value["security"] = json!([{ "bearer": [] }]);
    }
    value
}

/// The names in a path's template.
pub(crate) fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}
