// The modules `uwsgi/fs` and `uwsgi/env` of JavaScript guests, beside uwsgi.d.ts: files and environment as far as the server allows
// them (--allow-read, --allow-write, --allow-env; the directory of the app may be read). Everything is synchronous.

/** Every function throws UwsgiError; its `code` is the system's: ENOENT, EACCES for what is not allowed, ENOSPC... */
declare module 'uwsgi/fs' {
  interface Stats {
    readonly type: 'file' | 'directory' | 'other'
    /** Bytes. */
    readonly size: number
    readonly modified: Date
  }

  interface Files {
    /** The bytes of a file, or of a part of it; `String(bytes)` is their UTF-8 decoding. */
    readonly readFile: (path: string, offset?: number, length?: number) => UwsgiBytes
    /** Makes the file, or replaces what is in it. */
    readonly writeFile: (path: string, data: string | ArrayBuffer | ArrayBufferView) => void
    /** Makes the file, or adds to its end. */
    readonly appendFile: (path: string, data: string | ArrayBuffer | ArrayBufferView) => void
    readonly stat: (path: string) => Stats
    /** The names in a directory, sorted. */
    readonly readdir: (path: string) => string[]
    readonly mkdir: (path: string) => void
    /** Removes a file, or a directory with nothing in it. */
    readonly remove: (path: string) => void
    readonly rename: (from: string, to: string) => void
  }

  export const readFile: Files['readFile']
  export const writeFile: Files['writeFile']
  export const appendFile: Files['appendFile']
  export const stat: Files['stat']
  export const readdir: Files['readdir']
  export const mkdir: Files['mkdir']
  export const remove: Files['remove']
  export const rename: Files['rename']
  const fs: Files
  export default fs
}

declare module 'uwsgi/env' {
  /** The variables that the server allows, by their names. */
  const env: Readonly<Record<string, string | undefined>>
  export default env
}
