//! Parameters and rows that both engines understand, so that a query is written once.

use sqlx::{
    Arguments as _, Encode, FromRow, Postgres, Sqlite, Type,
    error::BoxDynError,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};

/// A value that both engines take as a parameter.
pub trait Bind<'p>:
    Encode<'p, Sqlite> + Type<Sqlite> + Encode<'p, Postgres> + Type<Postgres> + Send + 'p
{
}

impl<'p, T> Bind<'p> for T where
    T: Encode<'p, Sqlite> + Type<Sqlite> + Encode<'p, Postgres> + Type<Postgres> + Send + 'p
{
}

/// The parameters of a query: a tuple of [`Bind`] values, `$1` first.
pub trait Params<'p>: Send {
    /// Appends the values as SQLite takes them.
    fn add_sqlite(self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError>;
    /// Appends the values as PostgreSQL takes them.
    fn add_postgres(self, arguments: &mut PgArguments) -> Result<(), BoxDynError>;
}

/// Parameters and, after them, those of every element of a list: for a statement whose text has
/// as many places.
pub struct Then<P, Q>(pub P, pub Vec<Q>);

impl<'p, P: Params<'p>, Q: Params<'p>> Params<'p> for Then<P, Q> {
    fn add_sqlite(self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
        self.0.add_sqlite(arguments)?;
        self.1.into_iter().try_for_each(|each| each.add_sqlite(arguments))
    }

    fn add_postgres(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        self.0.add_postgres(arguments)?;
        self.1.into_iter().try_for_each(|each| each.add_postgres(arguments))
    }
}

macro_rules! params {
    ($($name:ident)*) => {
        #[expect(non_snake_case, reason = "the type's name names its value")]
        impl<'p, $($name: Bind<'p>),*> Params<'p> for ($($name,)*) {
            fn add_sqlite(self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
                let ($($name,)*) = self;
                $(sqlx::Arguments::add(arguments, $name)?;)*
                Ok(())
            }

            fn add_postgres(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
                let ($($name,)*) = self;
                $(arguments.add($name)?;)*
                Ok(())
            }
        }
    };
}

/// Texts of one kind and number, for statements about many rows of them.
impl<'p, const N: usize> Params<'p> for [&'p str; N] {
    fn add_sqlite(self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
        self.into_iter().try_for_each(|text| sqlx::Arguments::add(arguments, text))
    }

    fn add_postgres(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        self.into_iter().try_for_each(|text| arguments.add(text))
    }
}

impl Params<'_> for () {
    fn add_sqlite(self, _: &mut SqliteArguments) -> Result<(), BoxDynError> {
        Ok(())
    }

    fn add_postgres(self, _: &mut PgArguments) -> Result<(), BoxDynError> {
        Ok(())
    }
}

params!(A);
params!(A B);
params!(A B C);
params!(A B C D);
params!(A B C D F);
params!(A B C D F G);
params!(A B C D F G H);
params!(A B C D F G H I);
params!(A B C D F G H I J);
params!(A B C D F G H I J K);
params!(A B C D F G H I J K L);
params!(A B C D F G H I J K L M);
params!(A B C D F G H I J K L M N);
params!(A B C D F G H I J K L M N O);
params!(A B C D F G H I J K L M N O P);
params!(A B C D F G H I J K L M N O P Q);
params!(A B C D F G H I J K L M N O P Q R);
params!(A B C D F G H I J K L M N O P Q R S);
params!(A B C D F G H I J K L M N O P Q R S T);

pub(crate) fn sqlite<'p>(params: impl Params<'p>) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    params.add_sqlite(&mut arguments).map_err(sqlx::Error::Encode)?;
    Ok(arguments)
}

pub(crate) fn postgres<'p>(params: impl Params<'p>) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    params.add_postgres(&mut arguments).map_err(sqlx::Error::Encode)?;
    Ok(arguments)
}

/// A statement whose parameters stand in order, each once, with `?` in the place of `$n`.
///
/// To SQLite `$n` is a name. The driver asks for the name of every parameter and SQLite looks
/// through all of them each time, which makes a statement of many rows cost their square.
pub(crate) fn nameless(sql: &str) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push('?');
        text.push_str(part.trim_start_matches(|character: char| character.is_ascii_digit()));
    }
    text
}

/// A row that both engines can be read into.
pub trait Record:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Record for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

/// What is read from the next columns of a row: one value, or a record of several.
///
/// Records made of records are how a join is read: the columns of each stand together, in order.
pub trait Part<'r, R>: Sized {
    /// How many columns it takes.
    const COLUMNS: usize;

    /// Reads it, starting at `column`.
    fn read(row: &'r R, column: usize) -> Result<Self, sqlx::Error>;
}

macro_rules! columns {
    ($($type:ty),+ $(,)?) => {$(
        columns!(@impl $type);
        columns!(@impl Option<$type>);
    )+};
    (@impl $type:ty) => {
        impl<'r, R: sqlx::Row> Part<'r, R> for $type
        where
            $type: sqlx::Decode<'r, R::Database> + Type<R::Database>,
            usize: sqlx::ColumnIndex<R>,
        {
            const COLUMNS: usize = 1;

            fn read(row: &'r R, column: usize) -> Result<Self, sqlx::Error> {
                row.try_get(column)
            }
        }
    };
}

// One by one: for all types that a driver can decode, this would exclude `Joined`.
columns! {
    bool, i64, String, Vec<u8>, uuid::Uuid, kms_api::OrganizationId, kms_api::UserId,
    kms_api::IdentityId, kms_api::ProjectId, kms_api::EnvironmentId, kms_api::FolderId,
    kms_api::SecretId, kms_api::SecretImportId, kms_api::MembershipId, kms_api::MembershipRoleId, kms_api::AuthMethodId,
    kms_api::ClientSecretId, kms_api::TokenId, kms_api::PasskeyId,
    kms_api::SessionId, kms_api::AuditId, kms_api::ProviderId, kms_api::RoleId,
    kms_api::ServiceTokenId, kms_api::TagId,
}

/// A record that an outer join may have found nothing for; its own first column is never null.
#[derive(Clone, Debug)]
pub struct Joined<T>(pub Option<T>);

impl<'r, R: sqlx::Row, T: Part<'r, R>> Part<'r, R> for Joined<T>
where
    usize: sqlx::ColumnIndex<R>,
{
    const COLUMNS: usize = T::COLUMNS;

    fn read(row: &'r R, column: usize) -> Result<Self, sqlx::Error> {
        let absent = sqlx::ValueRef::is_null(&row.try_get_raw(column)?);
        Ok(Self(if absent { None } else { Some(T::read(row, column)?) }))
    }
}

/// Declares a row type that is read by position: the fields stand in the order of the columns.
/// A field may be another record, or a [`Joined`](crate::Joined) one.
///
/// Written out instead of derived, since the derive builds both drivers a second time for the
/// compiler and reads by name.
#[macro_export]
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty),+ $(,)?
    }) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type),+
        }

        $crate::record!(@impl $name, sqlx::sqlite::SqliteRow, $($field: $type),+);
        $crate::record!(@impl $name, sqlx::postgres::PgRow, $($field: $type),+);
    };
    (@impl $name:ident, $row:ty, $($field:ident: $type:ty),+) => {
        impl<'r> $crate::Part<'r, $row> for $name {
            const COLUMNS: usize = 0 $(+ <$type as $crate::Part<'r, $row>>::COLUMNS)+;

            fn read(row: &'r $row, column: usize) -> Result<Self, sqlx::Error> {
                let mut next = column;
                let mut advance = |columns| {
                    let at = next;
                    next += columns;
                    at
                };
                Ok(Self {
                    $($field: {
                        let at = advance(<$type as $crate::Part<'r, $row>>::COLUMNS);
                        $crate::Part::read(row, at)?
                    }),+
                })
            }
        }

        impl<'r> sqlx::FromRow<'r, $row> for $name {
            fn from_row(row: &'r $row) -> Result<Self, sqlx::Error> {
                $crate::Part::read(row, 0)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::nameless;

    #[test]
    fn parameters_lose_their_names_and_nothing_else_changes() {
        let sql = "INSERT INTO t (a1, b) VALUES ($1, $2),($13,$144) -- 1";
        assert_eq!(nameless(sql), "INSERT INTO t (a1, b) VALUES (?, ?),(?,?) -- 1");
        assert_eq!(nameless("SELECT 1"), "SELECT 1");
    }
}
