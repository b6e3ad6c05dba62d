// The part of Emscripten's glue that we use: the factory's settings, the file system, and what a node of it looks like.
// Pyodide's own JavaScript layer is never started, only this glue below it.
import type { HostFile } from '../../host/api/guest-access.ts'
import type { WasmImports, WasmInstance, WasmModule } from '../../host/plugin/web-assembly.ts'

/** What is thrown inside file operations: Emscripten turns it into the errno of the system call. */
export interface ErrnoError extends Error {
  readonly errno: number
}

export interface FileAttributes {
  mode?: number
  size?: number
  /** Milliseconds since the epoch. */
  atime?: number
  mtime?: number
}

/** As stat() gives it. */
export interface FileStatus {
  dev: number
  ino: number
  mode: number
  nlink: number
  uid: number
  gid: number
  rdev: number
  size: number
  atime: Date
  mtime: Date
  ctime: Date
  blksize: number
  blocks: number
}

export interface FileNode {
  readonly id: number
  name: string
  mode: number
  parent: FileNode
  mount: { opts: { root: string } }
  node_ops: NodeOperations
  stream_ops: StreamOperations
  /** MEMFS: the entries of a directory, or the bytes of a file (longer than the file; `usedBytes` counts). */
  contents?: Uint8Array | Record<string, FileNode>
  usedBytes?: number
}

export interface FileStream {
  readonly node: FileNode
  readonly flags: number
  position: number
  stream_ops: StreamOperations
  /** Shared by descriptors made with dup(). */
  shared: { refcount?: number }
  /** Ours: the host's file. */
  hostFile?: HostFile
}

export interface NodeOperations {
  getattr?(node: FileNode): FileStatus
  setattr?(node: FileNode, attributes: FileAttributes): void
  lookup?(parent: FileNode, name: string): FileNode
  readdir?(node: FileNode): string[]
  readlink?(node: FileNode): string
  mknod?(parent: FileNode, name: string, mode: number, device: number): FileNode
  rename?(node: FileNode, newParent: FileNode, newName: string): void
  unlink?(parent: FileNode, name: string): void
  rmdir?(parent: FileNode, name: string): void
  symlink?(parent: FileNode, name: string, target: string): FileNode
}

export interface StreamOperations {
  open?(stream: FileStream): void
  close?(stream: FileStream): void
  dup?(stream: FileStream): void
  read?(stream: FileStream, buffer: Uint8Array, offset: number, length: number, position: number): number
  write?(stream: FileStream, buffer: Uint8Array, offset: number, length: number, position: number, canOwn?: boolean): number
  llseek?(stream: FileStream, offset: number, whence: number): number
  setattr?(stream: FileStream, attributes: FileAttributes): void
  mmap?(
    stream: FileStream,
    length: number,
    position: number,
    protection: number,
    flags: number,
  ): { ptr: number; allocated: boolean }
  msync?(stream: FileStream, buffer: Uint8Array, offset: number, length: number, flags: number): number
}

export interface FileSystemType {
  mount(mount: { opts: { root: string } }): FileNode
}

export interface MemoryFileSystem {
  readonly ops_table: { readonly file: { readonly stream: StreamOperations } }
  readonly stream_ops: StreamOperations
  createNode(parent: FileNode | null, name: string, mode: number, device: number): FileNode
  resizeFileStorage(node: FileNode, size: number): void
}

export interface FileSystem {
  readonly ErrnoError: new (errno: number) => ErrnoError
  readonly filesystems: { readonly MEMFS: MemoryFileSystem }
  readonly root: FileNode
  readonly streams: (FileStream | null | undefined)[]
  readonly chrdev_stream_ops: StreamOperations
  mkdirTree(path: string): void
  writeFile(path: string, data: Uint8Array): void
  lookupPath(path: string, options?: { follow_mount?: boolean }): { node: FileNode }
  mount(type: FileSystemType, options: { root: string }, path: string): FileNode
  createNode(parent: FileNode | null, name: string, mode: number, device?: number): FileNode
  registerDevice(device: number, operations: StreamOperations): void
  makedev(major: number, minor: number): number
  chdir(path: string): void
  open(path: string, flags: number): FileStream
  close(stream: FileStream): void
  isDir(mode: number): boolean
  isFile(mode: number): boolean
  isLink(mode: number): boolean
}

export interface EmscriptenModule {
  readonly FS: FileSystem
  readonly ENV: Record<string, string | undefined>
  /** `ENOENT` to Emscripten's number of it. */
  readonly ERRNO_CODES: Record<string, number>
  /** Grows the memory to at least `size` bytes and renews the glue's own views. */
  growMemory(size: number): number | undefined
  mmapAlloc(size: number): number
  readonly HEAP8: Int8Array
}

export interface EmscriptenSettings {
  readonly noInitialRun: true
  readonly thisProgram: string
  readonly arguments: string[]
  readonly API: object
  readonly preRun: ((module: EmscriptenModule) => void)[]
  print(line: string): void
  printErr(line: string): void
  locateFile(name: string): string
  instantiateWasm(imports: WasmImports, done: (instance: WasmInstance, module: WasmModule) => void): object
}

export type EmscriptenFactory = (settings: EmscriptenSettings) => Promise<EmscriptenModule>
