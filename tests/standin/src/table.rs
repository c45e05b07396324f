//! An enum that is a table: each variant has one row, and a row has a name that the command line
//! takes.

/// Makes the enum, its list `ALL`, `row()` and what reads it from its name.
macro_rules! table {
    (
        $(#[$meta:meta])*
        $enum:ident of $row:ty { $($(#[$doc:meta])* $variant:ident => $value:expr;)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $enum {
            $($(#[$doc])* $variant,)*
        }

        impl $enum {
            /// All of them, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            pub(crate) fn row(self) -> $row {
                match self {
                    $(Self::$variant => $value,)*
                }
            }

            /// The name on the command line and in the log.
            #[must_use]
            pub fn name(self) -> &'static str {
                self.row().name
            }
        }

        impl std::str::FromStr for $enum {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                for one in Self::ALL {
                    if one.name() == text {
                        return Ok(*one);
                    }
                }
                Err(format!("there is no {text:?}; the list option shows the names"))
            }
        }
    };
}

pub(crate) use table;
