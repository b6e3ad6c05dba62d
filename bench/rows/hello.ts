// hello in each language: straight over HTTP keep-alive, behind nginx over the uwsgi protocol, behind nginx over a keep-alive
// HTTP upstream. The smallest request there is, so it measures the server and the way into the interpreter, nothing else.
import { httpRow, nginxRow } from '../comparison.ts'
import { helloPlan } from '../load.ts'
import type { Row } from '../row.ts'
import { defaultWorkers, type Language } from '../servers.ts'

const languages: readonly Language[] = ['python', 'lua', 'js']

export const helloRows: readonly Row[] = [
  ...languages.map((language) =>
    httpRow({
      name: 'hello-http',
      title: 'hello over HTTP keep-alive',
      app: 'hello',
      language,
      plan: helloPlan,
      bar: 'helloKeepAlive',
    }),
  ),
  // uWSGI's --http11-socket serves as many clients as it has workers; with that many nobody waits on either side.
  ...languages.map((language) =>
    httpRow({
      name: 'hello-http-few',
      title: 'hello over HTTP keep-alive, as many clients as workers',
      app: 'hello',
      language,
      plan: { ...helloPlan, connections: defaultWorkers },
    }),
  ),
  ...languages.map((language) =>
    nginxRow(
      {
        name: 'hello-nginx',
        title: 'hello behind nginx, uwsgi_pass',
        app: 'hello',
        language,
        plan: helloPlan,
        bar: 'helloNginx',
      },
      'uwsgi',
    ),
  ),
  ...languages.map((language) =>
    nginxRow(
      {
        name: 'hello-upstream',
        title: 'hello behind nginx, keep-alive HTTP upstream',
        app: 'hello',
        language,
        plan: helloPlan,
        bar: 'nginxUpstream',
      },
      'http',
    ),
  ),
]
