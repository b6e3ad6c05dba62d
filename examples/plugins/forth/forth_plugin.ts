// Forth as a language of the server: a request plugin that knows nothing of the host but `polywsgi/plugin`.
//   polywsgi --http-socket :8080 --plugin forth_plugin.ts --mount /forth=hello.fs
import type { Plugin, WorkerContext, WsgiRequest } from 'polywsgi/plugin'
import { defaultMaxSteps, ForthApp } from './app.ts'
import { HeldWord } from './convert.ts'
import { createCore } from './core.ts'
import type { Dictionary, Word } from './dictionary.ts'
import { ForthError } from './errors.ts'
import type { Interpreter } from './interpreter.ts'

interface Mounted {
  readonly program: ForthApp
  /** The word that serves requests. */
  readonly handle: Word
}

/** A plugin of its own, for programs that boot more than one in a thread. */
export const createForthPlugin = (): Plugin => {
  /** Each program has an interpreter of its own, by which words that the host holds lead to it. */
  const programs = new Map<Interpreter, ForthApp>()
  let core: Dictionary | undefined

  const load = (file: string, context: WorkerContext): ForthApp => {
    core ??= createCore(context.api, plugin)
    const program = new ForthApp(file, core, context)
    programs.set(program.forth, program)
    program.load()
    return program
  }

  const heldBy = (handler: unknown): readonly [ForthApp, Word] => {
    const program = handler instanceof HeldWord ? programs.get(handler.forth) : undefined
    if (program === undefined) throw new Error('forth: not a word of this thread')
    return [program, (handler as HeldWord).word]
  }

  const plugin: Plugin = {
    name: 'forth',
    // Free in uWSGI's table.
    modifier1: 240,
    appExtensions: ['.fs', '.fth'],
    options: [
      {
        name: 'forth-max-steps',
        type: 'integer',
        min: 1,
        default: defaultMaxSteps,
        help: 'How many words a Forth program may run for one request, call or signal.',
      },
    ],

    postFork(context) {
      const started = performance.now()
      core = createCore(context.api, plugin)
      context.booted('forth', performance.now() - started)
    },

    mountApp(mount, context) {
      const program = load(mount.source, context)
      return { program, handle: program.word(mount.callable ?? 'handle') } satisfies Mounted
    },

    fixup() {
      for (const program of programs.values()) program.hook('post-fork-hook')
    },

    request(request: WsgiRequest) {
      const mounted = request.app?.handle as Mounted | undefined
      return mounted === undefined ? -1 : mounted.program.serve(request, mounted.handle)
    },

    afterRequest() {
      for (const program of programs.values()) program.hook('after-req-hook')
    },

    rpc(handler, args) {
      const [program, word] = heldBy(handler)
      return program.rpc(word, args)
    },

    signalHandler(signum, handler) {
      const [program, word] = heldBy(handler)
      program.signal(word, signum)
      return true
    },

    mule(file, context) {
      if (!file.endsWith('.fs') && !file.endsWith('.fth')) return false
      load(file, context)
      return true
    },

    muleMsg: (message) => programs.values().some((program) => program.muleMessage(message)),

    spooler(file, vars, body) {
      for (const program of programs.values()) {
        const code = program.spool(file, vars, body)
        if (code !== 0) return code
      }
      return 0
    },

    atexit() {
      for (const program of programs.values()) program.hook('atexit')
    },

    exceptionLog: (error) => (error instanceof ForthError ? error : undefined),
    backtrace: (error) => (error instanceof ForthError ? error.traceback : undefined),
    exceptionClass: (error) => (error instanceof ForthError ? error.fault : undefined),
    exceptionMsg: (error) => (error instanceof ForthError ? error.message : undefined),
    exceptionRepr: (error) => (error instanceof ForthError ? `${error.fault}: ${error.message}` : undefined),
  }
  return plugin
}

export default createForthPlugin()
