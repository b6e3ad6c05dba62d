// A world for the configuration to be read in: files from an object, a machine that is always the same.
import { type Configuration, readConfiguration, type Surroundings } from '../../../host/config/index.ts'
import { ConfigError } from '../../../host/errors.ts'

export interface World {
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly directories?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
}

export const cwd = '/srv/app'

const missing = (path: string): Error =>
  Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' })

const inCwd = (name: string): string => (name.startsWith('/') ? name : `${cwd}/${name}`)

export const surroundingsOf = ({ files = {}, directories = [] }: World): Surroundings => {
  const contents = new Map(Object.entries(files).map(([name, content]) => [inCwd(name), content]))
  return {
    version: '1.2.3',
    program: '/usr/bin/polywsgi',
    readFile: (path) => {
      const content = contents.get(path)
      if (content === undefined) throw missing(path)
      return typeof content === 'string' ? new TextEncoder().encode(content) : content
    },
    kindOf: (path) => (contents.has(path) ? 'file' : directories.includes(path) ? 'directory' : undefined),
    glob: (pattern) => Object.keys(files).filter((name) => name.endsWith(pattern.replace('*', ''))),
    inode: (path) => (contents.has(path) ? '4711' : ''),
    hostname: () => 'node1',
    cpuCount: () => 8,
    user: () => ({ uid: 1000, name: 'app', gid: 100, group: 'users' }),
    nowMicros: () => 1_700_000_000_123_456n,
  }
}

export const load = (argv: readonly string[], world: World = {}): Configuration =>
  readConfiguration({ argv, env: world.env ?? {}, cwd, surroundings: surroundingsOf(world) })

/** The configuration of one ini file `app.ini` whose section [uwsgi] has these lines, the first of them on line 2. */
export const loadIni = (lines: readonly string[], world: World = {}): Configuration =>
  load(['app.ini'], { ...world, files: { ...world.files, 'app.ini': `[uwsgi]\n${lines.join('\n')}\n` } })

/** The refusal of an action: `CODE message`. */
export const refusalOf = (action: () => unknown): string => {
  try {
    action()
  } catch (error) {
    if (error instanceof ConfigError) return `${error.code} ${error.message}`
    throw error
  }
  throw new Error('nothing was refused')
}
