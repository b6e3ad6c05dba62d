// Asks every server of `upstreams` at once, and answers with what the quickest one says. Where this waits, it awaits: its worker
// serves others meanwhile.
import uwsgi, { promises } from 'uwsgi'

const servers = uwsgi.opt.upstreams.split(',')

export default async () => {
  const asked = new Map()
  for (const address of servers) {
    const fd = await promises.asyncConnect(address) // the connection is on its way
    if (await promises.send(fd, 'hello\n')) {
      asked.set(fd, address)
      uwsgi.waitFdRead(fd, 3)
    } else {
      uwsgi.close(fd) // refused
    }
  }
  await uwsgi.suspend() // until one can be read, for three seconds at most
  const ready = uwsgi.readyFd()
  const answer = asked.has(ready) ? await promises.recv(ready, 4096) : undefined
  for (const fd of asked.keys()) uwsgi.close(fd)
  if (answer === undefined) return new Response('nobody has answered\n', { status: 504 })
  return new Response(answer, { headers: { 'Content-Type': 'text/plain', 'X-Server': asked.get(ready) } })
}
