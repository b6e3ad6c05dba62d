// What of the machine JavaScript guests may have: files and environment, as host functions for guest/files.js. Whether they may is
// judged by the host (GuestFiles); errors carry the system's name of what is wrong.
import type { GuestFiles } from '../../host/api/guest-access.ts'
import { FileError } from '../../host/errors.ts'
import type { Converter } from './convert.ts'
import type { Pointer, RawFunction } from './engine.ts'
import { GuestThrow } from './errors.ts'
import { wantText } from './host-text.ts'

/** Names of the modules; guests import them beside `uwsgi`. */
export const filesModuleName = 'uwsgi/fs'
export const environmentModuleName = 'uwsgi/env'

/** What `uwsgi/fs` exports by name. */
export const fileMembers = ['readFile', 'writeFile', 'appendFile', 'stat', 'readdir', 'mkdir', 'remove', 'rename']

const kinds = { file: 'file', directory: 'directory', other: 'other' } as const

export interface FilesParts {
  readonly files: GuestFiles
  readonly environment: ReadonlyMap<string, string>
  /** Bytes of the interpreter's memory: no file that is larger fits. */
  readonly memoryLimit: number
}

export const fileFunctions = (
  converter: Converter,
  { files, environment, memoryLimit }: FilesParts,
): Record<string, RawFunction> => {
  const path = (argv: Pointer, index = 0): string => wantText(converter.text(argv + index * 8))
  const refusing =
    (serve: RawFunction): RawFunction =>
    (argc, argv) => {
      try {
        return serve(argc, argv)
      } catch (error) {
        if (error instanceof FileError) throw new GuestThrow('UwsgiError', error.message, error.errno)
        throw error
      }
    }
  const write = (argv: Pointer, append: boolean): Pointer => {
    // A view of the interpreter's memory: nothing is called in there before it has been written.
    const file = files.open(path(argv), { read: false, write: true, create: true, truncate: !append, append })
    try {
      file.write(converter.bytes(argv + 8) ?? new Uint8Array(0), 0)
    } finally {
      file.close()
    }
    return 0
  }

  return {
    /** path, offset, length (below 0: to the end) */
    readFile: refusing((_argc, argv) => converter.newBuffer(readPart(files, path(argv), partAt(converter, argv), memoryLimit))),
    writeFile: refusing((_argc, argv) => write(argv, false)),
    appendFile: refusing((_argc, argv) => write(argv, true)),
    /** kind, size, milliseconds of the last change */
    statFile: refusing((_argc, argv) => {
      const stats = files.stat(path(argv))
      const kind = stats.isFile() ? kinds.file : stats.isDirectory() ? kinds.directory : kinds.other
      return converter.newList([kind, stats.size, Math.floor(stats.mtimeMs)])
    }),
    listFiles: refusing((_argc, argv) => converter.newList(files.list(path(argv)).sort())),
    makeDirectory: refusing((_argc, argv) => {
      files.makeDirectory(path(argv))
      return 0
    }),
    removeFile: refusing((_argc, argv) => {
      files.remove(path(argv))
      return 0
    }),
    renameFile: refusing((_argc, argv) => {
      files.rename(path(argv), path(argv, 1))
      return 0
    }),
    /** names and values in turn */
    environment: () => converter.newList([...environment].flat()),
  }
}

interface Part {
  readonly offset: number
  readonly length: number
}

const partAt = (converter: Converter, argv: Pointer): Part => {
  const number = (index: number): number => {
    const value = converter.value(argv + index * 8)
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : -1
  }
  return { offset: Math.max(0, number(1)), length: number(2) }
}

const readPart = (files: GuestFiles, path: string, { offset, length }: Part, most: number): Uint8Array => {
  const file = files.open(path, { read: true, write: false })
  try {
    const rest = Math.max(0, file.stat().size - offset)
    const wanted = length < 0 ? rest : Math.min(length, rest)
    if (wanted > most) throw new FileError(path, 'EFBIG', `its ${wanted} bytes do not fit into the memory of this interpreter`)
    const bytes = new Uint8Array(wanted)
    let done = 0
    while (done < wanted) {
      const count = file.read(bytes.subarray(done), offset + done)
      // It has been cut meanwhile.
      if (count === 0) break
      done += count
    }
    return bytes.subarray(0, done)
  } finally {
    file.close()
  }
}
