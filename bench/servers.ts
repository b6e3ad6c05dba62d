// Starts the servers a row compares: polywsgi, real uWSGI, nginx before them. All on loopback, on ports that the system
// chose, each with its own family of processes,
// which ends when the server is disposed of.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { freePorts, waitForPort } from './client.ts'
import { type AnswerSite, nginxConfig, type UpstreamSite } from './nginx-config.ts'
import { type Child, startChild } from './processes.ts'
import { polywsgiCommand, uwsgiCommand, uwsgiPlugins } from './programs.ts'

export type Language = 'python' | 'lua' | 'js'
/** Languages that Debian's uWSGI has a plugin for; it has none for JavaScript. */
export type UwsgiLanguage = Exclude<Language, 'js'>

export const languageNames: Record<Language, string> = { python: 'Python', lua: 'Lua', js: 'JavaScript' }
/** Path that a language's app is mounted on; uWSGI, whose app answers to every path, is asked on the same one. */
export const mountOf: Record<Language, string> = { python: '/py', lua: '/lua', js: '/js' }
const extensionOf: Record<Language, string> = { python: 'py', lua: 'lua', js: 'mjs' }
/** The modifier1 that nginx puts into a language's packets, the same for both servers. */
export const modifier1Of: Record<Language, number> = { python: 0, lua: 6, js: 24 }

/** Workers on either side unless a row says otherwise: one for each core of the machine the bars were set on. */
export const defaultWorkers = 2
const startPatienceMs = 60_000

/** The two ways real uWSGI keeps HTTP connections open, one that does not, and the uwsgi protocol alone. */
export type UwsgiFront = 'http11' | 'http' | 'http10' | 'uwsgi'

export interface Server extends AsyncDisposable {
  readonly child: Child
  /** 0 where the server does not speak HTTP. */
  readonly httpPort: number
  /** 0 where the server does not speak the uwsgi protocol. */
  readonly uwsgiPort: number
}

/** A file of bench/apps: `appFile('hello', 'lua')`. */
export function appFile(app: string, language: Language): string {
  return join(import.meta.dirname, 'apps', `${app}.${extensionOf[language]}`)
}

export function urlOf(port: number, language: Language): string {
  return `http://127.0.0.1:${port}${mountOf[language]}`
}

/** Spawns polywsgi with one app per language, without waiting until it is ready. */
export async function spawnPolywsgi(
  app: string,
  languages: readonly Language[],
  workers = defaultWorkers,
  options: readonly string[] = [],
): Promise<Server> {
  const [httpPort, uwsgiPort] = (await freePorts(2)) as [number, number]
  const mounts = languages.map((language) => `--mount=${mountOf[language]}=${appFile(app, language)}`)
  const args = ['--http-socket', `127.0.0.1:${httpPort}`, '--socket', `127.0.0.1:${uwsgiPort}`, '--workers', String(workers)]
  const child = await startChild('polywsgi', process.execPath, [
    polywsgiCommand,
    ...args,
    ...mounts,
    '--disable-logging',
    ...options,
  ])
  return server(child, httpPort, uwsgiPort)
}

/** polywsgi, ready. */
export async function startPolywsgi(
  app: string,
  languages: readonly Language[],
  workers = defaultWorkers,
  options: readonly string[] = [],
): Promise<Server> {
  return await ready(await spawnPolywsgi(app, languages, workers, options), 'polywsgi ready')
}

/** Spawns real uWSGI with one app, without waiting until it is ready. */
export async function spawnUwsgi(
  app: string,
  language: UwsgiLanguage,
  front: UwsgiFront,
  workers = defaultWorkers,
  options: readonly string[] = [],
): Promise<Server> {
  const [httpPort, uwsgiPort] = (await freePorts(2)) as [number, number]
  const plugins = [...(front === 'http' ? [uwsgiPlugins.http] : []), uwsgiPlugins[language]]
  const modifier1 = String(modifier1Of[language])
  const fronts: Record<UwsgiFront, string[]> = {
    http11: ['--http11-socket', `127.0.0.1:${httpPort}`, '--http-socket-modifier1', modifier1],
    http: ['--http', `127.0.0.1:${httpPort}`, '--http-keepalive=1', '--http-modifier1', modifier1],
    // It answers by HTTP/1.1 and hangs up: clients are told.
    http10: [
      ...['--http-socket', `127.0.0.1:${httpPort}`, '--http-socket-modifier1', modifier1],
      ...['--add-header', 'Connection: close'],
    ],
    uwsgi: [],
  }
  const args = ['--plugins', plugins.join(','), ...fronts[front]]
  const hasSocket = front === 'http' || front === 'uwsgi'
  if (hasSocket) args.push('--socket', `127.0.0.1:${uwsgiPort}`)
  args.push(language === 'python' ? '--wsgi-file' : '--lua', appFile(app, language))
  args.push('--master', '--processes', String(workers), '--listen', String(listenBacklog()))
  args.push('--disable-logging', '--die-on-term', '--no-orphans', ...options)
  const child = await startChild('uWSGI', uwsgiCommand, args)
  return server(child, front === 'uwsgi' ? 0 : httpPort, hasSocket ? uwsgiPort : 0)
}

function server(child: Child, httpPort: number, uwsgiPort: number): Server {
  return { child, httpPort, uwsgiPort, [Symbol.asyncDispose]: () => child.stop() }
}

/** Real uWSGI with all its workers forked. */
export async function startUwsgi(
  app: string,
  language: UwsgiLanguage,
  front: UwsgiFront,
  workers = defaultWorkers,
  options: readonly string[] = [],
): Promise<Server> {
  const lastWords = front === 'http' ? 'spawned uWSGI http 1' : `spawned uWSGI worker ${workers}`
  return await ready(await spawnUwsgi(app, language, front, workers, options), lastWords)
}

async function ready(started: Server, lastWords: string): Promise<Server> {
  try {
    await started.child.waitForOutput(lastWords, startPatienceMs)
    return started
  } catch (error) {
    await started.child.stop()
    throw error
  }
}

/** uWSGI's own default of 100 would refuse clients in the rows with many of them; it starts with no more than the system allows. */
function listenBacklog(): number {
  return Math.min(1024, Number(readFileSync('/proc/sys/net/core/somaxconn', 'latin1')))
}

export interface Nginx extends AsyncDisposable {
  /** Ports of the sites, in the order they were asked for. */
  readonly ports: readonly number[]
}

/** What nginx writes into; removed with the nginx it belongs to, at the latest with this process. */
const directories = new Set<string>()

function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
  directories.delete(directory)
}

process.on('exit', () => directories.forEach(removeDirectory))

/** nginx with one site per upstream, in a temporary directory of its own. */
export async function startNginx(sites: readonly (Omit<UpstreamSite, 'port'> | Omit<AnswerSite, 'port'>)[]): Promise<Nginx> {
  const ports = await freePorts(sites.length)
  const directory = mkdtempSync(join(tmpdir(), 'polywsgi-bench-nginx-'))
  directories.add(directory)
  const { username, uid } = userInfo()
  const placed = sites.map((site, i) => ({ ...site, port: ports[i]! }))
  const file = join(directory, 'nginx.conf')
  writeFileSync(file, nginxConfig(directory, placed, uid === 0 ? username : undefined))
  const child = await startChild('nginx', 'nginx', ['-p', directory, '-c', file, '-e', 'stderr'])
  child.ended.then(() => removeDirectory(directory))
  try {
    for (const port of ports) await waitForPort(port, child, startPatienceMs)
  } catch (error) {
    await child.stop()
    throw error
  }
  return { ports, [Symbol.asyncDispose]: () => child.stop() }
}
