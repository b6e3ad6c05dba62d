// Clients that ask one after the other until they are told to stop, by kept-alive HTTP and by the uwsgi protocol, and remember every
// answer that is not as it should be.
import { Agent, get } from 'node:http'
import { getVars, uwsgiRequest } from './uwsgi-client.ts'

export class SteadyLoad {
  readonly faults: string[] = []
  asked = 0
  readonly #isGood: (body: string) => boolean
  readonly #agent = new Agent({ keepAlive: true })
  readonly #clients: Promise<void>[] = []
  #isOver = false

  /** @param isGood what an answer with status 200 is to say */
  constructor(isGood: (body: string) => boolean) {
    this.#isGood = isGood
  }

  http(url: string, clients: number): this {
    return this.#start(clients, async () => await this.#ask(url))
  }

  uwsgi(address: string, clients: number, path = '/'): this {
    return this.#start(clients, async () => {
      const answer = await uwsgiRequest(address, getVars(path))
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      return [Number(head.slice('HTTP/1.1 '.length).slice(0, 3)), body]
    })
  }

  /** Resolves when the last answers are there. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#clients)
    this.#agent.destroy()
  }

  #start(clients: number, ask: () => Promise<[number, string]>): this {
    for (let client = 0; client < clients; client += 1) this.#clients.push(this.#run(ask))
    return this
  }

  async #run(ask: () => Promise<[number, string]>): Promise<void> {
    while (!this.#isOver) {
      this.asked += 1
      try {
        const [status, body] = await ask()
        if (status !== 200 || !this.#isGood(body)) this.faults.push(`${status} ${body}`)
      } catch (error) {
        this.faults.push(String(error))
      }
    }
  }

  #ask(url: string): Promise<[number, string]> {
    return new Promise((resolve, reject) => {
      get(url, { agent: this.#agent }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('error', reject).on('end', () => resolve([response.statusCode ?? 0, body]))
      }).on('error', reject)
    })
  }
}
