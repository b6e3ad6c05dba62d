// The programs a benchmark needs, and which versions of them there are. A program that is missing is a fact to report by
// name, not an error: the caller decides what becomes of the rows that need it.
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'

export type ProgramName = 'polywsgi' | 'wrk' | 'nginx' | 'uwsgi' | 'uwsgi-http' | 'uwsgi-python' | 'uwsgi-greenlet' | 'uwsgi-lua'

export interface Missing {
  readonly program: ProgramName
  readonly advice: string
}

export const repository = join(import.meta.dirname, '..')
export const polywsgiCommand = join(repository, 'dist/cli.js')
export const uwsgiCommand = 'uwsgi-core'

/** Names under which the plugins of uWSGI are loaded (Debian's). */
export const uwsgiPlugins = { http: 'http', python: 'python3', greenlet: 'greenlet_python3', lua: 'lua51' } as const

const advice: Record<ProgramName, string> = {
  polywsgi: 'npm run build',
  wrk: 'apt-get install wrk',
  nginx: 'apt-get install nginx-light',
  uwsgi: 'apt-get install uwsgi-core',
  'uwsgi-http': 'the http plugin is part of uwsgi-core',
  'uwsgi-python': 'apt-get install uwsgi-plugin-python3',
  'uwsgi-greenlet': 'apt-get install uwsgi-plugin-greenlet-python3',
  'uwsgi-lua': 'apt-get install uwsgi-plugin-lua5.1',
}

/** Looks for all programs; the result holds those that are not there. */
export async function findMissing(): Promise<Missing[]> {
  const names = Object.keys(advice) as ProgramName[]
  const present = await Promise.all(names.map(isPresent))
  return names.flatMap((program, i) => (present[i] === true ? [] : [{ program, advice: advice[program] }]))
}

async function isPresent(program: ProgramName): Promise<boolean> {
  switch (program) {
    case 'polywsgi':
      return existsSync(polywsgiCommand)
    case 'wrk':
      // wrk has no way to be asked that ends with 0.
      return (await output('wrk', ['-v'])) !== undefined
    case 'nginx':
      return (await output('nginx', ['-v'])) !== undefined
    case 'uwsgi':
      return (await output(uwsgiCommand, ['--version'])) !== undefined
    case 'uwsgi-http':
      return await hasPlugin(uwsgiPlugins.http)
    case 'uwsgi-python':
      return await hasPlugin(uwsgiPlugins.python)
    case 'uwsgi-greenlet':
      return await hasPlugin(uwsgiPlugins.python, uwsgiPlugins.greenlet)
    case 'uwsgi-lua':
      return await hasPlugin(uwsgiPlugins.lua)
  }
}

/** A plugin that works on another one can be loaded after that only: the last of the names is the one asked for. */
async function hasPlugin(...plugins: string[]): Promise<boolean> {
  const options = plugins.flatMap((plugin) => ['--need-plugin', plugin])
  return (await output(uwsgiCommand, [...options, '--version']))?.code === 0
}

/** What a program prints on both streams, and its exit code; undefined when there is no such program. */
async function output(command: string, args: readonly string[]): Promise<{ text: string; code: number } | undefined> {
  const { promise, resolve } = Promise.withResolvers<{ text: string; code: number } | undefined>()
  execFile(command, args, { timeout: 10_000 }, (error, stdout, stderr) => {
    if (error !== null && error.code === 'ENOENT') resolve(undefined)
    else resolve({ text: stdout + stderr, code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1 })
  })
  return await promise
}

/** Everything a reader needs to judge the figures, as name and value. */
export async function describeEnvironment(): Promise<[string, string][]> {
  const [uwsgi, nginx, wrk] = await Promise.all([
    output(uwsgiCommand, ['--version']),
    output('nginx', ['-v']),
    output('wrk', ['-v']),
  ])
  const processors = cpus()
  return [
    ['commit', commit()],
    ['processor', `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores`],
    ['memory', `${Math.round(totalmem() / 2 ** 30)} GB`],
    ['kernel', readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()],
    ['node', process.version.slice(1)],
    ['polywsgi', packageVersion(join(repository, 'package.json'))],
    ...['pyodide', 'wasmoon', '@jitl/quickjs-wasmfile-release-sync'].map((name): [string, string] => [
      name,
      dependencyVersion(name),
    ]),
    ['uWSGI', uwsgi?.text.trim() ?? 'missing'],
    ['nginx', /nginx\/(\S+)/.exec(nginx?.text ?? '')?.[1] ?? 'missing'],
    ['wrk', /^wrk (\S+)/.exec(wrk?.text ?? '')?.[1] ?? 'missing'],
  ]
}

function dependencyVersion(name: string): string {
  const entry = createRequire(join(repository, 'package.json')).resolve.paths(name) ?? []
  const file = entry.map((directory) => join(directory, name, 'package.json')).find((path) => existsSync(path))
  return file === undefined ? 'missing' : packageVersion(file)
}

function packageVersion(file: string): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const changed = git('status', '--porcelain') === '' ? '' : ', with uncommitted changes'
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed}`
  } catch {
    return 'unknown (no commit)'
  }
}
