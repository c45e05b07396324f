//! Keeps the key in the desktop's Secret Service, which pgcred asks over D-Bus. If the service is
//! locked, the error says so; pgcred does not wait for the user to unlock it.

use std::collections::HashMap;

use secret_service::blocking::{Collection, Item, SecretService};
use secret_service::{EncryptionType, Error as ServiceError};

use super::{KeyLocation, item_name};
use crate::error::{Error, Result};

type ServiceResult<T> = Result<T, ServiceError>;

pub(super) struct DesktopKeyring {
    scope: String,
}

impl DesktopKeyring {
    pub(super) fn new(scope: &str) -> Self {
        Self {
            scope: scope.to_owned(),
        }
    }

    /// A locked collection is never unlocked: the service would ask a user who may not be there,
    /// and its question would disappear when this process ends.
    fn with_collection<T>(
        &self,
        work: impl FnOnce(&Collection<'_>, HashMap<&str, &str>) -> ServiceResult<T>,
    ) -> Result<T> {
        let answer = || {
            // The bus is a socket that only the user can use, so the encryption that the protocol
            // offers would hide nothing.
            let service = SecretService::connect(EncryptionType::Plain)?;
            let collection = service.get_default_collection()?;
            collection.ensure_unlocked()?;
            work(
                &collection,
                HashMap::from([("application", "pgcred"), ("scope", self.scope.as_str())]),
            )
        };
        answer().map_err(|error| secret_service_error(&error))
    }
}

impl super::KeyStore for DesktopKeyring {
    fn location(&self) -> KeyLocation {
        KeyLocation::Keyring("Secret Service")
    }

    fn may_hang(&self) -> bool {
        true
    }

    fn read(&self) -> Result<Option<Vec<u8>>> {
        self.with_collection(|collection, attributes| {
            collection
                .search_items(attributes)?
                .first()
                .map(Item::get_secret)
                .transpose()
        })
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        self.with_collection(|collection, attributes| {
            let replace = true;
            collection
                .create_item(
                    &item_name(&self.scope),
                    attributes,
                    bytes,
                    replace,
                    "application/octet-stream",
                )
                .map(drop)
        })
    }

    fn erase(&self) -> Result<()> {
        self.with_collection(|collection, attributes| {
            collection
                .search_items(attributes)?
                .iter()
                .try_for_each(Item::delete)
        })
    }
}

/// No hint: the user reads the reasons of all places in one error, whose hint is another place. So
/// what mends a reason stands in it.
fn secret_service_error(error: &ServiceError) -> Error {
    match error {
        ServiceError::Locked => Error::failure("locked: log in to the desktop or unlock it there"),
        ServiceError::NoResult => {
            Error::failure("it has no default collection: create one on the desktop")
        }
        ServiceError::Unavailable => absent(),
        // The error of the bus itself for a name that no program has.
        error
            if error
                .to_string()
                .contains("org.freedesktop.DBus.Error.ServiceUnknown") =>
        {
            absent()
        }
        // No hint: as for all of these.
        error => Error::failure("it cannot be used").caused_by(error),
    }
}

fn absent() -> Error {
    // No hint: as in `secret_service_error`.
    Error::failure("none is running in this session")
}
