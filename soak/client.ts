// Clients in a closed loop over keep-alive connections, whose every request is accounted for: answered with a status, broken
// off, or without an answer in time.
import { Agent, request } from 'node:http'

export interface Answer {
  /** 'broken' for a connection that ended before the answer did, 'hung' for no answer in time. */
  readonly status: number | 'broken' | 'hung'
  readonly text: string
}

export interface Question {
  readonly method?: string
  readonly path: string
  readonly body?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

export class Client implements Disposable {
  readonly #agent: Agent
  readonly #url: URL
  readonly #patienceMs: number
  readonly counts = new Map<Answer['status'], number>()
  /** Those with a status, whatever it was. */
  answered = 0

  constructor(url: string, connections: number, patienceMs = 60_000) {
    this.#url = new URL(url)
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
    this.#patienceMs = patienceMs
  }

  async ask(question: Question): Promise<Answer> {
    const answer = await this.#ask(question)
    this.counts.set(answer.status, (this.counts.get(answer.status) ?? 0) + 1)
    if (typeof answer.status === 'number') this.answered += 1
    return answer
  }

  count(status: Answer['status']): number {
    return this.counts.get(status) ?? 0
  }

  /** `200: 12, 500: 3`. */
  describe(): string {
    return [...this.counts]
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ')
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  #ask({ method = 'POST', path, body, headers = {} }: Question): Promise<Answer> {
    return new Promise((resolve) => {
      const { hostname, port } = this.#url
      const options = { host: hostname, port, agent: this.#agent, method, path, headers }
      const asked = request(options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', () => resolve({ status: 'broken', text: '' }))
        response.on('end', () =>
          resolve({ status: response.statusCode as number, text: Buffer.concat(chunks).toString('latin1') }),
        )
      })
      asked.setTimeout(this.#patienceMs, () => {
        resolve({ status: 'hung', text: '' })
        asked.destroy()
      })
      asked.on('error', (error: NodeJS.ErrnoException) => {
        // A kept connection that the server has closed in the same moment carried no request (RFC 9112, 9.3.1).
        if (asked.reusedSocket && error.code === 'ECONNRESET')
          this.#ask({ method, path, ...(body !== undefined && { body }), headers }).then(resolve)
        else resolve({ status: 'broken', text: error.message })
      })
      asked.end(body)
    })
  }
}
