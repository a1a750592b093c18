//! The one shape of a success.

use std::marker::PhantomData;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, ETAG},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    ApiError,
    route::{Describe, Operation},
};

/// The content type of every API answer.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// A success: status 200 and the body as JSON.
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => (StatusCode::OK, [(CONTENT_TYPE, JSON)], body).into_response(),
            Err(error) => {
                ApiError::from(kms_core::Error::Internal(Box::new(error))).into_response()
            }
        }
    }
}

impl<T: ToSchema> Describe for Json<T> {
    fn describe(operation: &mut Operation) {
        operation.answers::<T>();
    }
}

/// A success whose body the product has finished already, with its entity tag.
pub(crate) struct Finished<T>(kms_core::secrets::Answer, PhantomData<fn() -> T>);

impl<T> From<kms_core::secrets::Answer> for Finished<T> {
    fn from(answer: kms_core::secrets::Answer) -> Self {
        Self(answer, PhantomData)
    }
}

impl<T> IntoResponse for Finished<T> {
    fn into_response(self) -> Response {
        let Self(answer, _) = self;
        let headers = [(CONTENT_TYPE, JSON)];
        let mut response = (StatusCode::OK, headers, Body::from(answer.body)).into_response();
        if let Ok(tag) = HeaderValue::from_str(&answer.etag) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}

impl<T: ToSchema> Describe for Finished<T> {
    fn describe(operation: &mut Operation) {
        operation.answers::<T>();
    }
}
