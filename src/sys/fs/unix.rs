//! Modes, owners and locks of unix.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

pub(super) fn is_own(metadata: &Metadata) -> bool {
    metadata.uid() == nix::unistd::geteuid().as_raw()
}

pub(super) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Returns the name of the owner, if that is neither the user nor root.
pub(super) fn stranger(metadata: &Metadata) -> Option<String> {
    const ROOT: u32 = 0;
    if metadata.uid() == ROOT || may_be_roots(metadata) {
        None
    } else {
        other_owner(metadata)
    }
}

/// Tells whether this is a sandbox that shows everything that is not the user's as one user's, so
/// that root's files cannot be told from others': Flatpak's, or what NixOS runs foreign programs
/// in.
fn may_be_roots(metadata: &Metadata) -> bool {
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

/// Returns the mode of what other users can change.
pub(super) fn mode_for_others(metadata: &Metadata) -> Option<u32> {
    let mode = metadata.mode() & 0o777;
    let by_group = mode & 0o020 != 0 && !is_trusted_group(metadata.gid());
    (mode & 0o002 != 0 || by_group).then_some(mode)
}

/// Tells whether whoever is in a group is the user or as good as root: the user's private group,
/// root's own, and the one whose members may install programs for all (it owns /usr/local on older
/// Debian, and Homebrew's directories on macOS).
///
/// A private group has no other member, and the user's name, or the user's number and no other
/// user's name: users are renamed, and in containers may have no name at all. Kubernetes gives all
/// files of a volume a group that the container has for itself (`fsGroup`) and lets it change them,
/// whenever it mounts the volume.
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
    let user = nix::unistd::geteuid();
    let Ok(group) = nix::unistd::Group::from_gid(number.into()) else {
        return false;
    };
    if let Some(group) = &group
        && (number, &*group.name) == ADMINISTRATORS
    {
        return true;
    }
    let users = numbers_in("/etc/passwd");
    if users
        .iter()
        .any(|(id, main_group)| *main_group == Some(number) && *id != user.as_raw())
    {
        return false; // whose main group it is, is not listed with the group
    }
    let name = nix::unistd::User::from_uid(user)
        .ok()
        .flatten()
        .map(|user| user.name);
    // Only users of this machine can be counted: where the user is one of a directory service,
    // others may be too.
    let is_local = name.is_none() || users.iter().any(|(id, _)| *id == user.as_raw());
    let is_containers = || is_local && is_in_group(number);
    let Some(group) = group else {
        return number == user.as_raw() || is_containers();
    };
    if group.mem.iter().any(|member| Some(member) != name.as_ref()) {
        return false;
    }
    let is_anothers =
        || nix::unistd::User::from_name(&group.name).is_ok_and(|named| named.is_some());
    let is_private =
        Some(&group.name) == name.as_ref() || (number == user.as_raw() && !is_anothers());
    is_private || (is_containers() && numbers_in("/etc/group").iter().any(|(id, _)| *id == number))
}

/// Returns the numbers in a file of users or groups: the user's and the main group's, or the
/// group's.
fn numbers_in(file: &str) -> Vec<(u32, Option<u32>)> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let numbers = |line: &str| {
        let mut fields = line.split(':').skip(2).map(|field| field.parse().ok());
        Some((fields.next()??, fields.next().flatten()))
    };
    text.lines().filter_map(numbers).collect()
}

#[cfg(target_os = "linux")]
fn is_in_group(number: u32) -> bool {
    let others = nix::unistd::getgroups().unwrap_or_default();
    nix::unistd::getegid().as_raw() == number || others.iter().any(|group| group.as_raw() == number)
}

#[cfg(not(target_os = "linux"))]
fn is_in_group(number: u32) -> bool {
    nix::unistd::getegid().as_raw() == number
}

/// Tells whether only the owner of a file in a directory can replace it, whoever can make files
/// there.
pub(super) fn is_sticky(metadata: &Metadata) -> bool {
    metadata.mode() & 0o1000 != 0
}

pub(super) fn has_other_names(metadata: &Metadata) -> bool {
    metadata.nlink() > 1
}

/// Returns the name of the owner, if that is another user.
pub(super) fn other_owner(metadata: &Metadata) -> Option<String> {
    let name = || {
        nix::unistd::User::from_uid(metadata.uid().into())
            .ok()
            .flatten()
            .map(|user| user.name)
    };
    (!is_own(metadata)).then(|| name().unwrap_or_else(|| format!("the user {}", metadata.uid())))
}

pub(super) fn is_open_to_others(metadata: &Metadata) -> bool {
    metadata.mode() & 0o077 != 0
}

/// A group that the user is not in cannot be kept: `sudo chown USER FILE` leaves root's. See
/// [`keep_mode`].
pub(super) fn keep_owner(new: &File, old: &Metadata) -> io::Result<()> {
    let own = new.metadata()?;
    if (own.uid(), own.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    match fchown(new, Some(old.uid()), Some(old.gid())) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && own.uid() == old.uid() => {
            Ok(())
        }
        done => done,
    }
}

/// What the old group could do is nothing for another one.
pub(super) fn keep_mode(new: &File, old: &Metadata) -> io::Result<()> {
    let is_kept = new.metadata()?.gid() == old.gid();
    new.set_permissions(Permissions::from_mode(
        old.mode() & if is_kept { 0o7777 } else { 0o7707 },
    ))
}

/// Tells whether a path leads to this open file still.
pub(super) fn has_name(file: &File, path: &Path) -> bool {
    let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
    let open = file.metadata().map(identity).ok();
    open.is_some() && open == std::fs::metadata(path).map(identity).ok()
}

/// Removes the file of a lock that is held. If that fails the file stays, and is taken by the next
/// writer.
pub(super) fn remove_lock(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// 0600, or 0400 where it was: the modes that every reader accepts.
pub(super) fn make_private(new: &File, old: &Metadata) -> io::Result<()> {
    let mode = if old.mode() & 0o777 == 0o400 {
        0o400
    } else {
        0o600
    };
    new.set_permissions(Permissions::from_mode(mode))
}

/// Returns what changes whenever a file's text does. A program can set the time of the last change
/// back, or give two files the same one; the time of the last change of the inode is the system's
/// own.
pub(super) fn state(metadata: &Metadata) -> String {
    let changed = format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec());
    let changed_inode = format!("{}.{:09}", metadata.ctime(), metadata.ctime_nsec());
    format!(
        "{} {} {} {changed} {changed_inode}",
        metadata.dev(),
        metadata.ino(),
        metadata.size()
    )
}

/// Marks a new file as one whose writer lives. Where the file system has no locks, no file counts
/// as abandoned either.
pub(super) fn claim(new: &File) {
    let _ = new.try_lock();
}

/// Tells whether the writer of a new file is gone.
pub(super) fn is_abandoned(new: &Path) -> bool {
    File::open(new).is_ok_and(|file| file.try_lock().is_ok())
}

pub(super) fn private(options: &mut OpenOptions) {
    options.mode(0o600);
}

/// Opens a pipe without waiting for its other end.
pub(super) fn at_once(options: &mut OpenOptions) {
    options.custom_flags(nix::libc::O_NONBLOCK);
}

/// As [`at_once`], and follows no link.
pub(super) fn at_once_without_links(options: &mut OpenOptions) {
    options.custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOFOLLOW);
}

pub(super) fn create_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

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

/// Makes the rename last through a power cut, where the file system can.
pub(super) fn sync_directory(directory: &Path) {
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}

/// Asks about locks of the kind that Java takes.
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
