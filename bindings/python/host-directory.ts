// A directory of the host, seen by a guest at a path of the virtual file system. What of it the guest may read, and what it may
// change, is judged by the host (GuestFiles), file by file. Symbolic links are handed to the guest as links and resolve inside its
// own tree, so one that leads out of the mounted directories leads nowhere.
// Invariant: every host path is the mount's root plus names that were looked up one by one; none was made by the guest.
import { join } from 'node:path'
import type { FileStats, GuestFiles, HostFile } from '../../host/api/guest-access.ts'
import { FileError } from '../../host/errors.ts'
import type { EmscriptenModule, FileNode, FileStatus, FileSystemType, NodeOperations, StreamOperations } from './emscripten.ts'

// Emscripten's errno numbers (those of WASI).
const EINVAL = 28
const EIO = 29
const ENOENT = 44
const EPERM = 63
const EROFS = 69

// Linux's flags, which are Emscripten's.
/** O_ACCMODE: anything but O_RDONLY. */
export const writeAccess = 3
const O_WRONLY = 1
const O_CREAT = 0o100

/** Where a node of a host directory is on the host. */
export const hostPath = (node: FileNode): string => {
  const names: string[] = []
  let at = node
  for (; at.parent !== at; at = at.parent) names.push(at.name)
  return join(at.mount.opts.root, ...names.reverse())
}

export const hostDirectoryType = (module: EmscriptenModule, files: GuestFiles): FileSystemType => {
  const { FS, ERRNO_CODES } = module

  // Only an ErrnoError may leave a file operation: any other exception would tear down the interpreter.
  const attempt = <T>(operation: () => T): T => {
    try {
      return operation()
    } catch (error) {
      if (error instanceof FS.ErrnoError) throw error
      if (!(error instanceof FileError)) throw new FS.ErrnoError(EIO)
      // A file that may be read and not changed is, to a program, one of a read-only file system.
      const isReadOnly = error.code === 'API_REFUSED' && error.reason.endsWith('(allow-write)')
      throw new FS.ErrnoError(isReadOnly ? EROFS : (ERRNO_CODES[error.errno] ?? EIO))
    }
  }

  const refuse = (): never => {
    throw new FS.ErrnoError(EPERM)
  }

  const makeNode = (parent: FileNode | null, name: string, mode: number): FileNode => {
    // Devices, sockets and named pipes of the host are not for guests: opening one may block or have effects.
    if (!FS.isDir(mode) && !FS.isFile(mode) && !FS.isLink(mode)) throw new FS.ErrnoError(EINVAL)
    const node = FS.createNode(parent, name, mode)
    node.node_ops = nodeOperations
    node.stream_ops = streamOperations
    return node
  }

  /** What may be seen: on the way to a file that is allowed no more than the directories it lies in. */
  const visible = (path: string): string => {
    if (!files.isVisible(path)) throw new FS.ErrnoError(ENOENT)
    return path
  }

  const truncate = (node: FileNode, size: number): void =>
    attempt(() => {
      const file = files.open(hostPath(node), { read: false, write: true }, false)
      try {
        file.truncate(size)
      } finally {
        file.close()
      }
    })

  const nodeOperations: NodeOperations = {
    getattr: (node) =>
      attributes(
        node,
        attempt(() => files.stat(hostPath(node), false)),
      ),
    lookup: (parent, name) =>
      makeNode(parent, name, attempt(() => files.stat(visible(join(hostPath(parent), name)), false)).mode),
    readdir: (node) => attempt(() => ['.', '..', ...files.list(hostPath(node))]),
    readlink: (node) => attempt(() => files.readLink(hostPath(node))),
    setattr(node, { size, mode, atime, mtime }) {
      if (size === undefined) attempt(() => files.change(hostPath(node), { mode, accessedMs: atime, modifiedMs: mtime }))
      else truncate(node, size)
    },
    mknod(parent, name, mode) {
      const path = join(hostPath(parent), name)
      attempt(() => {
        if (FS.isDir(mode)) files.makeDirectory(path)
        else if (FS.isFile(mode)) files.open(path, { read: false, write: true, create: true, exclusive: true }, false).close()
        else refuse()
      })
      return makeNode(parent, name, mode)
    },
    rename(node, newParent, newName) {
      attempt(() => files.rename(hostPath(node), join(hostPath(newParent), newName)))
      node.name = newName
    },
    unlink: (parent, name) => attempt(() => files.remove(join(hostPath(parent), name))),
    rmdir: (parent, name) => attempt(() => files.remove(join(hostPath(parent), name))),
    // A link that a guest makes would be followed by whoever comes by it.
    symlink: refuse,
  }

  const hostFile = ({ hostFile: file }: { hostFile?: HostFile }): HostFile => {
    if (file === undefined) throw new FS.ErrnoError(ERRNO_CODES['EISDIR'] ?? EIO)
    return file
  }

  const streamOperations: StreamOperations = {
    open(stream) {
      stream.shared.refcount = 1
      const access = stream.flags & writeAccess
      if (FS.isDir(stream.node.mode)) {
        if (access !== 0) throw new FS.ErrnoError(ERRNO_CODES['EISDIR'] ?? EIO)
        return
      }
      // The file may have been replaced on the host since it was looked up: no link is followed then.
      const mode = { read: access !== O_WRONLY, write: access !== 0, create: access !== 0 && (stream.flags & O_CREAT) !== 0 }
      stream.hostFile = attempt(() => files.open(hostPath(stream.node), mode, false))
    },
    close(stream) {
      stream.shared.refcount = (stream.shared.refcount ?? 1) - 1
      if (stream.shared.refcount === 0) attempt(() => stream.hostFile?.close())
    },
    dup(stream) {
      stream.shared.refcount = (stream.shared.refcount ?? 1) + 1
    },
    read: (stream, buffer, offset, length, position) =>
      attempt(() => hostFile(stream).read(bytesAt(buffer, offset, length), position)),
    write: (stream, buffer, offset, length, position) =>
      attempt(() => {
        hostFile(stream).write(bytesAt(buffer, offset, length), position)
        return length
      }),
    llseek(stream, offset, whence) {
      let base = 0
      if (whence === 1) base = stream.position
      else if (whence === 2 && stream.hostFile !== undefined) base = attempt(() => hostFile(stream).stat().size)
      if (base + offset < 0) throw new FS.ErrnoError(EINVAL)
      return base + offset
    },
    mmap(stream, length, position) {
      const ptr = module.mmapAlloc(length)
      if (ptr === 0) throw new FS.ErrnoError(ERRNO_CODES['ENOMEM'] ?? EIO)
      attempt(() => hostFile(stream).read(new Uint8Array(module.HEAP8.buffer, ptr, length), position))
      return { ptr, allocated: true }
    },
    // What of a shared mapping has changed.
    msync: (stream, buffer, offset, length) =>
      attempt(() => {
        hostFile(stream).write(bytesAt(buffer, 0, length), offset)
        return 0
      }),
  }

  return { mount: ({ opts }) => makeNode(null, '/', attempt(() => files.stat(visible(opts.root), false)).mode) }
}

/** The interpreter's memory has other views in the glue. */
const bytesAt = (buffer: Uint8Array, offset: number, length: number): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length)

const attributes = (node: FileNode, stat: FileStats): FileStatus => ({
  dev: stat.dev,
  ino: node.id,
  mode: stat.mode,
  nlink: stat.nlink,
  uid: stat.uid,
  gid: stat.gid,
  rdev: stat.rdev,
  size: stat.size,
  atime: stat.atime,
  mtime: stat.mtime,
  ctime: stat.ctime,
  blksize: stat.blksize,
  blocks: stat.blocks,
})
