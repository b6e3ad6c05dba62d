// What is said of a file that a guest does not get, in words that are the same in every language and on every system.
import { FileError } from '../errors.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'part of the path is no directory',
  EISDIR: 'it is a directory',
  EEXIST: 'it exists already',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOTEMPTY: 'the directory is not empty',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'a name is too long',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  EXDEV: 'it lies on another file system',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open on this machine',
  EBADF: 'it was not opened for that',
  EINVAL: 'invalid argument',
  EBUSY: 'it is in use',
}

export const fault = (path: string, errno: string, reason: string): FileError => new FileError(path, errno, reason)

/** Of an error of Node's; one of ours stays as it is. No path of the host is in it that the guest has not named. */
export const systemFault = (path: string, error: unknown): FileError => {
  if (error instanceof FileError) return error
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  return new FileError(path, code, reasons[code] ?? code)
}
