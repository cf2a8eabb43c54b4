//! What the compiler's process says to the host: code, or why there is none.
//!
//! A kind, a length, a digest, and then the bytes. The end of a pipe alone would not do: a process
//! that is killed in the middle of its answer ends it just so.

use std::io::{self, Read, Write};

use super::{Fault, LARGEST_CODE};

/// Longest reason for a refusal, in bytes.
const LONGEST_REASON: usize = 4096;

/// Code, or a refusal with its reason.
pub(super) type Answer = Result<Vec<u8>, Fault>;

/// Answers.
pub(super) fn write(to: &mut impl Write, answer: Result<&[u8], &str>) -> io::Result<()> {
    let (kind, bytes) = match answer {
        Ok(code) => (0, code),
        Err(reason) => {
            let reason = reason.as_bytes();
            (1, reason.get(..LONGEST_REASON).unwrap_or(reason))
        }
    };
    let length = u64::try_from(bytes.len()).map_err(io::Error::other)?;
    to.write_all(&[kind])?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(digest(bytes).as_bytes())?;
    to.write_all(bytes)?;
    to.flush()
}

/// Reads an answer, and takes no more memory than it has bytes.
///
/// # Errors
/// `UnexpectedEof` where it ends too early; `InvalidData` where it is no answer.
pub(super) fn read(from: &mut impl Read) -> io::Result<Answer> {
    let mut kind = [0; 1];
    let mut length = [0; 8];
    let mut digest_given = [0; blake3::OUT_LEN];
    from.read_exact(&mut kind)?;
    from.read_exact(&mut length)?;
    from.read_exact(&mut digest_given)?;
    let length = u64::from_le_bytes(length);
    if length > LARGEST_CODE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long"));
    }
    let mut bytes = Vec::new();
    let size = usize::try_from(length).map_err(io::Error::other)?;
    bytes.try_reserve_exact(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
    from.take(length).read_to_end(&mut bytes)?;
    if bytes.len() != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if digest(&bytes) != digest_given {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it was damaged on its way"));
    }
    match kind {
        [0] => Ok(Ok(bytes)),
        [1] => Ok(Err(Fault::Refused(String::from_utf8_lossy(&bytes).into_owned()))),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "it is of no known kind")),
    }
}

fn digest(bytes: &[u8]) -> blake3::Hash {
    blake3::Hasher::new().update_rayon(bytes).finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(answer: Result<&[u8], &str>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, answer).unwrap();
        bytes
    }

    #[test]
    fn an_answer_arrives_as_it_was_given() {
        let code = vec![7; 100_000];
        assert_eq!(read(&mut &written(Ok(&code))[..]).unwrap(), Ok(code));
        let refused = Err(Fault::Refused("no".into()));
        assert_eq!(read(&mut &written(Err("no"))[..]).unwrap(), refused);
    }

    #[test]
    fn an_answer_that_ends_early_or_was_changed_is_none() {
        let whole = written(Ok(&[7; 1000]));
        for length in [0, 5, 30, whole.len() - 1] {
            let error = read(&mut &whole[..length]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{length}");
        }
        for place in [0, 8, 20, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[place] ^= 0x40;
            let error = read(&mut &changed[..]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{place}");
        }
    }
}
