// Asks a server again and again, one request at a time, while something else is done to it: it must always answer, soon.
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

export interface ProbeTarget {
  readonly socketPath?: string
  readonly host?: string
  readonly port?: number
  readonly path: string
}

const pauseMs = 50

export class Probe implements AsyncDisposable {
  readonly #target: ProbeTarget
  readonly #patienceMs: number
  readonly #done: Promise<void>
  #isStopped = false
  answers = 0
  slowestMs = 0
  /** What went wrong, the first few. */
  readonly failures: string[] = []

  constructor(target: ProbeTarget, patienceMs: number) {
    this.#target = target
    this.#patienceMs = patienceMs
    this.#done = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const started = performance.now()
      const problem = await this.#ask()
      this.slowestMs = Math.max(this.slowestMs, performance.now() - started)
      this.answers += 1
      if (problem !== undefined && this.failures.length < 10) this.failures.push(problem)
      await delay(pauseMs)
    }
  }

  #ask(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const asked = request({ ...this.#target, agent: false, headers: { Connection: 'close' } }, (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode === 200 ? undefined : `the probe got ${response.statusCode}`))
        response.on('error', (error) => resolve(`the probe's answer broke off: ${error.message}`))
      })
      asked.setTimeout(this.#patienceMs, () => {
        resolve(`the probe had no answer in ${this.#patienceMs} ms`)
        asked.destroy()
      })
      asked.on('error', (error) => resolve(`the probe failed: ${error.message}`))
      asked.end()
    })
  }
}
