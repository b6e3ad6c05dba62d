// Runs the commands of a chapter as a reader does, in a copy of the examples that has polywsgi installed, and gives back what
// the reader sees.
// Invariant: whatever a chapter starts has ended when its run has.
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Chapter, Step } from './chapter.ts'
import { cliPath } from './server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const examplesFolder = join(root, 'examples/plugins')

/** What the reader's folder is called in the chapters. */
const shownFolder = '/home/you/plugins'

/** What differs from run to run. */
const varying: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\b\d+\.\d+ s\b/g, '0.00 s'],
  [/\b\d+ msecs\b/g, '0 msecs'],
  [/\bduration_ms \d+(?:\.\d+)?/g, 'duration_ms 0'],
  [/\(\d+(?:\.\d+)?ms\)/g, '(0ms)'],
  [/\[pid: \d+\|/g, '[pid: 1|'],
  [/[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}/g, 'id'],
  [/ since \d{10}$/gm, ' since 1'],
  [/curl\/\d[\d.]*/g, 'curl/8'],
  [/\{\d+ vars in \d+ bytes\}/g, '{0 vars in 0 bytes}'],
  [/\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\b/g, 'Thu, 01 Jan 1970 00:00:00 GMT'],
  [/\[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\]/g, '[Thu Jan  1 00:00:00 1970]'],
]

const normalised = (text: string): string =>
  varying.reduce((changed, [pattern, replacement]) => changed.replace(pattern, replacement), text).replaceAll('\r', '')

const linesOf = (text: string): string[] => (text === '' ? [] : normalised(text).trimEnd().split('\n'))

/** What a chapter says, in the form in which runs are compared with it. */
export const expectedSteps = (chapter: Chapter): Step[] =>
  chapter.steps.map(({ command, output }) => ({ command, output: output.map(normalised) }))

/**
 * Runs every command. A server runs until the next one, or the chapter, begins or ends; its output is what the chapter shows
 * when those lines are in its log in that order, else the whole log.
 * @param signal ends it all
 */
export const runChapter = async (chapter: Chapter, signal: AbortSignal): Promise<Step[]> => {
  const terminal = await Terminal.open(chapter, signal)
  try {
    const seen: { command: string; output: string[] }[] = []
    let serving: { shown: Step; step: (typeof seen)[number]; server: Running } | undefined
    const stopServing = async (): Promise<void> => {
      if (serving === undefined) return
      const { shown, step, server } = serving
      serving = undefined
      step.output = shownLines(shown, linesOf(await server.stopped()))
    }
    for (const shown of expectedSteps(chapter)) {
      if (shown.command.startsWith('polywsgi ')) await stopServing()
      const step = { command: shown.command, output: [] as string[] }
      seen.push(step)
      const running = terminal.run(shown.command)
      if (running === undefined) continue
      if (await running.serves) serving = { shown, step, server: running }
      else step.output = linesOf(running.output)
    }
    await stopServing()
    return seen
  } finally {
    await terminal.close()
  }
}

/** `^C` is what the reader types to stop the server, and nothing of the log. */
const shownLines = ({ output }: Step, log: readonly string[]): string[] => {
  let from = 0
  for (const line of output) {
    if (line === '^C') continue
    const at = log.indexOf(line, from)
    if (at === -1) return [...log]
    from = at + 1
  }
  return [...output]
}

/** A command that runs. */
class Running {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #translate: (text: string) => string
  #output = ''
  /** True once it says that it serves, false when it ends without. */
  readonly serves: Promise<boolean>

  constructor(child: ChildProcess, translate: (text: string) => string) {
    this.#child = child
    this.#translate = translate
    this.#ended = new Promise((settle) => {
      child.once('error', () => settle())
      child.once('close', () => settle())
    })
    const { promise, resolve: settle } = Promise.withResolvers<boolean>()
    this.serves = promise
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text
      if (/^polywsgi ready/m.test(this.#output)) settle(true)
    })
    void this.#ended.then(() => settle(false))
  }

  get output(): string {
    return this.#translate(this.#output)
  }

  /** Ends it as ^C does, and resolves to all that it has printed. */
  async stopped(): Promise<string> {
    this.#child.kill('SIGINT')
    await this.#ended
    return this.output
  }

  async killed(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/** A terminal in a copy of the examples, with `polywsgi` on its path. */
class Terminal {
  readonly #base: string
  readonly #ports: ReadonlyMap<string, string>
  readonly #signal: AbortSignal
  readonly #started: Running[] = []
  #cwd: string

  private constructor(base: string, ports: ReadonlyMap<string, string>, signal: AbortSignal) {
    this.#base = base
    this.#cwd = join(base, 'plugins')
    this.#ports = ports
    this.#signal = signal
  }

  static async open(chapter: Chapter, signal: AbortSignal): Promise<Terminal> {
    const base = mkdtempSync(join(tmpdir(), 'polywsgi-chapter-'))
    cpSync(examplesFolder, join(base, 'plugins'), { recursive: true })
    mkdirSync(join(base, 'node_modules'))
    symlinkSync(root, join(base, 'node_modules/polywsgi'))
    mkdirSync(join(base, 'bin'))
    const command = `#!/bin/sh\nexec '${process.execPath}' '${cliPath}' "$@"\n`
    writeFileSync(join(base, 'bin/polywsgi'), command, { mode: 0o755 })
    // Which is what it does on a terminal.
    writeFileSync(join(base, '.curlrc'), 'no-progress-meter\n')
    const ports = new Map<string, string>()
    for (const { command: text } of chapter.steps)
      for (const [, port] of text.matchAll(/127\.0\.0\.1:(\d{4})\b/g))
        if (!ports.has(port as string)) ports.set(port as string, await freePort([...ports.values()]))
    return new Terminal(base, ports, signal)
  }

  /** @returns undefined for `cd`, which is the shell's own business */
  run(command: string): Running | undefined {
    const [, folder] = /^cd (\S+)$/.exec(command) ?? []
    if (folder !== undefined) {
      this.#cwd = resolve(this.#cwd, folder)
      return undefined
    }
    let real = command
    for (const [shown, port] of this.#ports) real = real.replaceAll(`127.0.0.1:${shown}`, `127.0.0.1:${port}`)
    // A test runner under a test runner takes itself for its child.
    const { NODE_TEST_CONTEXT: _, FORCE_COLOR: __, ...env } = process.env
    const path = [join(this.#base, 'bin'), dirname(process.execPath), env['PATH']].join(delimiter)
    // Both streams in the order in which a terminal has them; the command itself, not its shell, gets the signals.
    const script = `exec 2>&1\n${real.startsWith('polywsgi ') && !real.includes('|') ? 'exec ' : ''}${real}`
    const child = spawn('sh', ['-c', script], {
      cwd: this.#cwd,
      env: { ...env, PATH: path, CURL_HOME: this.#base, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
      signal: this.#signal,
      killSignal: 'SIGKILL',
    })
    const running = new Running(child, (text) => this.#asShown(text))
    this.#started.push(running)
    return running
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.map((running) => running.killed()))
    rmSync(this.#base, { recursive: true })
  }

  #asShown(text: string): string {
    let shown = text.replaceAll(join(this.#base, 'plugins'), shownFolder)
    for (const [documented, port] of this.#ports) shown = shown.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${documented}`)
    return shown
  }
}

/**
 * Of four digits, as those in the chapters: lengths of texts come out the same. The system gives none of these to whoever asks
 * for any, so that nobody gets it between the look and the use.
 */
const freePort = async (taken: readonly string[]): Promise<string> => {
  for (;;) {
    const port = 4000 + Math.floor(Math.random() * 6000)
    const isFree = await new Promise<boolean>((settle) => {
      const server = createServer()
      server.once('error', () => settle(false))
      server.listen(port, '127.0.0.1', () => server.close(() => settle(true)))
    })
    if (isFree && !taken.includes(String(port))) return String(port)
  }
}
