// What guests may have of the machine beside the API: files and environment. Interfaces only: host/permissions/ judges.

/** How a file is opened. */
export interface OpenMode {
  readonly read: boolean
  readonly write: boolean
  /** Makes the file when there is none. */
  readonly create?: boolean
  /** There must be none. */
  readonly exclusive?: boolean
  readonly truncate?: boolean
  /** Everything is written at the end. */
  readonly append?: boolean
}

export interface ChangedAttributes {
  readonly mode?: number | undefined
  readonly accessedMs?: number | undefined
  readonly modifiedMs?: number | undefined
}

/** What is known of a file or a directory, in the terms of `stat(2)`; `mtimeMs` in milliseconds since 1970. */
export interface FileStats {
  readonly dev: number
  readonly ino: number
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly rdev: number
  readonly size: number
  readonly blksize: number
  readonly blocks: number
  readonly mtimeMs: number
  readonly atime: Date
  readonly mtime: Date
  readonly ctime: Date
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

/** A regular file of the host. Whoever opened it closes it. */
export interface HostFile {
  /** @returns how many bytes; 0 at the end. @throws FileError */
  read(into: Uint8Array, position: number): number
  /** Writes all of it; with `append` the position does not count. @throws FileError */
  write(bytes: Uint8Array, position: number): void
  stat(): FileStats
  /** @throws FileError */
  truncate(size: number): void
  close(): void
}

/**
 * The files that the guests of one interpreter may have. Paths may be relative to the server's directory. Every function throws
 * FileError, and tells nothing of what lies elsewhere, not even whether it exists.
 */
export interface GuestFiles {
  /** Lets the guests read what lies in a directory: that of an app. */
  show(directory: string): void
  /** Something that may be read lies there, or below. The path is without links. */
  isVisible(path: string): boolean
  /** @param isFollowing false: a symbolic link is refused */
  open(path: string, mode: OpenMode, isFollowing?: boolean): HostFile
  stat(path: string, isFollowing?: boolean): FileStats
  /** Names, in no order. */
  list(path: string): string[]
  readLink(path: string): string
  /** A file, or a directory with nothing in it. */
  remove(path: string): void
  rename(from: string, to: string): void
  makeDirectory(path: string): void
  /** Permissions and times of a file or directory; a link is refused. */
  change(path: string, attributes: ChangedAttributes): void
}

/** What the configuration gives to guests. */
export interface GuestAccess {
  /** `--sandbox`: guests act on nothing but what they were given. */
  readonly isSandboxed: boolean
  /** Variables of the server's environment, by their names. */
  readonly environment: ReadonlyMap<string, string>
  /** Files and directories of `--allow-read` and `--allow-write`, absolute. */
  readonly roots: readonly string[]
  /** For an interpreter. */
  openFiles(): GuestFiles
  /** Whether a file, which need not exist, is one that some guest of the server may read. */
  mayRead(path: string): boolean
  mayWrite(path: string): boolean
}
