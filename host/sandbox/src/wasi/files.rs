//! `wasi:filesystem`: the granted folders, each under `/LABEL`, and nothing beside them.
//!
//! A folder is a handle that no `..`, absolute path or symbolic link leads out of; the kernel
//! (`openat2`) or a walk by handles sees to that, races included. Below a folder that may only be
//! read, nothing is written, made, renamed, linked or removed, and no file is opened for that.
//! What is promised beyond that:
//!
//! - Every operation ends with the run, also on a pipe or a disk that does not answer.
//! - Bytes written count as output of the run; holes in files do not.
//! - A run has a bounded number of things open, and lists bounded folders.
//! - No symbolic link is made: it could lead nowhere for the guest, but somewhere for whoever
//!   opens the folder later.
//!
//! What is not promised: that files which others change meanwhile are consistent, that the time of
//! a file is kept from who may read it, and that a file of the folder which is linked (hard)
//! to elsewhere is another file.

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types::{self as waiting, ErrorCode};
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult, IoError};

use super::wait::wait;
use crate::state::{LEAST_FILE, State};

/// Longest path, in bytes: the system's.
const LONGEST_PATH: usize = 4096;

/// Most names in a folder that is listed.
const LONGEST_LISTING: usize = 65_536;

/// A path that the system would look at.
fn path(path: String) -> FsResult<String> {
    if path.len() > LONGEST_PATH { Err(ErrorCode::NameTooLong.into()) } else { Ok(path) }
}

impl types::Host for State {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<types::ErrorCode> {
        types::Host::convert_error_code(&mut self.filesystem(), error)
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<IoError>,
    ) -> wasmtime::Result<Option<types::ErrorCode>> {
        types::Host::filesystem_error_code(&mut self.filesystem(), error)
    }
}

/// Methods that wasmtime-wasi does, and that are waited for as long as the run lasts.
macro_rules! awaited {
    ($($method:ident($($name:ident: $kind:ty $(=> $checked:expr)?),*) -> $gives:ty;)*) => {
        $(
            fn $method(
                &mut self,
                handle: Resource<Descriptor>,
                $($name: $kind),*
            ) -> FsResult<$gives> {
                $($(let $name = $checked?;)?)*
                let cancel = self.context.cancel.clone();
                let mut files = self.filesystem();
                let call = waiting::HostDescriptor::$method(&mut files, handle, $($name.into()),*);
                Ok(wait(&cancel, call).map_err(FsError::trap)??.into())
            }
        )*
    };
}

impl types::HostDescriptor for State {
    awaited! {
        advise(offset: u64, len: u64, advice: Advice) -> ();
        sync_data() -> ();
        get_flags() -> DescriptorFlags;
        get_type() -> DescriptorType;
        set_times(accessed: NewTimestamp, modified: NewTimestamp) -> ();
        read(len: u64, offset: u64) -> (Vec<u8>, bool);
        sync() -> ();
        stat() -> DescriptorStat;
        stat_at(flags: PathFlags, name: String => path(name)) -> DescriptorStat;
        set_times_at(
            flags: PathFlags,
            name: String => path(name),
            accessed: NewTimestamp,
            modified: NewTimestamp
        ) -> ();
        link_at(
            flags: PathFlags,
            from: String => path(from),
            folder: Resource<Descriptor>,
            to: String => path(to)
        ) -> ();
        readlink_at(name: String => path(name)) -> String;
        remove_directory_at(name: String => path(name)) -> ();
        rename_at(
            from: String => path(from),
            folder: Resource<Descriptor>,
            to: String => path(to)
        ) -> ();
        unlink_file_at(name: String => path(name)) -> ();
        metadata_hash() -> MetadataHashValue;
        metadata_hash_at(flags: PathFlags, name: String => path(name)) -> MetadataHashValue;
    }

    fn create_directory_at(&mut self, handle: Resource<Descriptor>, name: String) -> FsResult<()> {
        let name = path(name)?;
        self.give_bytes(LEAST_FILE).map_err(FsError::trap)?;
        let cancel = self.context.cancel.clone();
        let mut files = self.filesystem();
        let call = waiting::HostDescriptor::create_directory_at(&mut files, handle, name);
        wait(&cancel, call).map_err(FsError::trap)?
    }

    fn symlink_at(&mut self, _: Resource<Descriptor>, _: String, _: String) -> FsResult<()> {
        Err(ErrorCode::NotPermitted.into())
    }

    fn set_size(&mut self, handle: Resource<Descriptor>, size: u64) -> FsResult<()> {
        if let Descriptor::File(file) = self.table.get(&handle)? {
            let grows = size.saturating_sub(file.file.metadata()?.len());
            self.give_bytes(usize::try_from(grows).unwrap_or(usize::MAX)).map_err(FsError::trap)?;
        }
        let cancel = self.context.cancel.clone();
        let mut files = self.filesystem();
        let call = waiting::HostDescriptor::set_size(&mut files, handle, size);
        wait(&cancel, call).map_err(FsError::trap)?
    }

    fn write(
        &mut self,
        handle: Resource<Descriptor>,
        bytes: Vec<u8>,
        offset: u64,
    ) -> FsResult<u64> {
        self.give_bytes(bytes.len()).map_err(FsError::trap)?;
        let cancel = self.context.cancel.clone();
        let mut files = self.filesystem();
        let call = waiting::HostDescriptor::write(&mut files, handle, bytes, offset);
        wait(&cancel, call).map_err(FsError::trap)?
    }

    fn open_at(
        &mut self,
        handle: Resource<Descriptor>,
        flags: PathFlags,
        name: String,
        how: OpenFlags,
        access: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let name = path(name)?;
        if !self.may_open() {
            return Err(ErrorCode::Quota.into());
        }
        if how.contains(OpenFlags::CREATE) {
            self.give_bytes(LEAST_FILE).map_err(FsError::trap)?;
        }
        let cancel = self.context.cancel.clone();
        let mut files = self.filesystem();
        let call = waiting::HostDescriptor::open_at(
            &mut files,
            handle,
            flags.into(),
            name,
            how.into(),
            access.into(),
        );
        wait(&cancel, call).map_err(FsError::trap)?
    }

    fn read_directory(
        &mut self,
        handle: Resource<Descriptor>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        if !self.may_list() {
            return Err(ErrorCode::Quota.into());
        }
        if let Descriptor::Dir(folder) = self.table.get(&handle)? {
            let names = rustix::fs::Dir::read_from(&folder.dir).map_err(std::io::Error::from)?;
            if names.take(LONGEST_LISTING.saturating_add(1)).count() > LONGEST_LISTING {
                return Err(ErrorCode::Overflow.into());
            }
        }
        let cancel = self.context.cancel.clone();
        let mut files = self.filesystem();
        let call = waiting::HostDescriptor::read_directory(&mut files, handle);
        wait(&cancel, call).map_err(FsError::trap)?
    }

    fn read_via_stream(
        &mut self,
        handle: Resource<Descriptor>,
        offset: u64,
    ) -> FsResult<Resource<DynInputStream>> {
        types::HostDescriptor::read_via_stream(&mut self.filesystem(), handle, offset)
    }

    fn write_via_stream(
        &mut self,
        handle: Resource<Descriptor>,
        offset: u64,
    ) -> FsResult<Resource<DynOutputStream>> {
        let files = &mut self.filesystem();
        let stream = types::HostDescriptor::write_via_stream(files, handle, offset)?;
        self.wasi.writes_file.insert(stream.rep());
        Ok(stream)
    }

    fn append_via_stream(
        &mut self,
        handle: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let files = &mut self.filesystem();
        let stream = types::HostDescriptor::append_via_stream(files, handle)?;
        self.wasi.writes_file.insert(stream.rep());
        Ok(stream)
    }

    fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        let cancel = self.context.cancel.clone();
        let mut files = self.filesystem();
        wait(&cancel, waiting::HostDescriptor::is_same_object(&mut files, one, other))?
    }

    fn drop(&mut self, handle: Resource<Descriptor>) -> wasmtime::Result<()> {
        types::HostDescriptor::drop(&mut self.filesystem(), handle)
    }
}

impl types::HostDirectoryEntryStream for State {
    fn read_directory_entry(
        &mut self,
        listing: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        types::HostDirectoryEntryStream::read_directory_entry(&mut self.filesystem(), listing)
    }

    fn drop(&mut self, listing: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        types::HostDirectoryEntryStream::drop(&mut self.filesystem(), listing)
    }
}
