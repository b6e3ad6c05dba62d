// A real nginx in front of a server under test: its own configuration in a temporary folder, one worker, a free port.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peerPath } from './peers.ts'

/** The variables of nginx's own `uwsgi_params` file. */
const uwsgiParams = `
  uwsgi_param QUERY_STRING $query_string; uwsgi_param REQUEST_METHOD $request_method;
  uwsgi_param CONTENT_TYPE $content_type; uwsgi_param CONTENT_LENGTH $content_length;
  uwsgi_param REQUEST_URI $request_uri; uwsgi_param PATH_INFO $document_uri;
  uwsgi_param DOCUMENT_ROOT $document_root; uwsgi_param SERVER_PROTOCOL $server_protocol;
  uwsgi_param REQUEST_SCHEME $scheme; uwsgi_param HTTPS $https if_not_empty;
  uwsgi_param REMOTE_ADDR $remote_addr; uwsgi_param REMOTE_PORT $remote_port;
  uwsgi_param SERVER_PORT $server_port; uwsgi_param SERVER_NAME $server_name;`

export const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

export class Nginx implements AsyncDisposable {
  readonly url: string
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown>
  readonly #folder: string

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url
    this.#child = child
    this.#folder = folder
    this.#exit = new Promise((resolve) => child.on('exit', resolve))
  }

  /** @param locations the inside of the server block; `UWSGI_PARAMS` in it stands for nginx's standard variables */
  static async start(locations: string): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-nginx-'))
    const port = await freePort()
    // As root nginx would give its worker to another user, who may not write into this folder.
    const user = process.getuid?.() === 0 ? 'user root;' : ''
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(' ')
    writeFileSync(
      join(folder, 'nginx.conf'),
      `${user} daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr warn;
       events { worker_connections 512; }
       http { access_log off; ${temporary} client_max_body_size 0;
         server { listen 127.0.0.1:${port}; ${locations.replaceAll('UWSGI_PARAMS', uwsgiParams)} } }`,
    )
    const child = spawn(peerPath('nginx'), ['-p', folder, '-c', join(folder, 'nginx.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
    const nginx = new Nginx(`http://127.0.0.1:${port}`, child, folder)
    for (;;) {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${said}`)
      const isUp = await new Promise<boolean>((resolve) => {
        const probe = connect(port, '127.0.0.1', () => resolve(true))
        probe.on('error', () => resolve(false)).on('close', () => probe.destroy())
        probe.on('connect', () => probe.end())
      })
      if (isUp) return nginx
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#exit
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
