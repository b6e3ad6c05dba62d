// What actions work on, made of plain parts that tell what was done to them.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HookEnvironment } from '../../../host/hooks/action.ts'
import type { Plugin } from '../../../host/plugin/plugin.ts'

export class World implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'polywsgi-hooks-'))
  readonly lines: string[] = []
  readonly alarms: string[] = []
  readonly calls: string[] = []
  readonly signals: Array<readonly [NodeJS.Signals, () => void]> = []
  readonly stopping = new AbortController()
  /** What the next calls of RPC give, undefined for no answer. */
  answers: (string | undefined)[] = []
  plugins: Plugin[] = []
  readonly #outputFd = openSync(join(this.folder, 'output'), 'a')

  environment(changes: Partial<HookEnvironment> = {}): HookEnvironment {
    return {
      place: 'master',
      log: {
        lend: (use) => use(this.#outputFd),
        text: (line) => this.lines.push(line),
        bytes: (line) => this.lines.push(Buffer.from(line).toString('latin1')),
        flush: () => {},
      },
      plugins: () => this.plugins,
      callLimitMs: 30_000,
      waitLimitMs: 60_000,
      signal: this.stopping.signal,
      raiseAlarm: (name, message) => this.alarms.push(`${name}: ${Buffer.from(message)}`),
      callRpc: async (node, name, args) => {
        this.calls.push([node, name, ...args.map(String)].join('|'))
        const answer = this.answers.shift()
        return answer === undefined ? undefined : Buffer.from(answer, 'latin1')
      },
      canConnect: async () => false,
      onUnixSignal: (name, handler) => void this.signals.push([name, handler]),
      ...changes,
    }
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** What commands have printed. */
  get output(): string {
    return readFileSync(this.path('output'), 'utf8')
  }

  [Symbol.dispose](): void {
    closeSync(this.#outputFd)
    rmSync(this.folder, { recursive: true, force: true })
  }
}
