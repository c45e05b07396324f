//! Gets access keys from the credentials files that came before profiles: that of the first EC2
//! tools (2008), named by `AWS_CREDENTIAL_FILE`, and those of boto 2.
//!
//! They stay because AWS CLI v2 reads them: its chain, that of botocore, has `OriginalEC2Provider`
//! and `BotoProvider` between the profiles and the services of the machine.

use std::path::PathBuf;

use crate::aws::credentials::Credentials;

use crate::aws::plan::LegacyFiles;
use crate::aws::profile::files;
use crate::aws::resolution::CredentialResolution;
use crate::error::Result;
use crate::sys::env;
use crate::sys::fs;

impl LegacyFiles {
    /// Returns the first complete pair of keys in these files.
    pub(super) fn credentials(
        &self,
        resolution: &CredentialResolution,
    ) -> Result<Option<Credentials>> {
        if let Some(path) = &self.ec2_file {
            let text = match fs::read_foreign_text(&env::expand_home(path), resolution.deadline()) {
                Ok(text) => text,
                Err(error) => return Err(error.or_hint("correct or unset AWS_CREDENTIAL_FILE")),
            };
            let key = value_of(&text, "AWSAccessKeyId");
            if let Some(credentials) = credentials_if_complete(key, value_of(&text, "AWSSecretKey"))
            {
                return Ok(Some(credentials));
            }
        }
        for path in &self.boto_files {
            for (name, section) in files::read_sections(Some(env::expand_home(path)))? {
                if name != "Credentials" {
                    continue;
                }
                let key = section.get("aws_access_key_id");
                if let Some(credentials) =
                    credentials_if_complete(key, section.get("aws_secret_access_key"))
                {
                    return Ok(Some(credentials));
                }
            }
        }
        Ok(None)
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        let paths = self.ec2_file.iter().chain(&self.boto_files);
        paths.map(|path| env::expand_home(path)).collect()
    }
}

fn credentials_if_complete(key: Option<&str>, secret: Option<&str>) -> Option<Credentials> {
    Some(Credentials::new(key?, secret?, None, None, "file"))
}

/// Returns the value of a `KEY=VALUE` line.
fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    for line in text.lines() {
        if let Some((key, value)) = line.split_once('=')
            && key.trim() == name
        {
            return Some(value.trim());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_key_and_a_value_with_or_without_blanks() {
        let text = "# AWSSecretKey\nAWSAccessKeyId = AKIA \nAWSSecretKey=a=b\n";
        assert_eq!(value_of(text, "AWSAccessKeyId"), Some("AKIA"));
        assert_eq!(value_of(text, "AWSSecretKey"), Some("a=b"));
        assert_eq!(value_of(text, "AWSAccess"), None);
    }

    #[test]
    fn half_a_pair_of_keys_counts_as_none() {
        assert!(credentials_if_complete(Some("AKIA"), None).is_none());
        assert!(credentials_if_complete(None, Some("secret")).is_none());
        assert!(credentials_if_complete(Some("AKIA"), Some("secret")).is_some());
    }
}
