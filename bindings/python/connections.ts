// Connections that tasks of the main loop open (guest/transports.py): the thread's own, since they may outlive the request
// that opened them.
// Invariant: only descriptors that were opened here are read, written and closed here.
import type { ApiContext } from '../../host/api/context.ts'
import { ApiArgumentError } from '../../host/errors.ts'
import type { Pointer, PythonApi } from './capi.ts'
import type { EventLoop } from './event-loop.ts'
import type { HostFunctionDefinition } from './host-function.ts'
import type { Interpreter } from './runtime.ts'

/** What a timer can count: tasks have time limits of their own. */
const longestMs = 2_147_000_000
const longestConnectSeconds = 86_400
const mostReceived = 1024 * 1024

export class LoopConnections {
  readonly #interpreter: Interpreter
  readonly #loop: EventLoop
  readonly #server: Pick<ApiContext, 'connections' | 'master'>
  readonly #own = new Set<number>()

  constructor(interpreter: Interpreter, loop: EventLoop, server: Pick<ApiContext, 'connections' | 'master'>) {
    this.#interpreter = interpreter
    this.#loop = loop
    this.#server = server
  }

  definitions(): HostFunctionDefinition[] {
    const { api } = this.#interpreter
    const { c } = api
    const word = (args: Pointer, index: number): Pointer => api.words[(args >> 2) + index]!
    return [
      {
        name: 'connect_to',
        doc: 'connect_to(address, seconds)\n--\n\nThe number of an operation: it ends with a descriptor, or -1.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          const address = api.strText(word(args, 0))
          const seconds = c.PyLong_AsLongAndOverflow(word(args, 1), api.out)
          if (address === undefined || (seconds === -1 && c.PyErr_Occurred() !== 0)) return 0
          const timeoutMs = Math.max(1, Math.min(seconds, longestConnectSeconds)) * 1000
          return this.#later(
            () => this.#server.connections.connect(address, timeoutMs).promise(),
            (_, fd) => {
              if (fd >= 0) this.#own.add(fd)
              return c.PyLong_FromLong(fd)
            },
          )
        },
      },
      {
        name: 'receive_from',
        doc: 'receive_from(fd, size)\n--\n\nThe number of an operation: it ends with bytes, none at the end.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          const fd = this.#fd(word(args, 0))
          const size = c.PyLong_AsLongAndOverflow(word(args, 1), api.out)
          if (fd === undefined || (size === -1 && c.PyErr_Occurred() !== 0)) return 0
          const max = Math.max(1, Math.min(size, mostReceived))
          return this.#later(
            () => this.#server.master.callAsync('recv', { fd, max, timeoutMs: longestMs }),
            (_, bytes) => api.newBytes(bytes ?? nothing),
          )
        },
      },
      {
        name: 'send_to',
        doc: 'send_to(fd, data)\n--\n\nThe number of an operation: it ends with True when the data were taken, False when nobody is there.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          const data = api.bytesView(word(args, 1))
          const fd = data === undefined ? undefined : this.#fd(word(args, 0))
          if (data === undefined || fd === undefined) return 0
          const copy = data.slice()
          return this.#later(
            () => this.#server.master.callAsync('send', { fd, data: copy, timeoutMs: longestMs }),
            (_, isTaken) => (isTaken ? api.true : api.false),
          )
        },
      },
      {
        name: 'close_connection',
        doc: 'close_connection(fd)\n--\n\nCloses a connection; what was written still leaves.',
        takes: 'one',
        call: (_self, fdObject) => {
          const fd = this.#fd(fdObject)
          if (fd === undefined) return 0
          this.#own.delete(fd)
          this.#server.connections.close(fd)
          return api.none
        },
      },
    ]
  }

  /** Undefined, with an exception set, for what is none of ours. */
  #fd(object: Pointer): number | undefined {
    const { api } = this.#interpreter
    const fd = api.c.PyLong_AsLongAndOverflow(object, api.out)
    if (fd === -1 && api.c.PyErr_Occurred() !== 0) return undefined
    if (this.#own.has(fd)) return fd
    api.raise('osError', `descriptor ${fd} is no connection of the event loop`)
    return undefined
  }

  #later<T>(begin: () => T | Promise<T>, make: (api: PythonApi, value: T) => Pointer): Pointer {
    const { api } = this.#interpreter
    // Begun after this entry, when no request is the current one: its connections would end with it.
    return this.#loop.operation(Promise.resolve().then(begin), make, (error) =>
      api.exception(error instanceof ApiArgumentError ? 'valueError' : 'osError'),
    )
  }
}

const nothing = new Uint8Array(0)
