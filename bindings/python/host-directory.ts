// A directory of the host, seen by a guest at a path of the virtual file system: read-only by construction, since nothing
// here writes. Symbolic links are handed to the guest as links and resolve inside its own tree, so one that leads out of
// the mounted directories leads nowhere.
// Invariant: every host path is the mount's root plus names that were looked up one by one; none was made by the guest.
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import type { EmscriptenModule, FileNode, FileStatus, FileSystemType, NodeOperations, StreamOperations } from './emscripten.ts'

// Emscripten's errno numbers (those of WASI).
const EINVAL = 28
const EIO = 29
const EROFS = 69

/** Linux's O_ACCMODE: anything but O_RDONLY. */
export const writeAccess = 3

/** Where a node of a host directory is on the host. */
export const hostPath = (node: FileNode): string => {
  const names: string[] = []
  let at = node
  for (; at.parent !== at; at = at.parent) names.push(at.name)
  return join(at.mount.opts.root, ...names.reverse())
}

export const hostDirectoryType = (module: EmscriptenModule): FileSystemType => {
  const { FS, ERRNO_CODES } = module

  // Only an ErrnoError may leave a file operation: any other exception would tear down the interpreter.
  const attempt = <T>(operation: () => T): T => {
    try {
      return operation()
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      throw new FS.ErrnoError((code === undefined ? undefined : ERRNO_CODES[code]) ?? EIO)
    }
  }

  const refuse = (): never => {
    throw new FS.ErrnoError(EROFS)
  }

  const makeNode = (parent: FileNode | null, name: string, mode: number): FileNode => {
    // Devices, sockets and named pipes of the host are not for guests: opening one may block or have effects.
    if (!FS.isDir(mode) && !FS.isFile(mode) && !FS.isLink(mode)) throw new FS.ErrnoError(EINVAL)
    const node = FS.createNode(parent, name, mode)
    node.node_ops = nodeOperations
    node.stream_ops = streamOperations
    return node
  }

  const nodeOperations: NodeOperations = {
    getattr: (node) =>
      attributes(
        node,
        attempt(() => lstatSync(hostPath(node))),
      ),
    lookup: (parent, name) => makeNode(parent, name, attempt(() => lstatSync(join(hostPath(parent), name))).mode),
    readdir: (node) => ['.', '..', ...attempt(() => readdirSync(hostPath(node)))],
    readlink: (node) => attempt(() => readlinkSync(hostPath(node))),
    setattr: refuse,
    mknod: refuse,
    rename: refuse,
    unlink: refuse,
    rmdir: refuse,
    symlink: refuse,
  }

  const streamOperations: StreamOperations = {
    open(stream) {
      if ((stream.flags & writeAccess) !== 0) refuse()
      stream.shared.refcount = 1
      if (FS.isDir(stream.node.mode)) return
      // The file may have been replaced on the host since it was looked up: follow no link then, wait for no pipe.
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
      stream.hostFd = attempt(() => openSync(hostPath(stream.node), flags))
    },
    close(stream) {
      stream.shared.refcount = (stream.shared.refcount ?? 1) - 1
      const { hostFd } = stream
      if (stream.shared.refcount === 0 && hostFd !== undefined) attempt(() => closeSync(hostFd))
    },
    dup(stream) {
      stream.shared.refcount = (stream.shared.refcount ?? 1) + 1
    },
    read: (stream, buffer, offset, length, position) => attempt(() => readSync(stream.hostFd!, buffer, offset, length, position)),
    llseek(stream, offset, whence) {
      let base = 0
      if (whence === 1) base = stream.position
      else if (whence === 2 && stream.hostFd !== undefined) base = attempt(() => fstatSync(stream.hostFd!).size)
      if (base + offset < 0) throw new FS.ErrnoError(EINVAL)
      return base + offset
    },
    mmap(stream, length, position) {
      const ptr = module.mmapAlloc(length)
      if (ptr === 0) throw new FS.ErrnoError(ERRNO_CODES['ENOMEM'] ?? EIO)
      const heap = new Uint8Array(module.HEAP8.buffer)
      attempt(() => readSync(stream.hostFd!, heap, ptr, length, position))
      return { ptr, allocated: true }
    },
    write: refuse,
    setattr: refuse,
    msync: refuse,
  }

  return { mount: ({ opts }) => makeNode(null, '/', attempt(() => lstatSync(opts.root)).mode) }
}

const attributes = (node: FileNode, stat: Stats): FileStatus => ({
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
