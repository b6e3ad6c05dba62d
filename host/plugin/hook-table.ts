// Every hook of the plugin interface, once: which member of uWSGI's `struct uwsgi_plugin` it is, where and when it runs, in
// which order plugins are asked. The callers take the order from here, docs/plugin-hooks.md is made from it, and what threads
// make impossible is refused by it.
import type { Plugin } from './plugin.ts'

/** Where: the master, workers, mules, spoolers. */
export type HookThread = 'M' | 'W' | 'U' | 'S'

/**
 * `request first`: request plugins by modifier1, then general ones in load order, as uWSGI does most of the time;
 * `general first`: the other way round; `load`: as they were loaded; `one`: only the plugin that it is about.
 */
export type HookOrder = 'request first' | 'general first' | 'load' | 'one'

export interface HookEntry {
  /** The member of uWSGI's structure; undefined for what only polywsgi has. */
  readonly uwsgi: string | undefined
  readonly threads: readonly HookThread[]
  readonly order: HookOrder
  /** True where the first plugin that says so ends the asking. */
  readonly isFirstWins?: true
  readonly when: string
}

type Members = Required<Plugin>
/** The members of `Plugin` that are functions. */
export type HookName = {
  [Name in keyof Members]: Members[Name] extends (...args: never[]) => unknown ? Name : never
}[Exclude<keyof Members, ImpossibleHook>]

/** The members that are declared so that nobody has them. */
type ImpossibleHook = { [Name in keyof Members]: [Members[Name]] extends [never] ? Name : never }[keyof Members]

const all: readonly HookThread[] = ['W', 'U', 'S']

/** In the order of a server's life. */
export const hookTable = {
  magic: {
    uwsgi: 'magic',
    threads: ['M'],
    order: 'general first',
    isFirstWins: true,
    when: 'a positional argument of the command line is neither a configuration file nor an app',
  },
  onLoad: { uwsgi: 'on_load', threads: ['M'], order: 'load', when: 'right after registration, before sockets are bound' },
  init: { uwsgi: 'init', threads: ['M'], order: 'general first', when: 'the sockets are bound' },
  postInit: { uwsgi: 'post_init', threads: ['M'], order: 'general first', when: 'after init of all plugins' },
  enableThreads: {
    uwsgi: 'enable_threads',
    threads: ['M'],
    order: 'request first',
    when: 'after postInit of all plugins, where workers have more than one core',
  },
  masterFixup: {
    uwsgi: 'master_fixup',
    threads: ['M', ...all],
    order: 'request first',
    when: 'in the master before the first thread is started (0), and in each thread after its start (1)',
  },
  preUwsgiFork: { uwsgi: 'pre_uwsgi_fork', threads: ['M'], order: 'request first', when: 'before each thread is started' },
  postUwsgiFork: {
    uwsgi: 'post_uwsgi_fork',
    threads: ['M', ...all],
    order: 'request first',
    when: 'in the master after a thread was started (0), and first of all in that thread (1)',
  },
  postFork: { uwsgi: 'post_fork', threads: all, order: 'request first', when: 'the thread has started' },
  loadPlugin: {
    uwsgi: undefined,
    threads: all,
    order: 'one',
    when: 'after postFork of all plugins, for each plugin written in a language of this one',
  },
  worker: {
    uwsgi: 'worker',
    threads: ['W'],
    order: 'request first',
    isFirstWins: true,
    when: 'after postFork: takes the whole thread',
  },
  preinitApps: { uwsgi: 'preinit_apps', threads: all, order: 'request first', when: 'before apps are loaded' },
  initApps: { uwsgi: 'init_apps', threads: all, order: 'request first', when: 'after preinitApps of all plugins' },
  mountApp: {
    uwsgi: 'mount_app',
    threads: all,
    order: 'request first',
    isFirstWins: true,
    when: 'for each app that the configuration names, of those plugins that may be meant',
  },
  postinitApps: { uwsgi: 'postinit_apps', threads: all, order: 'request first', when: 'all apps are loaded' },
  spoolerInit: { uwsgi: 'spooler_init', threads: ['S'], order: 'request first', when: 'before fixup, in a spooler' },
  initThread: {
    uwsgi: 'init_thread',
    threads: ['W'],
    order: 'request first',
    when: 'before fixup, once for each core but the first',
  },
  fixup: { uwsgi: 'fixup', threads: all, order: 'request first', when: 'the thread begins its work' },
  hijackWorker: { uwsgi: 'hijack_worker', threads: ['W'], order: 'request first', when: 'after fixup, before the first request' },
  request: { uwsgi: 'request', threads: ['W'], order: 'one', when: 'a request' },
  currentRequest: { uwsgi: undefined, threads: ['W'], order: 'request first', when: 'a function of the API needs the request' },
  suspend: {
    uwsgi: 'suspend',
    threads: ['W'],
    order: 'request first',
    when: 'the request hook of whichever plugin has returned 1 or a promise',
  },
  resume: {
    uwsgi: 'resume',
    threads: ['W'],
    order: 'request first',
    when: 'before that request hook is called again, and when its promise has settled',
  },
  exceptionLog: { uwsgi: 'exception_log', threads: all, order: 'one', when: 'a hook has thrown' },
  exceptionClass: {
    uwsgi: 'exception_class',
    threads: ['W'],
    order: 'one',
    when: 'a request hook has thrown, and an option asks',
  },
  exceptionMsg: { uwsgi: 'exception_msg', threads: ['W'], order: 'one', when: 'a request hook has thrown, and an option asks' },
  exceptionRepr: { uwsgi: 'exception_repr', threads: ['W'], order: 'one', when: 'a request hook has thrown, and an option asks' },
  backtrace: { uwsgi: 'backtrace', threads: ['W'], order: 'one', when: 'a request hook has thrown, with catch-exceptions' },
  afterRequest: { uwsgi: 'after_request', threads: ['W'], order: 'one', when: 'the response has been handed over' },
  signalHandler: {
    uwsgi: 'signal_handler',
    threads: all,
    order: 'one',
    when: 'a signal comes for which one of its functions was registered',
  },
  rpc: { uwsgi: 'rpc', threads: all, order: 'one', when: 'one of its functions is called by its RPC name' },
  releaseFunction: { uwsgi: undefined, threads: all, order: 'one', when: 'one of its functions is not registered any more' },
  mule: {
    uwsgi: 'mule',
    threads: ['U'],
    order: 'request first',
    isFirstWins: true,
    when: 'after fixup, in a mule with a program of its own',
  },
  muleMsg: {
    uwsgi: 'mule_msg',
    threads: ['U'],
    order: 'request first',
    isFirstWins: true,
    when: 'a message for a mule',
  },
  spooler: {
    uwsgi: 'spooler',
    threads: ['S'],
    order: 'request first',
    isFirstWins: true,
    when: 'a job of the spooler',
  },
  masterCycle: { uwsgi: 'master_cycle', threads: ['M'], order: 'request first', when: 'once a second' },
  manageUdp: {
    uwsgi: 'manage_udp',
    threads: ['M'],
    order: 'request first',
    isFirstWins: true,
    when: 'a packet on a udp socket',
  },
  harakiri: {
    uwsgi: 'harakiri',
    threads: ['M'],
    order: 'request first',
    when: 'a worker is ended for its deadline, or goes on while what overran has been stopped',
  },
  encodeString: { uwsgi: 'encode_string', threads: ['M', ...all], order: 'one', when: 'text of the host is for the plugin' },
  decodeString: {
    uwsgi: 'decode_string',
    threads: ['M', ...all],
    order: 'one',
    when: 'bytes of the plugin are text for the host',
  },
  codeString: { uwsgi: 'code_string', threads: ['M'], order: 'one', when: 'the action code: of a hook option' },
  masterCleanup: { uwsgi: 'master_cleanup', threads: ['M'], order: 'request first', when: 'before a reload, and before the end' },
  atexit: {
    uwsgi: 'atexit',
    threads: ['M', ...all],
    order: 'request first',
    when: 'a clean end of the thread, or of the master',
  },
} as const satisfies Record<HookName, HookEntry>

const noPrivileges = 'threads of one process share its privileges and its root directory: there is no jail to be prepared'
const noEmperor = 'there is no Emperor: a vassal is a process of its own, which no thread of a server can become'

/**
 * Members of uWSGI's structure that polywsgi cannot have: a plugin that brings one is refused.
 * Differs from uWSGI: jails and vassals belong to processes, and everything here runs in one.
 */
export const impossibleHooks: Readonly<Record<ImpossibleHook, { readonly uwsgi: string; readonly reason: string }>> = {
  jail: { uwsgi: 'jail', reason: noPrivileges },
  earlyPostJail: { uwsgi: 'early_post_jail', reason: noPrivileges },
  postJail: { uwsgi: 'post_jail', reason: noPrivileges },
  beforePrivilegesDrop: { uwsgi: 'before_privileges_drop', reason: noPrivileges },
  vassal: { uwsgi: 'vassal', reason: noEmperor },
  vassalBeforeExec: { uwsgi: 'vassal_before_exec', reason: noEmperor },
}

/** Hooks in the order of the table. */
export const hookNames = Object.keys(hookTable) as readonly HookName[]

/**
 * Why a plugin cannot be loaded for what its members are, in the form `its member jail: ...`; undefined when they are right.
 * Members that the interface does not know are the plugin's own.
 */
export const refusalOf = (plugin: object): string | undefined => {
  const members = plugin as Readonly<Record<string, unknown>>
  for (const [name, { reason }] of Object.entries(impossibleHooks)) {
    if (members[name] !== undefined) return `its hook ${name} cannot be: ${reason}`
  }
  for (const name of hookNames) {
    const member = members[name]
    if (member !== undefined && typeof member !== 'function') return `its hook ${name} is ${described(member)}, not a function`
  }
  return undefined
}

const described = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
