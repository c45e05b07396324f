//! Implements the Unix half of `sys::fs`: modes, owners and locks. The other files of this
//! directory call it by the name `platform`.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{AccessFlags, Group, Uid, User};

/// Tells whether a file belongs to the user.
pub(super) fn is_own(metadata: &Metadata) -> bool {
    metadata.uid() == nix::unistd::geteuid().as_raw()
}

/// Tells whether this process runs as root.
pub(super) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Returns the name of the owner, if it is neither the user nor root.
pub(super) fn untrusted_owner(metadata: &Metadata) -> Option<String> {
    const ROOT: u32 = 0;
    if metadata.uid() == ROOT || may_be_owned_by_root(metadata) {
        None
    } else {
        other_owner(metadata)
    }
}

/// Tells whether root may be the owner of a file whose owner this sandbox hides.
///
/// The sandboxes of Flatpak, and of NixOS for foreign programs, show all files that are not the
/// user's as files of one unknown user.
fn may_be_owned_by_root(metadata: &Metadata) -> bool {
    const UNKNOWN: u32 = 65_534;
    if metadata.uid() != UNKNOWN {
        return false;
    }
    let Ok(users) = std::fs::read_to_string("/proc/self/uid_map") else {
        return false;
    };
    !users
        .lines()
        .any(|line| line.split_whitespace().next() == Some("0"))
}

/// Returns the mode of a file, if other users can change the file.
pub(super) fn mode_for_others(metadata: &Metadata) -> Option<u32> {
    let mode = metadata.mode() & 0o777;
    let by_group = mode & 0o020 != 0 && !is_trusted_group(metadata.gid());
    if mode & 0o002 != 0 || by_group {
        Some(mode)
    } else {
        None
    }
}

/// Tells whether all members of a group are the user or have the rights of root.
///
/// These groups are trusted: root's own; the group whose members may install programs for all users
/// (it owns /usr/local on older Debian, and Homebrew's directories on macOS); and the user's
/// private group.
fn is_trusted_group(number: u32) -> bool {
    const ROOT: u32 = 0;
    const ADMINISTRATORS: (u32, &str) = if cfg!(target_os = "macos") {
        (80, "admin")
    } else {
        (50, "staff")
    };
    if number == ROOT {
        return true;
    }
    let Ok(group) = Group::from_gid(number.into()) else {
        return false;
    };
    if let Some(group) = &group
        && (number, &*group.name) == ADMINISTRATORS
    {
        return true;
    }
    is_private_group(number, group.as_ref())
}

/// Tells whether a group is the user's private one: it has no other member, and has either the
/// user's name, or the user's number and not the name of another user.
///
/// The number counts because users are renamed, and because in a container a user may have no name.
/// Kubernetes gives all files of a volume a group that the container has for itself (`fsGroup`),
/// and lets this group change them whenever it mounts the volume.
fn is_private_group(number: u32, group: Option<&Group>) -> bool {
    let user = nix::unistd::geteuid();
    let users = ids_in("/etc/passwd");
    let mut is_listed = false;
    for (id, main_group) in &users {
        if *id == user.as_raw() {
            is_listed = true;
        } else if *main_group == Some(number) {
            return false; // users are not listed as members of their main group
        }
    }
    let name = user_name(user);
    // Only the users of this machine can be counted. If the user comes from a directory service,
    // the group may have more members there.
    let is_local = name.is_none() || is_listed;
    let is_group_of_container = || is_local && is_in_group(number);
    let Some(group) = group else {
        return number == user.as_raw() || is_group_of_container();
    };
    if group.mem.iter().any(|member| Some(member) != name.as_ref()) {
        return false;
    }
    if Some(&group.name) == name.as_ref() {
        return true;
    }
    if number == user.as_raw() && !is_user(&group.name) {
        return true;
    }
    is_group_of_container() && ids_in("/etc/group").iter().any(|(id, _)| *id == number)
}

fn user_name(id: Uid) -> Option<String> {
    match User::from_uid(id) {
        Ok(Some(user)) => Some(user.name),
        _ => None,
    }
}

/// Tells whether there is a user of this name.
fn is_user(name: &str) -> bool {
    matches!(User::from_name(name), Ok(Some(_)))
}

/// Returns the numbers in a file of users or groups. A line of a user has the user's number and
/// that of the main group; a line of a group has the group's number.
fn ids_in(file: &str) -> Vec<(u32, Option<u32>)> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut numbers = Vec::new();
    for line in text.lines() {
        let mut fields = line.split(':').skip(2);
        let Some(Ok(id)) = fields.next().map(str::parse) else {
            continue;
        };
        let main_group = match fields.next() {
            Some(field) => field.parse().ok(),
            None => None,
        };
        numbers.push((id, main_group));
    }
    numbers
}

/// Tells whether this process is in a group.
#[cfg(target_os = "linux")]
fn is_in_group(number: u32) -> bool {
    let groups = nix::unistd::getgroups().unwrap_or_default();
    nix::unistd::getegid().as_raw() == number || groups.iter().any(|group| group.as_raw() == number)
}

/// Tells whether a group is the main group of this process.
#[cfg(not(target_os = "linux"))]
fn is_in_group(number: u32) -> bool {
    nix::unistd::getegid().as_raw() == number
}

/// Tells whether a directory is sticky: only the owner of a file in it can replace the file, even
/// if other users can make files there.
pub(super) fn is_sticky(metadata: &Metadata) -> bool {
    metadata.mode() & 0o1000 != 0
}

/// Tells whether a file is on a file system that is mounted read-only.
pub(super) fn is_read_only(path: &Path) -> bool {
    nix::unistd::access(path, AccessFlags::W_OK) == Err(Errno::EROFS)
}

/// Tells whether a file has more than one name (hard links).
pub(super) fn has_other_names(metadata: &Metadata) -> bool {
    metadata.nlink() > 1
}

/// Returns the name of the owner, if it is not the user.
pub(super) fn other_owner(metadata: &Metadata) -> Option<String> {
    if is_own(metadata) {
        return None;
    }
    match user_name(metadata.uid().into()) {
        Some(name) => Some(name),
        None => Some(format!("the user {}", metadata.uid())),
    }
}

/// Tells whether other users have any rights to a file.
pub(super) fn is_open_to_others(metadata: &Metadata) -> bool {
    metadata.mode() & 0o077 != 0
}

/// Gives a new file the owner and group of the old one. If the user is not in the group, the file
/// gets the user's group: `sudo chown USER FILE` leaves files with such a group. See [`keep_mode`].
pub(super) fn keep_owner(new: &File, old: &Metadata) -> io::Result<()> {
    let new_metadata = new.metadata()?;
    if (new_metadata.uid(), new_metadata.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    match fchown(new, Some(old.uid()), Some(old.gid())) {
        Err(error)
            if error.kind() == io::ErrorKind::PermissionDenied
                && new_metadata.uid() == old.uid() =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Gives a new file the mode of the old one. If the group is another one, it gets no rights.
pub(super) fn keep_mode(new: &File, old: &Metadata) -> io::Result<()> {
    let is_kept = new.metadata()?.gid() == old.gid();
    new.set_permissions(Permissions::from_mode(
        old.mode() & if is_kept { 0o7777 } else { 0o7707 },
    ))
}

/// Tells whether a path still leads to this open file.
pub(super) fn has_name(file: &File, path: &Path) -> bool {
    let (Ok(file_metadata), Ok(path_metadata)) = (file.metadata(), std::fs::metadata(path)) else {
        return false;
    };
    (file_metadata.dev(), file_metadata.ino()) == (path_metadata.dev(), path_metadata.ino())
}

/// Removes the file of a lock that this process holds. If that fails, the next writer uses the
/// file.
pub(super) fn remove_lock(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// Sets the mode 0600, or keeps 0400. Every program that reads passfiles accepts these two modes.
pub(super) fn make_private(new: &File, old: &Metadata) -> io::Result<()> {
    let mode = if old.mode() & 0o777 == 0o400 {
        0o400
    } else {
        0o600
    };
    new.set_permissions(Permissions::from_mode(mode))
}

/// Returns a text that changes whenever the file's text does.
///
/// It contains the time of the last change of the inode, which only the system can set. The time of
/// the last change of the text is not enough: a program can set it back, or give two files the
/// same.
pub(super) fn stamp(metadata: &Metadata) -> String {
    let modified_at = format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec());
    let inode_changed_at = format!("{}.{:09}", metadata.ctime(), metadata.ctime_nsec());
    format!(
        "{} {} {} {modified_at} {inode_changed_at}",
        metadata.dev(),
        metadata.ino(),
        metadata.size()
    )
}

/// Marks a new file with a lock while its writer lives. On a file system without locks no file
/// counts as abandoned.
pub(super) fn lock_as_writer(new: &File) {
    let _ = new.try_lock();
}

/// Tells whether the writer of a new file was killed.
pub(super) fn is_abandoned(new: &Path) -> bool {
    match File::open(new) {
        Ok(file) => file.try_lock().is_ok(),
        Err(_) => false,
    }
}

/// Makes new files private.
pub(super) fn private_mode(options: &mut OpenOptions) {
    options.mode(0o600);
}

/// Makes the opening of a pipe not wait for a program at its other end.
pub(super) fn nonblocking(options: &mut OpenOptions) {
    options.custom_flags(nix::libc::O_NONBLOCK);
}

/// Does the same as [`nonblocking`], and makes the opening of a link fail.
pub(super) fn nonblocking_without_links(options: &mut OpenOptions) {
    options.custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOFOLLOW);
}

/// Makes a directory that only the user can enter, and the directories above it.
pub(super) fn create_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a directory with a random name that only the user can enter.
pub(super) fn private_temporary_directory(
    prefix: &str,
    parent: &Path,
) -> io::Result<tempfile::TempDir> {
    let mode = Permissions::from_mode(0o700);
    tempfile::Builder::new()
        .prefix(prefix)
        .permissions(mode)
        .tempdir_in(parent)
}

/// Makes a rename in a directory survive a power cut, if the file system supports that.
pub(super) fn sync_directory(directory: &Path) {
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
}

/// Tells whether another program holds a lock of the kind that Java takes.
#[allow(
    clippy::cast_possible_truncation,
    reason = "the constants' type is not the same everywhere"
)]
pub(super) fn is_locked(file: &File) -> bool {
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc::{F_UNLCK, F_WRLCK, flock};

    let mut lock = flock {
        l_type: F_WRLCK as _,
        l_whence: 0,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_GETLK(&mut lock)).is_ok() && lock.l_type != F_UNLCK as i16
}
