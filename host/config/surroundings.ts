// What the configuration asks of the world outside: files, the machine, the clock. Passed in, so that reading a
// configuration has no other effect and a test can give it any world.
import { closeSync, globSync, openSync, readSync, statSync } from 'node:fs'
import { availableParallelism, hostname, userInfo } from 'node:os'
import packageJson from '../../package.json' with { type: 'json' }

export interface Surroundings {
  readonly version: string
  /** Path of the running program. */
  readonly program: string
  /** The bytes of a file. Throws as node:fs does. */
  readFile(path: string): Uint8Array
  kindOf(path: string): 'file' | 'directory' | 'other' | undefined
  /** The paths that match a pattern, sorted. */
  glob(pattern: string, cwd: string): readonly string[]
  /** The inode number, empty when there is no such file. */
  inode(path: string): string
  hostname(): string
  cpuCount(): number
  user(): { readonly uid: number; readonly name: string; readonly gid: number; readonly group: string }
  nowMicros(): bigint
}

/** No configuration needs more; a device that never ends is not read forever. */
export const largestFileBytes = 1024 * 1024

const readFile = (path: string): Uint8Array => {
  const file = openSync(path, 'r')
  try {
    const chunks: Uint8Array[] = []
    for (let total = 0; total <= largestFileBytes; ) {
      const chunk = new Uint8Array(65_536)
      const length = readSync(file, chunk)
      if (length === 0) return Buffer.concat(chunks)
      chunks.push(chunk.subarray(0, length))
      total += length
    }
    throw new Error(`larger than ${largestFileBytes} bytes`)
  } finally {
    closeSync(file)
  }
}

const groupName = (gid: number): string => {
  try {
    const lines = Buffer.from(readFile('/etc/group')).toString('utf8').split('\n')
    const fields = lines.map((line) => line.split(':')).find((candidate) => candidate[2] === String(gid))
    return fields?.[0] ?? String(gid)
  } catch {
    // A machine without the file has no name to give: the number stands for itself, as it does for an unnamed group.
    return String(gid)
  }
}

const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no entry in the user database.
    return String(process.getuid?.() ?? -1)
  }
}

const statOf = (path: string) => {
  try {
    return statSync(path, { bigint: true })
  } catch {
    // What cannot be looked at is not there, as access(2) has it.
    return undefined
  }
}

export const nodeSurroundings: Surroundings = {
  version: packageJson.version,
  program: process.argv[1] ?? process.execPath,
  readFile,
  kindOf: (path) => {
    const stat = statOf(path)
    if (stat === undefined) return undefined
    if (stat.isFile()) return 'file'
    return stat.isDirectory() ? 'directory' : 'other'
  },
  glob: (pattern, cwd) => globSync(pattern, { cwd }).sort(),
  inode: (path) => String(statOf(path)?.ino ?? ''),
  hostname,
  cpuCount: availableParallelism,
  user: () => {
    const gid = process.getgid?.() ?? -1
    return { uid: process.getuid?.() ?? -1, name: userName(), gid, group: groupName(gid) }
  },
  nowMicros: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)),
}

/** The same world, standing still: a file that was read, and the time, stay what they were. */
export const steadySurroundings = (surroundings: Surroundings): Surroundings => {
  const contents = new Map<string, Uint8Array>()
  let now: bigint | undefined
  return {
    ...surroundings,
    readFile: (path) => {
      const content = contents.get(path) ?? surroundings.readFile(path)
      contents.set(path, content)
      return content
    },
    nowMicros: () => {
      now ??= surroundings.nowMicros()
      return now
    },
  }
}
