// polywsgi inside an Express app: Express keeps its routes, guests get theirs. Start: `node examples/express/server.ts`

import { fileURLToPath } from 'node:url'
import express from 'express'
import { createHost } from 'polywsgi'

const here = fileURLToPath(new URL('.', import.meta.url))
await using host = await createHost({
  cwd: `${here}/../polyglot`,
  mounts: { '/py': 'app.py', '/lua': 'app.lua' },
  workers: 1,
})

const app = express()
app.get('/', (_request, response) => {
  response.send('Express here. Guests live at /py and /lua.\n')
})
// No path is given to use(): guests see the whole path and are found by their own mountpoints.
app.use((request, response, next) => {
  if (/^\/(py|lua)(\/|$)/.test(request.path)) host.handler(request, response)
  else next()
})

const server = app.listen(Number(process.env['PORT'] ?? 8000), '127.0.0.1', () => {
  const address = server.address()
  console.log(`listening on http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`)
})

// The same apps, without any socket.
console.log(await (await host.fetch('http://localhost/py/from-fetch')).text())

await new Promise((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve))
server.close()
