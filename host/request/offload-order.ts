// What a worker asks the master to do with a response that it hands over: an engine, as uWSGI calls them, and what it needs.
// Crosses to the master as JSON, with a parcel of bytes beside it where the engine takes some.

/** uWSGI's `sendfile`. The file is told by device and inode: another one that has taken its place is not sent. */
export interface SendfileOrder {
  readonly engine: 'sendfile'
  /** Without links. */
  readonly path: string
  readonly dev: number
  readonly ino: number
  /** Bytes. */
  readonly offset: number
  readonly length: number
}

/** uWSGI's `memory`: the parcel is the body. */
export interface MemoryOrder {
  readonly engine: 'memory'
}

/** uWSGI's `net`: connects, writes the parcel, and what comes back is the body; without a head it is the whole response. */
export interface NetOrder {
  readonly engine: 'net'
  readonly address: string
  /** How long the other side may be silent. */
  readonly timeoutMs: number
}

/** uWSGI's `pipe`: the same with a connection that the thread has opened with `uwsgi.connect`. */
export interface PipeOrder {
  readonly engine: 'pipe'
  readonly fd: number
  readonly timeoutMs: number
}

/** The answer of an RPC function is the body. */
export interface RpcOrder {
  readonly engine: 'rpc'
  readonly name: string
  /** One Latin-1 character per byte. */
  readonly args: readonly string[]
}

export type OffloadOrder = SendfileOrder | MemoryOrder | NetOrder | PipeOrder | RpcOrder
