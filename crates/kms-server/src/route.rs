//! What a route is: one entry of the one table that router, documentation, limits and tests read.
//!
//! A noun's handlers are listed by a function that returns [`Route`]s:
//!
//! ```ignore
//! pub(super) fn routes() -> Vec<Route> {
//!     vec![
//!         Route::get(paths::PROJECT, get, "Shows a project"),
//!         Route::post(paths::PROJECTS, create, "Makes a project").class(Class::Creation),
//!     ]
//! }
//! ```
//!
//! Who may call and what goes in and out are read from the handler's own types.

use axum::{
    Router,
    extract::{Request, State},
    handler::Handler,
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use futures_util::future::{Either, Ready, ready};
use http::Method;

pub use crate::openapi::Operation;
use crate::{ApiError, AppState, context::SharedContext};

/// Which rate limit a route counts towards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Counted nowhere: readiness.
    Exempt,
    /// Becoming somebody.
    Login,
    /// Reading.
    Read,
    /// Changing.
    Write,
    /// Making identities, projects and organizations.
    Creation,
}

/// Who may call a route; ordered from everybody to the fewest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Everybody, without a token.
    Public,
    /// Users, machine identities and service tokens.
    Bearer,
    /// Users and machine identities.
    Anybody,
    /// Machine identities only.
    Identity,
    /// Service tokens only.
    Service,
    /// Users only.
    User,
    /// Whoever was mailed a proof and is about to complete an account or to set a password.
    Proven,
    /// Whoever logged in and still owes a second factor.
    Pending,
    /// Whoever signed in with the browser that asks: pages alone.
    Browser,
}

impl Access {
    /// Whether no token is asked for.
    pub fn is_public(self) -> bool {
        self == Self::Public
    }

    const fn and(self, other: Self) -> Self {
        if (self as u8) > (other as u8) { self } else { other }
    }
}

/// What the part of a handler's signature says about its route.
pub trait Describe {
    /// Who is let through by it.
    const ACCESS: Access = Access::Public;

    /// Adds what it reads or writes to the documentation.
    fn describe(operation: &mut Operation);
}

impl Describe for State<AppState> {
    fn describe(_: &mut Operation) {}
}

/// A handler: an async function of extractors to `Result<Json<Answer>, ApiError>`.
pub trait Endpoint<T>: Handler<T, AppState> {
    /// Who may call.
    const ACCESS: Access;

    /// Describes all parts of the signature.
    fn describe(operation: &mut Operation);
}

macro_rules! endpoints {
    ($([$($part:ident),*])+) => {$(
        impl<F, Fut, Answer, M, $($part),*> Endpoint<(M, $($part,)*)> for F
        where
            F: Handler<(M, $($part,)*), AppState> + FnOnce($($part),*) -> Fut,
            Fut: Future<Output = Result<Answer, ApiError>>,
            Answer: Describe,
            $($part: Describe,)*
        {
            const ACCESS: Access = Access::Public$(.and($part::ACCESS))*;

            fn describe(operation: &mut Operation) {
                $($part::describe(operation);)*
                Answer::describe(operation);
            }
        }
    )+};
}

endpoints! { [A] [A, B] [A, B, C] [A, B, C, D] [A, B, C, D, E] }

/// What the pipeline and the limits need to know about a route.
#[derive(Clone, Copy, Debug)]
pub struct RouteInfo {
    /// The path's template.
    pub path: &'static str,
    /// The rate limit.
    pub class: Class,
    /// Who may call.
    pub access: Access,
    /// Whether a browser asks, and failures are pages.
    pub is_page: bool,
}

/// One method of one path.
pub struct Route {
    /// The method.
    pub method: Method,
    /// See [`RouteInfo`].
    pub info: RouteInfo,
    /// What it does, as an imperative or third-person line without a full stop.
    pub summary: &'static str,
    pub(crate) describe: fn(&mut Operation),
    handler: Box<dyn Fn(RouteInfo) -> MethodRouter<AppState> + Send + Sync>,
}

impl Route {
    /// A route for `GET` (and so `HEAD`).
    pub fn get<T: 'static>(
        path: &'static str,
        handler: impl Endpoint<T>,
        about: &'static str,
    ) -> Self {
        Self::new(Method::GET, path, handler, about)
    }

    /// A route for `POST`.
    pub fn post<T: 'static>(
        path: &'static str,
        handler: impl Endpoint<T>,
        about: &'static str,
    ) -> Self {
        Self::new(Method::POST, path, handler, about)
    }

    /// A route for `PATCH`.
    pub fn patch<T: 'static>(
        path: &'static str,
        handler: impl Endpoint<T>,
        about: &'static str,
    ) -> Self {
        Self::new(Method::PATCH, path, handler, about)
    }

    /// A route for `DELETE`.
    pub fn delete<T: 'static>(
        path: &'static str,
        handler: impl Endpoint<T>,
        about: &'static str,
    ) -> Self {
        Self::new(Method::DELETE, path, handler, about)
    }

    /// Counts the route towards another rate limit than its method's ([`Class::Read`] for `GET`,
    /// [`Class::Write`] for the others).
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        self.info.class = class;
        self
    }

    /// Answers pages in place of data.
    #[must_use]
    pub(crate) fn page(mut self) -> Self {
        self.info.is_page = true;
        self
    }

    fn new<T: 'static, E: Endpoint<T>>(
        method: Method,
        path: &'static str,
        handler: E,
        summary: &'static str,
    ) -> Self {
        let class = if method == Method::GET { Class::Read } else { Class::Write };
        let filter = MethodFilter::try_from(method.clone()).expect("one of the four methods above");
        Self {
            method,
            info: RouteInfo { path, class, access: E::ACCESS, is_page: false },
            summary,
            describe: E::describe,
            handler: Box::new(move |info| on(filter, Informed { handler: handler.clone(), info })),
        }
    }
}

/// A handler whose request carries its [`RouteInfo`].
#[derive(Clone)]
struct Informed<H> {
    handler: H,
    info: RouteInfo,
}

impl<T, H: Handler<T, AppState>> Handler<T, AppState> for Informed<H> {
    type Future = Either<Ready<Response>, H::Future>;

    fn call(self, mut request: Request, state: AppState) -> Self::Future {
        if let Err(refused) = self.enter(&mut request, &state) {
            return Either::Left(ready(refused.into_response()));
        }
        Either::Right(self.handler.call(request, state))
    }
}

impl<H> Informed<H> {
    /// Tells the request its route. Where nobody has to say who they are, their address counts.
    fn enter(&self, request: &mut Request, state: &AppState) -> Result<(), ApiError> {
        tracing::Span::current().record("http.route", self.info.path);
        request.extensions_mut().insert(self.info);
        if let Some(context) = request.extensions().get::<SharedContext>() {
            // A request passes one route.
            let _ = context.route.set(self.info);
            if self.info.access.is_public() {
                context.count_address(state)?;
            }
        }
        Ok(())
    }
}

/// The router of a table.
pub(crate) fn router(table: Vec<Route>, state: AppState) -> Router {
    table
        .into_iter()
        .fold(Router::new(), |router, route| {
            router.route(route.info.path, (route.handler)(route.info))
        })
        .method_not_allowed_fallback(no_route)
        .fallback(no_route)
        .with_state(state)
}

async fn no_route() -> ApiError {
    ApiError::NoRoute
}
