//! What is odd about exports: a place that the daemon cannot write to, and what a
//! form cannot carry. The daemon's user is whom state-dir belongs to.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;

use blocklist::ExportFormat;
use configuration::{Configuration, ExportConfig};
use feedfiles::Shown;

use super::problems::Findings;

/// Looks at all exports.
pub(super) fn of(config: &Configuration, findings: &mut Findings) {
    let daemon = fs::metadata(&config.daemon.state_dir).ok();
    for export in &config.exports {
        findings.problems.extend(of_place(export, daemon.as_ref()));
        findings.remarks.extend(of_form(export));
    }
}

/// Why the daemon will not be able to write there.
fn of_place(export: &ExportConfig, daemon: Option<&Metadata>) -> Option<String> {
    let place = export.path.parent()?;
    let shown = Shown(place);
    let why = match fs::metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => "is not there".to_owned(),
        Err(error) => format!("cannot be looked at: {error}"),
        Ok(data) if !data.is_dir() => "is no directory".to_owned(),
        Ok(data) if daemon.is_some_and(|daemon| !can_write(daemon, &data)) => {
            let user = daemon.map_or(0, MetadataExt::uid);
            format!("cannot be written to by user {user}, whose state-dir is")
        }
        Ok(_) => return None,
    };
    Some(format!("export {} will not be written: the directory {shown} {why}", Shown(&export.path)))
}

/// Whether the user and the group of one file may make files in a directory.
fn can_write(who: &Metadata, directory: &Metadata) -> bool {
    let may = |shift: u32| directory.mode() >> shift & 0o3 == 0o3;
    if who.uid() == 0 {
        true
    } else if who.uid() == directory.uid() {
        may(6)
    } else if who.gid() == directory.gid() {
        may(3)
    } else {
        may(0)
    }
}

/// What whoever reads the file should know.
fn of_form(export: &ExportConfig) -> Vec<String> {
    let ExportConfig { path, format, list, .. } = export;
    let path = Shown(path);
    let mut remarks = Vec::new();
    if !format.takes_ipv6() {
        remarks.push(format!(
            "export {path} has IPv4 only, {format} cannot carry IPv6: whoever reads it lets in what \
             list {list} has of that"
        ));
    }
    if *format == ExportFormat::ApacheTxt {
        remarks.push(format!(
            "export {path} is for httxt2dbm: a `txt:` map of Apache reads it from its beginning for \
             every new client, a tenth of a second for a million lines; apache-sdbm needs no such step"
        ));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;

    #[test]
    fn who_may_write_is_told_by_owner_group_and_others() {
        let place = tempfile::tempdir().expect("a directory");
        let check = |mode: u32, want: bool| {
            let rights = fs::Permissions::from_mode(mode);
            fs::set_permissions(place.path(), rights).expect("it is ours");
            let data = fs::metadata(place.path()).expect("it is there");
            let is_root = data.uid() == 0;
            assert_eq!(can_write(&data, &data), want || is_root, "{mode:o}");
        };
        check(0o755, true);
        check(0o700, true);
        check(0o577, false);
    }

    #[test]
    fn a_directory_that_is_not_there_is_said() {
        let place = tempfile::tempdir().expect("a directory");
        let check = |path: &Path, want: Option<&str>| {
            let export = ExportConfig {
                list: "drop".to_owned(),
                format: ExportFormat::Plain,
                path: path.to_owned(),
                mode: 0o640,
                owner_group: None,
                min_interval: std::time::Duration::from_secs(30),
                at: configuration::Place::default(),
            };
            let said = of_place(&export, None);
            assert!(
                match (&said, want) {
                    (Some(said), Some(want)) => said.ends_with(want),
                    (said, want) => said.is_none() && want.is_none(),
                },
                "{said:?}"
            );
        };
        check(&place.path().join("drop"), None);
        check(&place.path().join("none/drop"), Some("is not there"));
        fs::write(place.path().join("file"), "").expect("written");
        check(&place.path().join("file/drop"), Some("is no directory"));
    }
}
