// The guest's file system: a small one in memory with a quota, the standard library as one read-only file, standard
// streams that lead to the log, and directories of the host at their own paths, read-only but for what --allow-write names.
// Invariant: no descriptor a guest can get writes anywhere but into the quota, the log, or what the operator allows.
import { realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Log } from '../../host/api/context.ts'
import type { GuestFiles } from '../../host/api/guest-access.ts'
import { LineJoiner } from '../../host/plugin/line-joiner.ts'
import type { EmscriptenModule, FileNode, FileSystemType, MemoryFileSystem, StreamOperations } from './emscripten.ts'
import { hostDirectoryType, hostPath, writeAccess } from './host-directory.ts'

const EROFS = 69
const ENOSPC = 51

/** Fixed, since the code objects in the zip name their files by it. */
export const stdlibPath = '/lib/python314.zip'
export const homePath = '/home/python'

/** Files in memory lie outside the interpreter's own capped memory, so they have limits of their own. */
const quotaBytes = 64 * 1024 * 1024
const quotaNodes = 20_000

/** Before the interpreter starts: directories and the standard library. */
export const layOutFiles = (module: EmscriptenModule, stdlib: SharedArrayBuffer): void => {
  const { FS } = module
  FS.mkdirTree(homePath)
  FS.mkdirTree(dirname(stdlibPath))
  FS.writeFile(stdlibPath, new Uint8Array(0))
  const { node } = FS.lookupPath(stdlibPath)
  node.contents = new Uint8Array(stdlib)
  node.usedBytes = stdlib.byteLength
  // The bytes are shared by all workers: one that writes there would change the library of the others.
  const refuse = (): never => {
    throw new FS.ErrnoError(EROFS)
  }
  node.node_ops = { ...node.node_ops, setattr: refuse }
  const refuseWriting: StreamOperations['open'] = ({ flags }) => {
    if ((flags & writeAccess) !== 0) refuse()
  }
  node.stream_ops = { ...node.stream_ops, open: refuseWriting, write: refuse, msync: refuse }
  FS.chdir(homePath)
}

/** Standard input is at its end; standard output and error go to the log line by line. */
export class StandardStreams {
  readonly #output: LineJoiner
  readonly #errors: LineJoiner

  constructor(module: EmscriptenModule, log: Log) {
    const { FS } = module
    this.#output = new LineJoiner(log)
    this.#errors = new LineJoiner(log)
    // /dev/tty (5,0) is what stdin and stdout are links to, /dev/tty1 (6,0) is stderr's.
    FS.registerDevice(FS.makedev(5, 0), device(this.#output))
    FS.registerDevice(FS.makedev(6, 0), device(this.#errors))
    for (const [fd, path] of ['/dev/stdin', '/dev/stdout', '/dev/stderr'].entries()) {
      FS.close(FS.streams[fd]!)
      FS.open(path, fd === 0 ? 0 : 1)
    }
  }

  /** Writes out lines that were begun and never ended. */
  flush(): void {
    this.#output.flush()
    this.#errors.flush()
  }
}

const device = (lines: LineJoiner): StreamOperations => ({
  read: () => 0,
  write: (_stream, buffer, offset, length) => {
    lines.write(new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length))
    return length
  },
})

/** Holds the files in memory to their quota: ENOSPC beyond it. */
export const limitMemoryFiles = (module: EmscriptenModule): void => {
  const { FS } = module
  const { MEMFS } = FS.filesystems
  let usedBytes = 0
  let nodes = 0

  // The counters only rise; what has been deleted since is found by counting again when a limit seems reached.
  const recount = (): void => {
    const seen = new Set<FileNode>()
    const visit = (node: FileNode): void => {
      if (seen.has(node)) return
      seen.add(node)
      if (FS.isDir(node.mode) && !(node.contents instanceof Uint8Array)) Object.values(node.contents ?? {}).forEach(visit)
    }
    visit(FS.root)
    for (const stream of FS.streams) if (stream) visit(stream.node)
    nodes = seen.size
    usedBytes = 0
    for (const node of seen) usedBytes += ownedBytes(node)
  }
  const assertRoom = (bytes: number, newNodes: number): void => {
    if (usedBytes + bytes <= quotaBytes && nodes + newNodes <= quotaNodes) return
    recount()
    if (usedBytes + bytes > quotaBytes || nodes + newNodes > quotaNodes) throw new FS.ErrnoError(ENOSPC)
  }
  const resized = <T>(node: FileNode, size: number, operation: () => T): T => {
    const before = ownedBytes(node)
    if (size > before) assertRoom(size - before, 0)
    const result = operation()
    usedBytes += Math.max(0, ownedBytes(node) - before)
    return result
  }

  const { createNode, resizeFileStorage } = MEMFS
  const { write } = MEMFS.stream_ops as Required<StreamOperations>
  const limitedWrite: StreamOperations['write'] = (stream, buffer, offset, length, position, canOwn) =>
    resized(stream.node, position + length, () => write(stream, buffer, offset, length, position, canOwn))
  const limited: Partial<MemoryFileSystem> = {
    createNode(parent, name, mode, dev) {
      assertRoom(0, 1)
      nodes += 1
      return createNode(parent, name, mode, dev)
    },
    resizeFileStorage: (node, size) => resized(node, size, () => resizeFileStorage(node, size)),
  }
  Object.assign(MEMFS, limited)
  MEMFS.stream_ops.write = limitedWrite
  MEMFS.ops_table.file.stream.write = limitedWrite
}

const ownedBytes = (node: FileNode): number =>
  node.contents instanceof Uint8Array && node.contents.buffer instanceof ArrayBuffer ? node.contents.length : 0

/** Paths that the guest's own system needs: a host directory there would hide it. */
const reserved = ['/', '/dev', '/proc', '/lib', '/home', homePath]

/** Mounts host directories, each once, at the path it has on the host: tracebacks then show real paths. */
export class HostMounts {
  readonly #module: EmscriptenModule
  readonly #files: GuestFiles
  readonly #type: FileSystemType
  readonly #mounted: string[] = []

  constructor(module: EmscriptenModule, files: GuestFiles) {
    this.#module = module
    this.#files = files
    this.#type = hostDirectoryType(module, files)
  }

  /**
   * Mounts what `--allow-read` and `--allow-write` name. Of a file the directory is mounted, in which nothing else is visible.
   * @throws Error with the reason
   */
  addRoot(path: string): void {
    const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    this.#mount(isDirectory ? path : dirname(path))
  }

  /**
   * @param directory absolute
   * @throws Error with the reason, when there is no such directory or it cannot be mounted at its path
   */
  add(directory: string): void {
    this.#files.show(directory)
    this.#mount(directory)
  }

  #mount(directory: string): void {
    if (this.#isMounted(directory)) return
    if (reserved.includes(directory))
      throw new Error(`the directory ${directory} cannot be shown to Python: its own system is there`)
    const root = realpathSync(directory)
    this.#module.FS.mkdirTree(directory)
    this.#module.FS.mount(this.#type, { root }, directory)
    this.#mounted.push(directory)
  }

  #isMounted(directory: string): boolean {
    return this.#mounted.some((mounted) => directory === mounted || directory.startsWith(`${mounted}/`))
  }

  /** The host's file behind a guest's descriptor; undefined for one that lies in the guest's memory. */
  fileOf(fd: number): { readonly path: string; readonly dev: number; readonly ino: number } | undefined {
    const stream = this.#module.FS.streams[fd]
    if (stream?.hostFile === undefined) return undefined
    try {
      const { dev, ino } = stream.hostFile.stat()
      return { path: hostPath(stream.node), dev, ino }
    } catch {
      return undefined
    }
  }

  /** Makes `directory` the guest's working directory if it sees it. */
  enter(directory: string): void {
    try {
      if (this.#isMounted(directory) && this.#files.isVisible(realpathSync(directory))) this.#module.FS.chdir(directory)
    } catch {
      // It is gone: the guest stays where it is.
    }
  }
}
